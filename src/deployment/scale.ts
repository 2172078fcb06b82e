/** More or fewer TaskManagers for a cluster that runs, in any mode; it is a release of its own. */
import { ProviderError } from '../contract/errors.ts';
import type { JsonObject } from '../contract/json.ts';
import { type ClusterSpec, Role } from '../contract/process-spec.ts';
import { performOperation } from './operation/operation.ts';
import { planCluster } from './operation/plan.ts';
import {
  type RunningCluster,
  type RunningClusterInput,
  nameRelease,
  refuseGoneProject,
  runningCluster,
  withSecrets,
} from './operation/running-cluster.ts';
import { type Situation, readSituation } from './operation/situation.ts';
import type { OperationOptions, OperationResult, Wanted } from './operation/stages.ts';

/**
 * @throws ProviderError (preflight), ClusterError (exit 7, 8; exit 9: running jobs would lose state), and
 *   what `performOperation` throws.
 */
export async function scale(
  input: RunningClusterInput,
  count: number,
  options: OperationOptions,
): Promise<OperationResult> {
  const { clock, clusterId, engine, engines, hooks, provider } = input;
  const before = await readSituation(input, clusterId);
  const { spec } = scaled(await runningCluster(input, before), count);
  const problems = await provider.preflight(spec, options);
  if (problems.length > 0) throw new ProviderError(problems);
  const want = (situation: Situation) => wantScaled(input, count, situation);
  const { signal } = options;
  const site = { provider, engines, clock, signal };
  const operation = { ...site, engine, clusterId, hooks, want, wantRelease: null };
  return performOperation(operation, 'scale', spec.release, options);
}

async function wantScaled(
  input: RunningClusterInput,
  count: number,
  situation: Situation,
): Promise<Wanted> {
  const running = scaled(await runningCluster(input, situation), count);
  const { current, spec } = running;
  const { idle, isSuspended, leader, observed } = situation;
  const context = { current, config: configOf(running, count), leader, idle, isSuspended };
  const plan = planCluster(spec, observed, input.engine, context);
  refuseGoneProject(running, input.provider, plan);
  return {
    spec: withSecrets(running, input.engine, plan),
    plan,
    content: {
      ...current,
      release: spec.release,
      cause: 'scale',
      config: configOf(running, count),
    },
    returnsTo: null,
  };
}

function scaled(running: RunningCluster, replicas: number): RunningCluster {
  const { config, spec } = running;
  const wanted = { ...config, taskmanager: { ...config.taskmanager, replicas } };
  const release = nameRelease(running, wanted);
  const processes = spec.processes.map((process) =>
    process.role === Role.taskmanager
      ? { ...process, count: replicas, labels: { ...process.labels, 'fctl.dev/release': release } }
      : process,
  );
  const scaledSpec: ClusterSpec = { ...spec, release, processes };
  return { ...running, config: wanted, spec: scaledSpec };
}

/** As it is recorded. */
function configOf({ current }: RunningCluster, replicas: number): JsonObject {
  const taskmanager = current.config['taskmanager'] as JsonObject;
  return { ...current.config, taskmanager: { ...taskmanager, replicas } };
}
