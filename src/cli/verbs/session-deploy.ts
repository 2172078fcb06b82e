/** What `session start` and `session scale` have in common: the deployment of a cluster without application. */
import type { LoadedConfig } from '../../config/load.ts';
import { maskedConfig } from '../../config/show.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { type DeployInput, deploy, planDeployment } from '../../deployment/deploy.ts';
import { removeExpired } from '../../deployment/destroy.ts';
import { loadEngine } from '../../deployment/registry.ts';
import type { Context } from '../context.ts';
import { createProgress } from '../output/progress.ts';
import { healthTimeoutMs, lockWaitMs, showDeployEvent } from './deploy-events.ts';
import { planData } from './plan.ts';

export async function deploySession(context: Context, loaded: LoadedConfig): Promise<ExitCode> {
  const { report, signal } = context;
  const config = { ...loaded.config, application: null };
  const input: DeployInput = {
    config,
    maskedConfig: maskedConfig(loaded),
    bundle: null,
    provider: await context.providerFor(config),
    engine: await loadEngine(config.engine),
  };
  const { cluster: clusterId } = config;
  await removeExpired(input.provider, Date.now());
  const plan = await planDeployment(input);
  const progress = await createProgress({ quiet: report.options.quiet || report.options.json });
  try {
    if (plan.changes) {
      await deploy(input, {
        signal,
        onEvent: (event) => showDeployEvent(progress, event),
        healthTimeoutMs,
        lockWaitMs,
        allowStateLoss: false,
      });
    }
  } finally {
    progress.stop();
  }
  const endpoint = await input.provider.endpoint(clusterId);
  const { replicas, slots } = config.taskmanager;
  const rest = endpoint?.url ?? null;
  const what = `${replicas} TaskManagers with ${slots} slots each`;
  report.result(
    { clusterId, changed: plan.changes, taskManagers: replicas, slots, rest, plan: planData(plan) },
    () =>
      `Session ${clusterId} ${plan.changes ? 'is up' : 'runs already'}: ${what}, REST ${rest}\n` +
      `'fctl session submit' runs an application on it, 'fctl session stop ${clusterId}' ends it.`,
  );
  return ExitCode.done;
}
