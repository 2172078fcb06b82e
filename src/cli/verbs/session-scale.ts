/** `fctl session scale`: more or fewer TaskManagers for a session that runs. */
import { UsageError, problem } from '../../contract/errors.ts';
import type { ExitCode } from '../../contract/exit-codes.ts';
import { reachSession, sessionConfig } from '../../deployment/modes/session.ts';
import type { CommonOptions, Context } from '../context.ts';
import { parseCount } from './option-values.ts';
import { deploySession } from './session-deploy.ts';

interface ScaleFlags extends CommonOptions {
  readonly taskmanagers?: string;
}

export async function run(
  context: Context<ScaleFlags>,
  named: string | undefined,
): Promise<ExitCode> {
  const replicas = parseCount('--taskmanagers', context.options.taskmanagers);
  if (replicas === null) {
    throw new UsageError(
      problem({
        code: 'option-missing',
        message: 'how many TaskManagers?',
        hint: 'for example --taskmanagers 3',
      }),
    );
  }
  const clusterId = await context.clusterId(named);
  const provider = await context.provider();
  await reachSession(provider, clusterId);
  const running = await sessionConfig(provider, clusterId);
  const { config, parsed } = running;
  return deploySession(context, {
    ...running,
    config: { ...config, taskmanager: { ...config.taskmanager, replicas } },
    parsed: { ...parsed, taskmanager: { ...parsed.taskmanager, replicas } },
  });
}
