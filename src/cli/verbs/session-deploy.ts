/** `fctl session start`: the deployment of a cluster without application. */
import type { LoadedConfig } from '../../config/load.ts';
import { maskedConfig } from '../../config/show.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { deploy } from '../../deployment/deploy.ts';
import type { DeployInput } from '../../deployment/operation/desired.ts';
import { removeExpired } from '../../deployment/destroy.ts';
import { FailedDeployment } from '../../deployment/operation/failure.ts';
import { planData } from '../../deployment/operation/plan-data.ts';
import { engines, loadEngine } from '../../engines/registry.ts';
import type { Context } from '../context.ts';
import { createProgress } from '../output/progress.ts';
import { askBeforeDeploying } from './consent.ts';
import { answerFailed } from './deploy.ts';
import {
  type OperationFlags,
  hooksOf,
  operationOptions,
  todayOf,
  warnOfUnknownKeys,
} from './operation-flags.ts';
import { bundlesDir } from './prepare.ts';

export async function deploySession(
  context: Context,
  flags: OperationFlags,
  loaded: LoadedConfig,
): Promise<number> {
  const { report } = context;
  const config = { ...loaded.config, application: null };
  const { cluster: clusterId } = config;
  const input: DeployInput = {
    config,
    maskedConfig: maskedConfig(loaded),
    today: todayOf(loaded),
    onUnknownKeys: warnOfUnknownKeys(context),
    bundle: null,
    problems: [],
    bundlesDir: bundlesDir(context),
    ...(await context.site()),
    engine: await loadEngine(engines, config.engine),
    hooks: hooksOf(context, flags, loaded),
  };
  await removeExpired(input, Date.now());
  const progress = await createProgress(report.options);
  try {
    await askBeforeDeploying(context, input, { confirm: false, plan: null }, progress);
    const { plan, release } = await deploy(input, operationOptions(context, flags, progress));
    progress.stop();
    const endpoint = await input.provider.connect(clusterId, context);
    const { replicas, slots } = config.taskmanager;
    const rest = endpoint?.url ?? null;
    const what = `${replicas} TaskManagers with ${slots} slots each`;
    const number = release?.number ?? null;
    const changed = plan.changes;
    const data = { clusterId, changed, number, taskManagers: replicas, slots, rest };
    report.result(
      { ...data, plan: planData(plan) },
      () =>
        `Session ${clusterId} ${changed ? 'is up' : 'runs already'}: ${what}, REST ${rest}\n` +
        `'fctl session submit' runs an application on it, 'fctl session stop ${clusterId}' ends it.`,
    );
    return ExitCode.done;
  } catch (error) {
    if (!(error instanceof FailedDeployment)) throw error;
    return answerFailed(context, clusterId, error);
  } finally {
    progress.stop();
  }
}
