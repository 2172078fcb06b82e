import packageJson from '../../package.json' with { type: 'json' };

/** Version of this fctl: of the CLI, and of the runtime that comes with it. */
export const FCTL_VERSION: string = packageJson.version;
