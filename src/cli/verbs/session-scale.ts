/** `fctl session scale`: more or fewer TaskManagers for a session that runs. */
import { UsageError, problem } from '../../contract/errors.ts';
import type { ExitCode } from '../../contract/exit-codes.ts';
import { reachSession, sessionConfig } from '../../deployment/modes/session.ts';
import type { CommonOptions, Context } from '../context.ts';
import { deploySession } from './session-deploy.ts';

interface ScaleFlags extends CommonOptions {
  readonly taskmanagers?: string;
}

export async function run(
  context: Context<ScaleFlags>,
  named: string | undefined,
): Promise<ExitCode> {
  const { taskmanagers } = context.options;
  if (taskmanagers === undefined || !/^[1-9]\d{0,4}$/.test(taskmanagers)) {
    throw new UsageError(
      problem({
        code: 'not-a-number',
        message: '--taskmanagers needs a number of at least 1',
        hint: 'for example --taskmanagers 3',
      }),
    );
  }
  const clusterId = await context.clusterId(named);
  const provider = await context.provider();
  await reachSession(provider, clusterId);
  const running = await sessionConfig(provider, clusterId);
  const replicas = Number(taskmanagers);
  const { config, parsed } = running;
  return deploySession(context, {
    ...running,
    config: { ...config, taskmanager: { ...config.taskmanager, replicas } },
    parsed: { ...parsed, taskmanager: { ...parsed.taskmanager, replicas } },
  });
}
