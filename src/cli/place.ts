/** What surrounds a run of fctl: folders, variables, and the way to end. */

export interface Place {
  readonly cwd: string;
  readonly runtimeDir: string;
  /** Where fctl keeps what it can make again. */
  readonly cacheDir: string;
  /** Where fctl keeps what the user has told it. */
  readonly configDir: string;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
  readonly environment: Record<string, string | undefined>;
}
