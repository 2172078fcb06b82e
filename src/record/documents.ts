/**
 * The documents of a cluster's record: small JSON values, kept where the cluster lives, written with
 * compare-and-set. Client and cluster both read them, so their shape is versioned.
 */
import type { JsonObject, JsonValue } from '../contract/json.ts';
import type {
  ApplicationStatus,
  FailureInfo,
  JobOutcome,
  RecordedAttempt,
} from '../contract/outcome.ts';
import type { RestoreEntry } from '../contract/restore.ts';

/** Version of the record's format and of the protocol between client and cluster. */
export const PROTOCOL_VERSION = 1;

export const DocumentName = {
  cluster: 'cluster',
  lock: 'lock',
  releases: 'releases',
  endpoint: 'endpoint',
  outcome: 'outcome',
  jobs: 'jobs',
  audit: 'audit',
  /** Of a provider that has hosts: which process runs where. */
  placement: 'placement',
} as const;
export type DocumentName = (typeof DocumentName)[keyof typeof DocumentName];

/** Written once, when a cluster is first deployed. */
export interface ClusterDocument {
  readonly protocol: number;
  readonly fctlVersion: string;
  readonly clusterId: string;
  readonly mode: 'application' | 'per-job' | 'session';
  readonly provider: string;
  readonly engine: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly retentionMs: number;
}

export interface LockDocument {
  /** `user@host/pid` */
  readonly holder: string;
  /** Machine, boot and container in which the pid means something. */
  readonly machine: string;
  readonly message: string;
  /** Grows with every holder; what is done under an older epoch is refused. */
  readonly epoch: number;
  /** By the holder's clock, for people. */
  readonly acquiredAt: number;
  /** A lock that is not written again for this long is free. */
  readonly termMs: number;
  readonly released: boolean;
  /** Names the holder's hold; absent in records of earlier versions. */
  readonly nonce?: string;
}

export const ReleaseStatus = {
  /** Recorded before anything is done; stays where the deployment was interrupted. */
  intended: 'intended',
  /** It passed its health gate. */
  stable: 'stable',
  failed: 'failed',
  /** It was the current one when somebody, or its own deployment, went back to an earlier one. */
  rolledBack: 'rolled-back',
} as const;
export type ReleaseStatus = (typeof ReleaseStatus)[keyof typeof ReleaseStatus];

/** What made a release, or started the processes of one again. */
export type ReleaseCause = 'deploy' | 'rollback' | 'scale' | 'restart';

/** Above every epoch. */
export const NOT_YET = Number.MAX_SAFE_INTEGER;

export interface ReleaseEntry {
  /** 1-based; grows with every entry. */
  readonly number: number;
  readonly release: string;
  readonly cause: ReleaseCause;
  readonly createdAt: number;
  /**
   * Endpoints and outcomes of a higher epoch are of this release; lower ones of an earlier run.
   * `NOT_YET`: none is, for the JobManager before it has not ended.
   */
  readonly afterEpoch: number;
  readonly by: string;
  readonly fctlVersion: string;
  /** Name and version: `bundled 0.1.0`. */
  readonly engine: string;
  readonly status: ReleaseStatus;
  /** The config in the user's units, with secrets masked. */
  readonly config: JsonObject;
  /** Keyed hash of the secret arguments; `null`: there are none. */
  readonly secretsHash: string | null;
  /** Its artifact stays in the cluster; `null`: there is no application. */
  readonly bundleHash: string | null;
  readonly bundleSizeBytes: number;
  /** Folder of the config file on the client; not part of the release. Counts where the cluster sees it. */
  readonly clientDir: string;
  /**
   * What its jobs are restored from; not part of the release. A job that has yet to be suspended has its
   * folder here before that begins. Absent in records of earlier versions: from nothing.
   */
  readonly restore?: readonly RestoreEntry[];
}

