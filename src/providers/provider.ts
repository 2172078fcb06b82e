/**
 * The provider contract: places the processes of a cluster on some kind of resource, and finds, reads
 * and ends them again. A provider never looks inside a `ProcessSpec`.
 *
 * V1  What `converge` did is found by `observe` from any other process, also after a crash in between.
 * V2  `converge` and `destroy` are idempotent: repeated after an interruption they finish the work.
 * V3  A process is never judged by its number or name alone; what is not provably ours is not touched.
 * V4  What a deployment does carries the epoch of its lock; where a newer lock was seen it is refused, at
 *     the place where it would act.
 * V5  Every method rejects with an `FctlError` for what a user can mend; anything else is a bug.
 * V6  Every method that takes a `Call` ends when its signal is aborted, with the reason of the signal,
 *     whatever it waits for: a slow answer, a lost connection, somebody else.
 */
import type { ClusterId } from '../contract/cluster-id.ts';
import type { Duplex, Readable, Writable } from 'node:stream';
import type { RecordStore } from '../record/store.ts';
import type { Call } from '../contract/call.ts';
import type { Problem } from '../contract/errors.ts';
import type { Action, Plan } from '../contract/plan.ts';
import type {
  Artifact,
  ClusterSpec,
  ProcessSpec,
  Role,
  RuntimeRef,
} from '../contract/process-spec.ts';

/** What not every platform can do. Callers ask before they promise it to a user. */
export interface Capabilities {
  /** Whether `exec` is there. */
  readonly exec: boolean;
  /** Whether `exec` can give the command a terminal. */
  readonly tty: boolean;
  /** Whether `logs` can follow what a running process writes. */
  readonly liveLogs: boolean;
  /** Whether one process of a role can be ended and started again alone. */
  readonly restartOne: boolean;
  /** Whether all processes of a cluster see the files of this machine. */
  readonly commonFiles: boolean;
}

export interface Provider {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** Begins to reach what will be asked soon, where that takes time. What goes wrong is told then. */
  warmUp?(): void;
  /** Every problem at once: reachability, permissions, ports, disk. Empty: usable. Changes nothing. */
  preflight(spec: ClusterSpec, call: Call): Promise<readonly Problem[]>;
  /** Ids of all clusters that have processes or a record here. */
  list(call: Call): Promise<ClusterList>;
  /** What runs now; `null` when there is neither process nor record. */
  observe(clusterId: ClusterId, call: Call): Promise<ObservedCluster | null>;
  /**
   * What runs: at once, and again whenever that has changed. It goes on until the caller stops iterating
   * or aborts the signal, whose reason it then throws.
   */
  watch(clusterId: ClusterId, call: Call): AsyncIterable<ObservedCluster | null>;
  /** The cluster's record. */
  record(clusterId: ClusterId): RecordStore;
  artifacts(clusterId: ClusterId): ArtifactStore;
  /** Ships what processes run with, unless it is there. @throws ProviderError for what cannot be shipped. */
  install(runtime: RuntimeRef, options: TransferOptions): Promise<void>;
  /**
   * Brings the processes of a cluster to what a plan says that they should be. JobManagers that others
   * follow have ended before one of those starts.
   */
  converge(desired: ClusterSpec, plan: Plan, options: ConvergeOptions): Promise<void>;
  /**
   * The secrets that the cluster's processes were given, by name, whether or not any of them runs; `null`
   * when there are none. A deployment uses the token that is there: running processes know no other.
   */
  secrets(clusterId: ClusterId, call: Call): Promise<Readonly<Record<string, string>> | null>;
  /** How to reach the leading JobManager now; `null` when none has led. */
  connect(clusterId: ClusterId, call: Call): Promise<ClusterConnection | null>;
  /** Log lines of one process, oldest first. */
  logs(clusterId: ClusterId, process: string, options: LogOptions): Promise<Readable>;
  /**
   * Runs a command where a process runs, with its environment, in its working folder. It is there where
   * `capabilities.exec` says so.
   * @returns the exit code; rejects with ClusterError (exit 7) when there is no such process.
   */
  exec?(
    clusterId: ClusterId,
    process: string,
    command: readonly string[],
    io: ExecStreams,
  ): Promise<number>;
  /**
   * Ends all processes and removes everything of the cluster, its record last.
   * @returns what holds state and was kept, for people: volumes, folders.
   */
  destroy(clusterId: ClusterId, options: DestroyOptions): Promise<readonly string[]>;
  /**
   * Removes what no cluster uses any more: runtimes, images, uploads. What a deployment may be about to use
   * is kept. @returns what it was, for people.
   */
  prune(call: Call): Promise<readonly string[]>;
  /** Processes and files that belong to no known cluster, or to one that has ended. */
  leftovers(call: Call): Promise<readonly Leftover[]>;
  /** Ends and removes one leftover, after checking once more that it is one. */
  remove(leftover: Leftover, call: Call): Promise<void>;
  /** Gives up connections; nothing else can be asked for afterwards. */
  close(): Promise<void>;
}

