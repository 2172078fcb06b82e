/** State over an upgrade, where the engine can: jobs end with a savepoint, and begin from it. */
import { DeploymentError, problem } from '../../contract/errors.ts';
import type { RecordedJob } from '../../record/documents.ts';
import { Role } from '../../contract/process-spec.ts';
import type { Engine } from '../../engines/engine.ts';
import type { Provider } from '../../providers/provider.ts';
import type { Plan } from '../../contract/plan.ts';
import type { OnDeployEvent } from './progress.ts';

/**
 * Ends jobs with a savepoint each.
 * @returns the plan with which they begin from those.
 */
export async function stopWithSavepoints(
  { engine, provider }: { readonly engine: Engine; readonly provider: Provider },
  plan: Plan,
  jobs: readonly RecordedJob[],
  { onEvent, signal }: { readonly onEvent: OnDeployEvent; readonly signal: AbortSignal },
): Promise<Plan> {
  const { savepoints } = engine;
  if (jobs.length === 0 || savepoints === null) return plan;
  onEvent({ type: 'savepoints', jobs: jobs.map(({ name }) => name) });
  const endpoint = await provider.connect(plan.clusterId, { signal });
  if (endpoint === null) {
    const message = `the JobManager of ${plan.clusterId} is not reached: no savepoint can be taken`;
    throw new DeploymentError(problem({ code: 'no-savepoint', message }));
  }
  const paths = new Map<string, string>();
  for (const { id, name } of jobs) paths.set(name, await savepoints.stop(endpoint, id, signal));
  const actions = plan.actions.map((action) =>
    action.role === Role.jobmanager && action.spec !== null
      ? { ...action, spec: savepoints.startFrom(action.spec, paths) }
      : action,
  );
  return { ...plan, actions };
}
