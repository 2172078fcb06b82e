import packageJson from '../../package.json' with { type: 'json' };

/** Version of this fctl: of the CLI, and of the runtime that comes with it. */
export const FCTL_VERSION: string = packageJson.version;

/** The oldest Node.js that fctl and its processes run with: `22.18`. */
export const OLDEST_NODE: string = packageJson.engines.node.replace('>=', '');

/** @param version `24.21.0` */
export function isTooOld(version: string): boolean {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  const [oldestMajor, oldestMinor] = OLDEST_NODE.split('.').map(Number) as [number, number];
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}