export interface ClusterList {
  /** Sorted, each once. */
  readonly clusters: readonly ClusterId[];
  /** One problem for each place that does not answer: there may be more clusters. */
  readonly silent: readonly Problem[];
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

export interface TransferOptions extends Call {
  /** Called often while bytes are sent, and once with all of them; never when nothing has to be sent. */
  readonly onProgress: (progress: TransferProgress) => void;
}

export interface ConvergeOptions extends Call {
  /** Epoch of the deployment's lock (V4). */
  readonly fence: number;
  /** Told each action once, when it is begun. */
  readonly onStep: (action: Action) => void;
  /**
   * Awaited when all JobManagers that others follow have ended, before one of those starts: the ended ones
   * write nothing more.
   */
  readonly onJobManagersEnded: () => Promise<void>;
}

export interface DestroyOptions extends Call {
  /** Epoch of the lock; `null`: nobody can hold one, for the record is damaged or its disk is full. */
  readonly fence: number | null;
  /** Whether checkpoints, savepoints and volumes with state are removed, too. */
  readonly deleteState: boolean;
  /**
   * Called once all else is gone, immediately before the record goes: whoever keeps writing into it, to renew
   * its lock, stops. A rejection ends the call.
   */
  readonly onRecordGoes?: () => Promise<void>;
}

/** Its signal ends the command. */
export interface ExecStreams extends Call {
  /** `null`: the command gets no input. */
  readonly stdin: Readable | null;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

export interface ObservedCluster {
  readonly clusterId: ClusterId;
  readonly processes: readonly ObservedProcess[];
}

export interface ObservedProcess {
  /** `taskmanager-1` */
  readonly name: string;
  readonly role: Role;
  readonly index: number;
  readonly release: string;
  /**
   * `pending`: it was asked for and waits for its place: a machine with room, an image. `restarting`: it
   * crashed, and is started again without anybody's help. `lost`: it is gone without having been ended by
   * us, and stays so.
   */
  readonly status: 'pending' | 'running' | 'restarting' | 'exited' | 'lost';
  /** Why it is pending, in words; `null`: it is not, or nobody says. */
  readonly reason: string | null;
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
  /** Whether a signal (SIGSTOP) or its platform suspended it: it does nothing until it is continued. */
  readonly suspended?: boolean;
  /** What it was made from; `null` when that is not known any more. */
  readonly spec: ProcessSpec | null;
}

/** Whether it runs, or will without anybody's help. */
export function isAlive({ status }: Pick<ObservedProcess, 'status'>): boolean {
  return status === 'pending' || status === 'running' || status === 'restarting';
}

export interface ArtifactStore {
  /** The largest artifact that can be kept, in bytes; `null`: there is no limit but the disk. */
  readonly maxBytes: number | null;
  /** Whether it is there, with the content that its hash names. */
  has(hash: string, call: Call): Promise<boolean>;
  /** Ships an artifact and verifies its hash on arrival. @returns bytes sent. */
  put(artifact: Artifact, options: TransferOptions): Promise<number>;
  /** Hashes of all that are there, sorted. */
  list(call: Call): Promise<readonly string[]>;
  /** Removes one; one that is not there is removed already. */
  remove(hash: string, call: Call): Promise<void>;
}

/** The way to the JobManager that leads. */
export interface ClusterConnection {
  /** Resource id of the leading JobManager, of this start of it: `jobmanager-0/3fa94c01`. */
  readonly leader: string;
  /** Of its leadership. */
  readonly epoch: number;
  /** The REST address as reached from here, for people and for clients of REST. */
  readonly url: string;
  /** `null`: its REST API asks for none. */
  readonly token: string | null;
  /** A raw connection to its REST port, by whatever way. Rejects when nobody listens there. */
  dial(call: Call): Promise<Duplex>;
}

export interface LogOptions extends Call {
  /** `log`: the process's own JSON lines; `out`: stdout and stderr. */
  readonly stream: 'log' | 'out';
  readonly follow: boolean;
  /** Only the last so many lines; `null`: all. */
  readonly tail: number | null;
  /** Only what it wrote since it was placed last, as far as the platform can tell. Default: all that is there. */
  readonly sincePlaced?: boolean;
}

export interface Leftover {
  readonly clusterId: ClusterId;
  readonly kind: 'process' | 'folder' | 'file';
  /** For people: `pid 4711`, or a path. */
  readonly what: string;
  readonly why: string;
  /** The provider's own, plain data: it gets it back as it is and nobody else looks inside. */
  readonly ref: unknown;
}
