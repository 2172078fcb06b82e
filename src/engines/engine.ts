/**
 * The engine contract: which processes a cluster consists of. An engine turns a resolved config into
 * `ProcessSpec`s and knows nothing of where they will run.
 */
import type { Call } from '../contract/call.ts';
import type { ClusterSpec, ProcessSpec } from '../contract/process-spec.ts';
import type { KnownRestore } from '../contract/restore.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import type { ApplicationBundle } from '../packaging/bundle.ts';
import type { ClusterApi } from './cluster-api.ts';

export interface Engine {
  readonly name: string;
  /** Part of the release. */
  readonly version: string;
  /** What a job can be restored from; `null`: its jobs begin from nothing. */
  readonly state: StateSupport | null;
  /**
   * @param bundle the application; `null` for a session cluster.
   * @param token the cluster's token; `null` when `security.auth` is `none`.
   * @param release the release's hash, for the labels.
   */
  clusterSpec(
    config: ResolvedConfig,
    bundle: ApplicationBundle | null,
    token: string | null,
    release: string,
  ): ClusterSpec;
  /**
   * What differs between two specs of a role, of those that this engine made: keys of the config with both
   * values, where it can. Only the engine reads the files that it writes. What jobs are restored from
   * (`StateSupport.startFrom`) is no difference.
   * @returns empty where a process that runs from the one does what the other wants.
   */
  explain(before: ProcessSpec, after: ProcessSpec): readonly string[];
  /**
   * The JobManager that leads a cluster of this engine. Asks nothing by itself.
   * @param timeoutMs of one request.
   */
  cluster(jobManager: JobManagerAddress, timeoutMs: number): ClusterApi;
}

/** How to reach the JobManager of a cluster. */
export interface JobManagerAddress {
  readonly url: string;
  readonly token: string | null;
}

/**
 * How jobs keep their state while one JobManager follows another.
 *
 * E1  Suspending concerns all jobs of an application and is all or nothing: `main()` learns nothing of it,
 *     each job stops with a savepoint, and then the outcome in the record is SUSPENDED. Where one job cannot
 *     stop, those that did are resumed from what they wrote.
 * E2  A suspended JobManager stays, runs nothing and waits to be ended; one that its platform starts again
 *     resumes its jobs.
 * E3  A JobManager that is started again by its platform goes on from the newest state of its jobs, not from
 *     what its spec says: that is for a job that has not run under its release.
 */
export interface StateSupport {
  /**
   * A folder for one savepoint.
   * @param jobManager the spec of whoever will start from it.
   * @param name of that folder, below the one that the config has for this cluster.
   * @throws ConfigError where the config has none.
   */
  directory(jobManager: ProcessSpec, name: string): string;
  /**
   * Suspends the application (E1); resolves when it is. Repeated with the same triggers it joins what is under
   * way, and changes nothing where that is done.
   * @throws DeploymentError that names the job which cannot stop; all jobs run on.
   */
  suspend(jobManager: JobManagerAddress, jobs: readonly JobToSuspend[], call: Call): Promise<void>;
  /**
   * The path of the savepoint or checkpoint in a folder. What was left by a suspension that was undone (E1)
   * does not count. @returns `null`: there is none.
   */
  find(directory: string, call: Call): Promise<string | null>;
  /**
   * The newest completed checkpoint of a job that does not run; `null`: it completed none.
   * @param jobManager the spec that it ran under.
   */
  lastCheckpoint(
    jobManager: ProcessSpec,
    jobId: string,
    call: Call,
  ): Promise<Pick<KnownRestore, 'directory' | 'path'> | null>;
  /** The JobManager's spec with which jobs begin from these, in place of what it said before. */
  startFrom(jobManager: ProcessSpec, restore: readonly KnownRestore[]): ProcessSpec;
}

export interface JobToSuspend {
  readonly jobId: string;
  /** Where its savepoint goes. */
  readonly directory: string;
  /** 32 hexadecimal digits, the same whenever this is asked for again. */
  readonly triggerId: string;
}