export interface ReleasesDocument {
  readonly releases: readonly ReleaseEntry[];
}

/** Something that somebody did, or tried to do, to a cluster. */
export interface AuditEntry {
  /** Names the entry. */
  readonly id: string;
  /** `user@host/pid` */
  readonly by: string;
  readonly fctlVersion: string;
  readonly at: number;
  /** `null`: it is not over, or was interrupted so hard that nobody could write this. */
  readonly endedAt: number | null;
  /** `deploy`, `rollback`, `scale`, `restart`, `cancel`, `lock release`, `destroy`. */
  readonly action: string;
  /** `null` where no release is concerned. */
  readonly release: string | null;
  readonly result: 'succeeded' | 'failed' | 'refused' | 'interrupted' | null;
  /** What failed, or what was done. */
  readonly message: string | null;
}

export interface AuditDocument {
  /** Oldest first. */
  readonly entries: readonly AuditEntry[];
}

/** What nobody can know beforehand; published by the leading JobManager, fenced by its epoch. */
export interface EndpointDocument {
  readonly protocol: number;
  /** `http://127.0.0.1:40123` */
  readonly rest: string;
  /** `ws://127.0.0.1:40123/fctl/v1/rpc` */
  readonly rpc: string;
  /** Leader epoch; grows with every JobManager of the cluster. */
  readonly epoch: number;
  readonly jobmanager: { readonly resourceId: string; readonly pid: number };
}

/** How an application ended, or that it is suspended; written by the JobManager before its TaskManagers go. */
export interface OutcomeDocument {
  readonly protocol: number;
  readonly status: ApplicationStatus;
  readonly startTime: number;
  readonly endTime: number;
  readonly error: FailureInfo | null;
  readonly jobs: readonly JobOutcome[];
  readonly epoch: number;
}

/** A job as its cluster remembers it. */
export interface RecordedJob {
  readonly id: string;
  readonly name: string;
  /** Which `execute` of `main()` it was, 0-based; `null`: another client submitted it. */
  readonly executeIndex: number | null;
  readonly graphHash: string;
  readonly argsHash: string;
  readonly boundedness: 'bounded' | 'unbounded';
  readonly vertices: readonly {
    readonly id: string;
    readonly name: string;
    readonly parallelism: number;
    readonly maxParallelism: number;
    /** Whether one of its operators has state; absent in records of earlier versions: nobody knows. */
    readonly stateful?: boolean;
  }[];
  readonly startTime: number;
  readonly attempts: readonly RecordedAttempt[];
  /** `null` until it has ended. */
  readonly outcome: JobOutcome | null;
  /** What its `collect` sinks collected, by name. */
  readonly collected: { readonly [name: string]: JsonValue };
  /** Why `collected` is empty though something was collected. */
  readonly collectedError: string | null;
}

/** Jobs of consecutive `execute`s that have ended, and of which nothing else is remembered. */
export interface ForgottenJobs {
  /** 0-based. */
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
  readonly state: string;
}

/** Written by the leading JobManager alone. */
export interface JobsDocument {
  readonly protocol: number;
  readonly release: string;
  /** Of the JobManager that wrote it last. */
  readonly epoch: number;
  /** Its resource id, which no other process has; absent in records of earlier versions. */
  readonly writer?: string;
  /** When the first JobManager of those that went on with it did. */
  readonly startTime: number;
  /** In the order of their submission. */
  readonly jobs: readonly RecordedJob[];
  /** Of an application, ascending; absent: none. */
  readonly forgotten?: readonly ForgottenJobs[];
}

/** What each document holds. */
export interface Documents {
  readonly cluster: ClusterDocument;
  readonly lock: LockDocument;
  readonly releases: ReleasesDocument;
  readonly endpoint: EndpointDocument;
  readonly outcome: OutcomeDocument;
  readonly jobs: JobsDocument;
  readonly audit: AuditDocument;
  readonly placement: unknown;
}
