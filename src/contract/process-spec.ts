/**
 * Engine ↔ provider: which processes a cluster consists of. An engine makes these from a resolved
 * config; a provider places them and never looks inside.
 *
 * A `ProcessSpec` is the template of a role. `command`, `environment` and inline file contents may hold
 * placeholders, whose values are the same for all instances of the role at one place: files come out
 * byte for byte equal. The provider substitutes those below and refuses a spec with any other:
 *
 * | placeholder        | becomes                                                               |
 * |--------------------|-----------------------------------------------------------------------|
 * | `${runtime.node}`  | the Node.js executable of the place                                   |
 * | `${runtime.dir}`   | the folder with the runtime's entry points (`jobmanager.js`, …)       |
 * | `${process.dir}`   | the process's own folder, where `files` are laid; in `command` and `environment` alone |
 * | `${log.dir}`       | the folder for log files                                              |
 * | `${secret.NAME}`   | the **path** of a file, readable by the process only, that holds the secret |
 * | `${artifact.HASH}` | the path of that artifact                                             |
 * | `${storage.scope}` | `common` where all processes see the same files, else `separate`      |
 *
 * `$${` stands for a literal `${`.
 *
 * What differs between instances the provider adds to the environment (`environment.ts`): `FCTL_PROCESS`,
 * `FCTL_PROCESS_DIR`, `FCTL_INDEX`, `FCTL_RELEASE`, `FCTL_RECORD`, `FCTL_WORK_DIR`, `FCTL_BIND`, for each
 * port `FCTL_PORT_NAME`, and `FCTL_ADDRESS` where the place knows it. A process starts in the folder of the
 * config file where its place sees the client's files, else in `FCTL_WORK_DIR`.
 */
import type { ClusterId } from './cluster-id.ts';

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
  /** The address that it listens on; absent: the one that the place gives it. */
  readonly bind?: string;
}

/** One role of a cluster, as a template: `count` processes, which differ in their environment alone. */
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

/**
 * What the processes of a cluster run with, and what has to be at their place before one is started.
 * `fctl`: the runtime of this fctl, with its Node.js. `archive`: an artifact of the cluster, which is unpacked
 * there; `layout` says where in it the executable is that commands begin with. `image`: a container image.
 */
export type RuntimeRef =
  | { readonly kind: 'fctl' }
  | { readonly kind: 'archive'; readonly artifact: string; readonly layout: string }
  | { readonly kind: 'image'; readonly reference: string };

/** Everything that a cluster should consist of. */
export interface ClusterSpec {
  readonly clusterId: ClusterId;
  /** Hash of resolved config, application bundle and engine version; see design, section 2. */
  readonly release: string;
  readonly mode: 'application' | 'per-job' | 'session';
  /** It runs once: of what has ended only record and logs are kept. */
  readonly transient: boolean;
  readonly runtime: RuntimeRef;
  /** How long outcome and logs stay after the end; for platforms that remove them by themselves. */
  readonly retentionMs: number;
  readonly processes: readonly ProcessSpec[];
  readonly artifacts: readonly Artifact[];
  /** The folder of the config file on the client. Not part of the release. */
  readonly clientDir: string;
  /** Secrets by name. Never in a plan, a log or a process's arguments. */
  readonly secrets: Readonly<Record<string, string>>;
}
