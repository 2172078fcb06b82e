/** A plan: what is done with each process of a cluster. Made by deployment/, carried out by a provider. */
import type { ClusterId } from './cluster-id.ts';
import type { ProcessSpec, Role } from './process-spec.ts';
import type { RestoreEntry } from './restore.ts';

export const ActionKind = {
  create: 'create',
  scale: 'scale',
  restart: 'restart',
  replace: 'replace',
  delete: 'delete',
  none: 'none',
} as const;
export type ActionKind = (typeof ActionKind)[keyof typeof ActionKind];

/** What is done with one process. */
export interface Action {
  readonly kind: ActionKind;
  readonly process: string;
  readonly role: Role;
  readonly index: number;
  /** For people, with the config keys that caused it: `taskmanager.slots: 1 → 2`. */
  readonly reason: string;
  readonly causes: readonly string[];
  /** Whether it ends a process that runs, or that is about to be started again. */
  readonly endsProcess: boolean;
  /**
   * What runs afterwards: the process is ended, where there is one, and started from this. `null`: it is
   * ended and removed (`none`: left alone). `scale` may be either.
   */
  readonly spec: ProcessSpec | null;
}

export interface Plan {
  readonly clusterId: ClusterId;
  readonly release: string;
  /** The one that was recorded last; `null`: none. */
  readonly previousRelease: string | null;
  /** The JobManager that leads, by the record: of those that are ended it is the last. `null`: nobody knows. */
  readonly leader: string | null;
  /** One for each process: deletions, JobManagers, TaskManagers. */
  readonly actions: readonly Action[];
  /** Keys of the config that differ from those of the previous release, with both values. */
  readonly config: readonly string[];
  /** Whether a deployment would change anything, be it in the cluster's record alone. */
  readonly changes: boolean;
  /** Whether a running JobManager would be ended: its application starts again. */
  readonly restartsApplication: boolean;
  /** What jobs go on from, in the order of their `execute`s. One without a path is suspended first. */
  readonly restore: readonly RestoreEntry[];
  /** What state of which jobs would be lost, in words, one a job: a deployment has to be allowed that. */
  readonly stateLoss: readonly string[];
}
