/**
 * The provider contract: places the processes of a cluster on some kind of resource, and finds, reads
 * and ends them again. A provider never looks inside a `ProcessSpec`.
 *
 * V1  What `apply` did is found by `inspect` from any other process, also after a crash in between.
 * V2  `apply` and `destroy` are idempotent: repeated after an interruption they finish the work.
 * V3  A process is never judged by its number or name alone; what is not provably ours is not touched.
 * V4  What a deployment does carries the epoch of its lock; where a newer lock was seen it is refused, at
 *     the place where it would act.
 * V5  Every method rejects with an `FctlError` for what a user can mend; anything else is a bug.
 */
import type { Readable, Writable } from 'node:stream';
import type { EndpointDocument } from '../record/documents.ts';
import type { Problem } from '../contract/errors.ts';
import type { Artifact, ClusterSpec, ProcessSpec, Role } from '../contract/process-spec.ts';
import type { Versioned } from '../record/file-documents.ts';

export interface Provider {
  readonly name: string;
  /** Whether the cluster's processes see the files of this machine, and all the same ones. */
  readonly storageScope: 'common' | 'separate';
  /** Begins to reach what will be asked soon, where that takes time. What goes wrong is told then. */
  connect?(): void;
  /** Every problem at once: reachability, permissions, ports, disk. Empty: usable. Changes nothing. */
  preflight(spec: ClusterSpec, signal: AbortSignal): Promise<readonly Problem[]>;
  /**
   * Ids of all clusters that have processes or a record here.
   * @param onSilent told of each place that does not answer: there may be more clusters.
   */
  list(onSilent?: (found: Problem) => void): Promise<readonly string[]>;
  /** What runs now; `null` when there is neither process nor record. */
  inspect(clusterId: string): Promise<ObservedCluster | null>;
  /** The cluster's record. */
  store(clusterId: string): DocumentStore;
  artifacts(clusterId: string): ArtifactStore;
  /** Ships what processes of any cluster run with, the runtime, unless it is there. */
  install(spec: ClusterSpec, options: TransferOptions): Promise<void>;
  /** Performs one action of a plan. */
  apply(action: Action, spec: ClusterSpec, options: ApplyOptions): Promise<void>;
  /** How to reach the leader now; `null` when there is none. */
  endpoint(clusterId: string): Promise<ReachableEndpoint | null>;
  /** Log lines of one process, oldest first. */
  logs(clusterId: string, process: string, options: LogOptions): Promise<Readable>;
  /**
   * Runs a command where a process runs, with its environment, in its working folder.
   * @returns the exit code; rejects with ClusterError (exit 7) when there is no such process.
   */
  exec(
    clusterId: string,
    process: string,
    command: readonly string[],
    io: ExecStreams,
  ): Promise<number>;
  /**
   * Ends all processes and removes everything of the cluster, its record last.
   * @returns what holds state and was kept, for people: volumes, folders.
   */
  destroy(clusterId: string, options: DestroyOptions): Promise<readonly string[]>;
  /** Removes what no cluster uses any more: runtimes, images, uploads. @returns what it was, for people. */
  prune(signal: AbortSignal): Promise<readonly string[]>;
  /** Processes and leftovers that belong to no known cluster, or to one that has ended. */
  orphans(): Promise<readonly Orphan[]>;
  /** Ends and removes one orphan, after checking once more that it is one. */
  removeOrphan(orphan: Orphan): Promise<void>;
  /** Gives up connections; nothing else can be asked for afterwards. */
  close(): Promise<void>;
}

/** Bytes on their way to one place. */
export interface TransferProgress {
  readonly what: string;
  /** A host, an engine; empty: this machine. */
  readonly where: string;
  readonly sentBytes: number;
  readonly totalBytes: number;
  /** Somebody else sends them, and is waited for. */
  readonly byOther?: boolean;
}

export interface TransferOptions {
  readonly signal: AbortSignal;
  /** Called often while bytes are sent, and once with all of them; never when nothing has to be sent. */
  readonly onProgress: (progress: TransferProgress) => void;
}

