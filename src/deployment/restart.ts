/** Ends processes of a cluster and starts them again, as they are. */
import type { ClusterId } from '../contract/cluster-id.ts';
import { ClusterError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import type { Role } from '../contract/process-spec.ts';
import type { ObservedProcess } from '../providers/provider.ts';
import { performOperation } from './operation/operation.ts';
import { planRestart } from './operation/plan.ts';
import {
  type RunningClusterInput,
  refuseGoneProject,
  runningCluster,
  withSecrets,
} from './operation/running-cluster.ts';
import type { Situation } from './operation/situation.ts';
import type { OperationOptions, OperationResult, Wanted } from './operation/stages.ts';

/** Which processes: one, those of a role, or all. */
export interface Choice {
  readonly process: string | null;
  readonly role: Role | null;
}

/**
 * @throws ClusterError (exit 7: no such cluster or process; exit 8: it does not run; exit 9: running jobs
 *   would lose state), and what `performOperation` throws.
 */
export function restart(
  input: RunningClusterInput,
  choice: Choice,
  options: OperationOptions,
): Promise<OperationResult> {
  const { clock, clusterId, engine, engines, hooks, provider } = input;
  const want = (situation: Situation) => wantRestarted(input, choice, situation);
  const { signal } = options;
  const site = { provider, engines, clock, signal };
  const operation = { ...site, engine, clusterId, hooks, want, wantRelease: null };
  const name = choice.process ?? choice.role;
  return performOperation(operation, name === null ? 'restart' : `restart ${name}`, null, options);
}

async function wantRestarted(
  input: RunningClusterInput,
  choice: Choice,
  situation: Situation,
): Promise<Wanted> {
  const running = await runningCluster(input, situation);
  const { current, spec } = running;
  const processes = situation.observed!.processes;
  const names = new Set(chosen(input.clusterId, processes, choice).map((p) => p.name));
  const context = {
    current,
    config: current.config,
    leader: situation.leader,
    idle: situation.idle,
    isSuspended: situation.isSuspended,
  };
  const plan = planRestart(spec, situation.observed!, names, context);
  refuseGoneProject(running, input.provider, plan);
  return {
    spec: withSecrets(running, input.engine, plan),
    plan,
    content: { ...current, cause: 'restart' },
    returnsTo: null,
  };
}

function chosen(
  clusterId: ClusterId,
  processes: readonly ObservedProcess[],
  { process, role }: Choice,
): readonly ObservedProcess[] {
  const found = processes.filter(
    (p) => (process === null || p.name === process) && (role === null || p.role === role),
  );
  if (found.length > 0) return found;
  throw new ClusterError(
    ExitCode.notFound,
    problem({
      code: 'no-such-process',
      message: `cluster ${clusterId} has no process ${process ?? `of role ${role}`}`,
      hint: `it has ${processes.map((p) => p.name).join(', ')}`,
    }),
  );
}
