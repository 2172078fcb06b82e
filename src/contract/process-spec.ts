/**
 * Engine ↔ provider: which processes a cluster consists of. An engine makes these from a resolved
 * config; a provider places them and never looks inside.
 *
 * `command`, `environment` and inline file contents may hold placeholders. The provider substitutes
 * those below and refuses a spec with any other:
 *
 * | placeholder             | becomes                                                          |
 * |-------------------------|------------------------------------------------------------------|
 * | `${runtime.node}`       | the Node.js executable of the place                              |
 * | `${runtime.dir}`        | the folder with the runtime's entry points (`jobmanager.js`, …)  |
 * | `${process.dir}`        | the process's own folder, where `files` are laid                 |
 * | `${record.url}`         | where the process finds the cluster's record: `file:///…`, or `http://HOST:PORT` of the JobManager |
 * | `${log.dir}`            | the folder for the process's log files                           |
 * | `${self.name}`          | `jobmanager-0`, `taskmanager-1`                                  |
 * | `${self.index}`         | 0-based index within the role                                    |
 * | `${self.release}`       | the release the process was started for                          |
 * | `${self.address}`       | the address under which peers reach the process                  |
 * | `${self.bind}`          | the address that the process's servers listen on                 |
 * | `${jobmanager.address}` | the address of the JobManager, where it is known beforehand      |
 * | `${port.NAME}`          | the port of that name (0: the process chooses, where the place lets it) |
 * | `${secret.NAME}`        | the **path** of a file, readable by the process only, that holds the secret |
 * | `${artifact.HASH}`      | the path of that artifact                                        |
 * | `${work.dir}`           | a folder for the process's working files, removed with the cluster |
 * | `${client.dir}`         | the folder of the config file, where the place sees the client's files; else `${work.dir}` |
 * | `${storage.scope}`      | `common` where all processes see the same files, else `separate` |
 *
 * `$${` stands for a literal `${`.
 */

export const Role = { jobmanager: 'jobmanager', taskmanager: 'taskmanager' } as const;
export type Role = (typeof Role)[keyof typeof Role];

/** Names the processes of a cluster on every provider, in the provider's own form. */
export interface ProcessLabels {
  readonly 'fctl.dev/cluster': string;
  readonly 'fctl.dev/release': string;
  readonly 'fctl.dev/role': Role;
  readonly 'fctl.dev/mode': string;
}

export type FileSpec =
  /** A text file, laid at `path` below the process's folder. */
  | { readonly type: 'inline'; readonly path: string; readonly content: string }
  /** A content-addressed artifact, reachable as `${artifact.HASH}`. */
  | { readonly type: 'artifact'; readonly hash: string };

export interface PortSpec {
  readonly name: string;
  /** 0: the process chooses and publishes the port itself. */
  readonly port: number;
}

/** One role of a cluster: `count` equal processes. */
export interface ProcessSpec {
  readonly role: Role;
  readonly count: number;
  /** Executable first. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly files: readonly FileSpec[];
  readonly resources: { readonly cpu: number; readonly memoryBytes: number };
  readonly ports: readonly PortSpec[];
  /** Names of the cluster's secrets that the process may read. */
  readonly secrets: readonly string[];
  /** HTTP path that answers 200 once the process is up; `null`: no probe. */
  readonly readiness: { readonly port: string; readonly path: string } | null;
  readonly stop: { readonly signal: 'SIGTERM' | 'SIGINT'; readonly gracePeriodMs: number };
  readonly labels: ProcessLabels;
}

/** Something that is shipped by content hash: an application bundle, later the runtime archive. */
export interface Artifact {
  /** Lowercase hex SHA-256 of the content. */
  readonly hash: string;
  readonly name: string;
  readonly sizeBytes: number;
  /** Where the content lies on the client. */
  readonly file: string;
}

/** Everything that a cluster should consist of. */
export interface ClusterSpec {
  readonly clusterId: string;
  /** Hash of resolved config, application bundle and engine version; see design, section 2. */
  readonly release: string;
  readonly mode: 'application' | 'per-job' | 'session';
  /** It runs once: of what has ended only record and logs are kept. */
  readonly transient: boolean;
  readonly processes: readonly ProcessSpec[];
  readonly artifacts: readonly Artifact[];
  /** The folder of the config file on the client. Not part of the release. */
  readonly clientDir: string;
  /** Secrets by name. Never in a plan, a log or a process's arguments. */
  readonly secrets: Readonly<Record<string, string>>;
}
