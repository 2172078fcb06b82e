/**
 * The provider contract: places the processes of a cluster on some kind of resource, and finds, reads
 * and ends them again. A provider never looks inside a `ProcessSpec`.
 *
 * V1  What `apply` did is found by `inspect` from any other process, also after a crash in between.
 * V2  `apply` and `destroy` are idempotent: repeated after an interruption they finish the work.
 * V3  A process is never judged by its number or name alone; what is not provably ours is not touched.
 * V4  Every method rejects with an `FctlError` for what a user can mend; anything else is a bug.
 */
import type { Readable } from 'node:stream';
import type { EndpointDocument } from '../contract/documents.ts';
import type { Problem } from '../contract/errors.ts';
import type { Artifact, ClusterSpec, ProcessSpec, Role } from '../contract/process-spec.ts';
import type { Versioned } from '../contract/file-documents.ts';

export interface Provider {
  readonly name: string;
  /** Every problem at once: reachability, permissions, ports, disk. Empty: usable. Changes nothing. */
  preflight(spec: ClusterSpec, signal: AbortSignal): Promise<readonly Problem[]>;
  /** Ids of all clusters that have processes or a record here. */
  list(): Promise<readonly string[]>;
  /** What runs now; `null` when there is neither process nor record. */
  inspect(clusterId: string): Promise<ObservedCluster | null>;
  /** The cluster's record. */
  store(clusterId: string): DocumentStore;
  artifacts(clusterId: string): ArtifactStore;
  /** Performs one action of a plan. */
  apply(action: Action, spec: ClusterSpec, signal: AbortSignal): Promise<void>;
  /** How to reach the leader now; `null` when there is none. */
  endpoint(clusterId: string): Promise<ReachableEndpoint | null>;
  /** Log lines of one process, oldest first. */
  logs(clusterId: string, process: string, options: LogOptions): Promise<Readable>;
  /** Ends all processes and removes everything of the cluster, its record last. */
  destroy(clusterId: string, signal: AbortSignal): Promise<void>;
  /** Processes and leftovers that belong to no known cluster, or to one that has ended. */
  orphans(): Promise<readonly Orphan[]>;
  /** Ends and removes one orphan, after checking once more that it is one. */
  removeOrphan(orphan: Orphan): Promise<void>;
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
  /** Of its latest start. */
  readonly startedAt: number | null;
  /** How often it was started again after a crash. */
  readonly restarts: number;
  /** Of its latest end, above 128 for a signal (`describeExit`); `null`: none that is known. */
  readonly exitCode: number | null;
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
  /** What to start; `null` for `delete` and `none`. */
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
  put(artifact: Artifact, signal: AbortSignal): Promise<number>;
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