export interface ApplyOptions {
  /** Epoch of the deployment's lock (V4). */
  readonly fence: number;
  readonly signal: AbortSignal;
}

export interface DestroyOptions {
  /** Epoch of the lock; `null`: the record is damaged and nobody can hold one. */
  readonly fence: number | null;
  /** Whether checkpoints, savepoints and volumes with state are removed, too. */
  readonly deleteState: boolean;
  readonly signal: AbortSignal;
}

export interface ExecStreams {
  /** `null`: the command gets no input. */
  readonly stdin: Readable | null;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Ends the command. */
  readonly signal: AbortSignal;
}

export interface ObservedCluster {
  readonly clusterId: string;
  readonly processes: readonly ObservedProcess[];
}

export interface ObservedProcess {
  /** `taskmanager-1` */
  readonly name: string;
  readonly role: Role;
  readonly index: number;
  readonly release: string;
  /**
   * `restarting`: it crashed, and is started again without anybody's help. `lost`: it is gone without
   * having been ended by us, and stays so.
   */
  readonly status: 'running' | 'restarting' | 'exited' | 'lost';
  /** For people: `pid 4711`. */
  readonly location: string;
  /** The host that it runs on, as the config names it; `null` where the provider knows no hosts. */
  readonly host: string | null;
  /** Why it has to move, with the config key: its host left the config. `null`: it is where it should be. */
  readonly misplaced: string | null;
  /** Of its latest start. */
  readonly startedAt: number | null;
  /** How often it was started again after a crash. */
  readonly restarts: number;
  /** Of its latest end, above 128 for a signal (`describeExit`); `null`: none that is known. */
  readonly exitCode: number | null;
  /** Whether it, or a part of it, was killed for want of memory of late; absent: nobody can tell. */
  readonly outOfMemory?: boolean;
  /** What it was made from; `null` when that is not known any more. */
  readonly spec: ProcessSpec | null;
}

/** Whether it runs, or will without anybody's help. */
export function isAlive({ status }: ObservedProcess): boolean {
  return status === 'running' || status === 'restarting';
}

export const ActionKind = {
  create: 'create',
  scale: 'scale',
  restart: 'restart',
  replace: 'replace',
  delete: 'delete',
  none: 'none',
} as const;
export type ActionKind = (typeof ActionKind)[keyof typeof ActionKind];

/** One step of a plan. */
export interface Action {
  readonly kind: ActionKind;
  readonly process: string;
  readonly role: Role;
  readonly index: number;
  /** For people, with the config keys that caused it: `taskmanager.slots: 1 → 2`. */
  readonly reason: string;
  readonly causes: readonly string[];
  /**
   * What runs afterwards: the process is ended, where there is one, and started from this. `null`: it is
   * ended and removed (`none`: left alone). `scale` may be either.
   */
  readonly spec: ProcessSpec | null;
}

/** Small documents with compare-and-set. */
export interface DocumentStore {
  read<T>(name: string): Promise<Versioned<T>>;
  /** @returns the new version, or `null` when `expected` is not the current one. */
  write(name: string, expected: number, value: unknown): Promise<number | null>;
}

export interface ArtifactStore {
  has(hash: string): Promise<boolean>;
  /** Ships an artifact and verifies its hash on arrival. @returns bytes sent. */
  put(artifact: Artifact, options: TransferOptions): Promise<number>;
}

export interface ReachableEndpoint {
  readonly document: EndpointDocument;
  /** The REST address as reached from here. */
  readonly url: string;
  readonly token: string | null;
}

export interface LogOptions {
  /** `log`: the process's own JSON lines; `out`: stdout and stderr. */
  readonly stream: 'log' | 'out';
  readonly follow: boolean;
  /** Only the last so many lines; `null`: all. */
  readonly tail: number | null;
  readonly signal: AbortSignal;
}

export interface Orphan {
  readonly clusterId: string;
  readonly kind: 'process' | 'folder' | 'file';
  /** `pid 4711`, or a path. */
  readonly what: string;
  readonly why: string;
}
