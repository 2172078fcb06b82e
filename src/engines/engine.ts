/**
 * The engine contract: which processes a cluster consists of. An engine turns a resolved config into
 * `ProcessSpec`s and knows nothing of where they will run.
 */
import type { ClusterSpec, ProcessSpec } from '../contract/process-spec.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import type { ApplicationBundle } from '../packaging/bundle.ts';
import type { ClusterApi } from './cluster-api.ts';

export interface Engine {
  readonly name: string;
  /** Part of the release. */
  readonly version: string;
  /** How running jobs keep their state over an upgrade; `null`: this engine cannot do that. */
  readonly savepoints: SavepointSupport | null;
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
   * values, where it can. Only the engine reads the files that it writes.
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

/** What an upgrade asks of an engine whose jobs have state. */
export interface SavepointSupport {
  /**
   * Ends a job with a savepoint, where its cluster keeps them.
   * @returns the path of the savepoint. Rejects with a DeploymentError; the job then runs on.
   */
  stop(jobManager: JobManagerAddress, jobId: string, signal: AbortSignal): Promise<string>;
  /** The JobManager's spec with which jobs begin from savepoints: paths by the name of the job. */
  startFrom(jobManager: ProcessSpec, savepoints: ReadonlyMap<string, string>): ProcessSpec;
}
