/**
 * Names and labels of what a cluster has on an engine, and where things lie in its volume.
 *
 *     record/           documents: NAME.VERSION.json
 *     secrets/NAME      mode 0400
 *     artifacts/HASH
 *     logs/PROCESS.log
 *     processes/PROCESS/…
 *     work/PROCESS/
 *
 * O1  A cluster's volume gets a random identity when it is made. What else carries the same identity is
 *     the cluster's; a name or a cluster id alone proves nothing.
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { ProcessSpec } from '../../contract/process-spec.ts';

export const Label = {
  cluster: 'fctl.dev/cluster',
  release: 'fctl.dev/release',
  role: 'fctl.dev/role',
  mode: 'fctl.dev/mode',
  /** O1 */
  identity: 'fctl.dev/identity',
  /** `taskmanager-1` */
  process: 'fctl.dev/process',
  index: 'fctl.dev/index',
  /** JSON of the `ProcessSpec`. */
  spec: 'fctl.dev/spec',
  /** Of a container that only serves a client: what for. */
  helper: 'fctl.dev/helper',
  /** Of an image. */
  runtime: 'fctl.dev/runtime',
} as const;

export type Labels = Readonly<Record<string, string>>;

/** Of the cluster's volume and of its network. */
export const clusterResource = (clusterId: ClusterId) => `fctl-${clusterId}`;

export const containerName = (clusterId: ClusterId, process: string) =>
  `fctl-${clusterId}-${process}`;

export const clusterLabels = (clusterId: ClusterId, identity: string): Labels => ({
  [Label.cluster]: clusterId,
  [Label.identity]: identity,
});

export function processLabels(
  spec: ProcessSpec,
  process: string,
  index: number,
  identity: string,
): Labels {
  return {
    ...spec.labels,
    [Label.identity]: identity,
    [Label.process]: process,
    [Label.index]: String(index),
    [Label.spec]: JSON.stringify(spec),
  };
}
