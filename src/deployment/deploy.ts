/** `plan` and `deploy`: what the config and the application say, compared with what runs. */
import type { ClusterId } from '../contract/cluster-id.ts';
import type { ReleaseEntry } from '../record/documents.ts';
import { ProviderError } from '../contract/errors.ts';
import { transferOptions } from './operation/ship.ts';
import { type DeployInput, desiredCluster, inputOfRelease } from './operation/desired.ts';
import { checkHooks } from './hooks.ts';
import { performOperation, refuseNewerProtocol } from './operation/operation.ts';
import type { Plan } from '../contract/plan.ts';
import { planCluster } from './operation/plan.ts';
import { withState } from './operation/restore.ts';
import { type Situation, readSituation } from './operation/situation.ts';
import type { Operation, OperationOptions, OperationResult, Wanted } from './operation/stages.ts';
import type { Site } from './site.ts';

/** What `deploy` would do. Changes nothing. */
export async function planDeployment(input: DeployInput): Promise<Plan> {
  const situation = await readKnown(input, input.config.cluster);
  const wanted = await want(input, null, situation);
  const { plan } = wanted;
  return plan.changes
    ? withState({ ...input, ...wanted, situation, startedBefore: Infinity })
    : plan;
}

/**
 * Brings the cluster to what the config says and waits until it is healthy.
 * @param returnsTo the earlier release that this is; `null`: it is none.
 * @throws ProviderError (preflight), ConfigError (a hook that cannot be executed), and what
 *   `performOperation` throws.
 */
export async function deploy(
  input: DeployInput,
  options: OperationOptions,
  returnsTo: ReleaseEntry | null = null,
): Promise<OperationResult> {
  const { clock, config, engine, engines, hooks, provider } = input;
  const clusterId = config.cluster;
  const before = await readKnown(input, clusterId);
  const { content, plan, spec } = await want(input, returnsTo, before);
  // Nobody has to wait for the lock, or for what preflight looks at, to hear that nothing is to be done.
  if (!plan.changes) {
    return { plan, previousEpoch: before.epoch - 1, release: null, outcome: null };
  }
  if (hooks !== null) await checkHooks(hooks);
  const problems = [...input.problems, ...(await provider.preflight(spec, options))];
  if (problems.length > 0) throw new ProviderError(problems);
  // Before the lock: where a host has nothing of ours yet, only the runtime can keep a record.
  await provider.install(spec.runtime, transferOptions(options));
  const operation: Operation = {
    provider,
    engines,
    clock,
    signal: options.signal,
    engine,
    clusterId,
    hooks,
    want: (situation) => want(input, returnsTo, situation),
    wantRelease: (entry, situation) => wantRelease(input, entry, situation),
  };
  return performOperation(operation, content.cause, content.release, options);
}

/** The situation of a cluster that this fctl may change. */
async function readKnown(site: Site, clusterId: ClusterId): Promise<Situation> {
  const [situation] = await Promise.all([
    readSituation(site, clusterId),
    refuseNewerProtocol(site.provider, clusterId),
  ]);
  return situation;
}

async function want(
  input: DeployInput,
  returnsTo: ReleaseEntry | null,
  { idle, isSuspended, leader, observed, releases }: Situation,
): Promise<Wanted> {
  const { content, spec } = await desiredCluster(input, returnsTo === null ? 'deploy' : 'rollback');
  const current = releases.at(-1) ?? null;
  const context = { current, config: content.config, leader, idle, isSuspended };
  const plan = planCluster(spec, observed, input.engine, context);
  return { spec, plan, content, returnsTo };
}

async function wantRelease(
  input: DeployInput,
  entry: ReleaseEntry,
  situation: Situation,
): Promise<Wanted> {
  const { cluster, projectDir } = input.config;
  return want(await inputOfRelease(input, cluster, entry, projectDir), entry, situation);
}
