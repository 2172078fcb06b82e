/**
 * Where a cluster's JobManager is now: asked for at the start and whenever it was not found there.
 *
 *     here ──not reached──▶ (asked again) ──▶ here, perhaps elsewhere | gone ──next request──▶ (asked again)
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { Duplex } from 'node:stream';
import { ClusterError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { noSuchCluster } from '../../deployment/cancel.ts';
import type { Site } from '../../deployment/site.ts';
import { clusterStatus } from '../../deployment/status.ts';
import type { ClusterConnection } from '../../providers/provider.ts';

/** What a user would like to know; each is said once. */
export type TargetEvent =
  | { readonly type: 'gone'; readonly error: ClusterError }
  | { readonly type: 'back' };

export class Target {
  readonly #site: Site;
  readonly #clusterId: ClusterId;
  readonly #tell: (event: TargetEvent) => void;
  #state: 'not-asked' | 'here' | 'gone' = 'not-asked';
  #endpoint: ClusterConnection | null = null;
  #asking: Promise<ClusterConnection> | null = null;

  constructor(site: Site, clusterId: ClusterId, tell: (event: TargetEvent) => void) {
    this.#site = site;
    this.#clusterId = clusterId;
    this.#tell = tell;
  }

  /** @throws ClusterError (exit 7: no such cluster; exit 8: no JobManager answers). */
  find(): Promise<ClusterConnection> {
    return this.#endpoint === null ? this.#ask() : Promise.resolve(this.#endpoint);
  }

  /** Asks again, where nobody has done so since `endpoint` was found. @throws ClusterError as `find`. */
  findAgain(endpoint: ClusterConnection): Promise<ClusterConnection> {
    if (this.#endpoint === endpoint) this.#endpoint = null;
    return this.find();
  }

  /** A connection to its REST port. */
  dial(endpoint: ClusterConnection): Promise<Duplex> {
    return endpoint.dial(this.#site);
  }

  /** One question for all requests that wait. */
  #ask(): Promise<ClusterConnection> {
    this.#asking ??= this.#search().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #search(): Promise<ClusterConnection> {
    try {
      this.#endpoint = await this.#lookUp();
    } catch (error) {
      if (this.#state === 'here' && error instanceof ClusterError) {
        this.#state = 'gone';
        this.#tell({ type: 'gone', error });
      }
      throw error;
    }
    if (this.#state === 'gone') this.#tell({ type: 'back' });
    this.#state = 'here';
    return this.#endpoint;
  }

  async #lookUp(): Promise<ClusterConnection> {
    const status = await clusterStatus(this.#site, this.#clusterId);
    if (status === null) throw noSuchCluster(this.#clusterId);
    const endpoint = await this.#site.provider.connect(this.#clusterId, this.#site);
    if (status.info !== null && endpoint !== null) return endpoint;
    const message = `cluster ${this.#clusterId} is ${status.state}: it has no JobManager that answers`;
    throw new ClusterError(
      ExitCode.conflict,
      problem({ code: 'not-running', message, hint: status.explanation }),
    );
  }
}
