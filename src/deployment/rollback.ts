/** Back to an earlier release: its config, its bundle, today's secrets. */
import type { ClusterId } from '../contract/cluster-id.ts';
import type { ReleaseEntry } from '../record/documents.ts';
import { ClusterError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import { noSuchCluster } from './cancel.ts';
import { deploy } from './deploy.ts';
import { type DeployInput, inputOfRelease } from './operation/desired.ts';
import { findRelease, interruptedRollback, previousStable, readReleases } from './releases.ts';
import type { OperationOptions, OperationResult } from './operation/stages.ts';

export type RollbackInput = Omit<DeployInput, 'config' | 'maskedConfig' | 'bundle'>;

/**
 * @param wanted a number or the beginning of a hash; `null`: the last stable one before the current.
 * @param folder that relative paths are relative to where the release's own folder is not here.
 * @throws ClusterError (exit 7: no such cluster or release, or its bundle is gone), and what `deploy`
 *   throws.
 */
export async function rollback(
  input: RollbackInput,
  clusterId: ClusterId,
  wanted: string | null,
  folder: string,
  options: OperationOptions,
): Promise<OperationResult & { readonly to: ReleaseEntry }> {
  const releases = await readReleases(input.provider.record(clusterId));
  if (releases.length === 0) throw noSuchCluster(clusterId);
  const to =
    wanted === null
      ? (interruptedRollback(releases) ?? previousStable(releases))
      : findRelease(releases, wanted);
  if (to === null) throw nothingBefore(clusterId);
  const back = await inputOfRelease(input, clusterId, to, folder);
  const result = await deploy(back, { ...options, rollbackOnFailure: false }, to);
  return { ...result, to };
}

const nothingBefore = (clusterId: ClusterId) =>
  new ClusterError(
    ExitCode.notFound,
    problem({
      code: 'nothing-to-roll-back-to',
      message: `${clusterId} has no other stable release before the current one`,
      hint: `'fctl releases ${clusterId}' shows all; name one to return to it`,
    }),
  );
