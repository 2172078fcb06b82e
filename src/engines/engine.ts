/**
 * The engine contract: which processes a cluster consists of. An engine turns a resolved config into
 * `ProcessSpec`s and knows nothing of where they will run.
 */
import type { ClusterSpec } from '../contract/process-spec.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import type { ApplicationBundle } from '../packaging/bundle.ts';

export interface Engine {
  readonly name: string;
  /** Part of the release. */
  readonly version: string;
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
}
