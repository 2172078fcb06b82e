/** `fctl session start`: a cluster that waits for jobs. Repeating it changes what differs. */
import { UsageError, problem } from '../../contract/errors.ts';
import type { ExitCode } from '../../contract/exit-codes.ts';
import type { CommonOptions, Context } from '../context.ts';
import { deploySession } from './session-deploy.ts';

interface StartFlags extends CommonOptions {
  readonly taskmanagers?: string;
  readonly slots?: string;
}

export async function run(
  context: Context<StartFlags>,
  named: string | undefined,
): Promise<ExitCode> {
  const { slots, taskmanagers } = context.options;
  const set = [
    'mode=session',
    ...(named === undefined ? [] : [`cluster=${named}`]),
    ...count('--taskmanagers', 'taskmanager.replicas', taskmanagers),
    ...count('--slots', 'taskmanager.slots', slots),
  ];
  const loaded = await context.config({ set });
  return deploySession(context, loaded);
}

/** A number of an option as a setting of the config. */
function count(option: string, key: string, value: string | undefined): string[] {
  if (value === undefined) return [];
  if (/^[1-9]\d{0,4}$/.test(value)) return [`${key}=${value}`];
  throw new UsageError(
    problem({
      code: 'not-a-number',
      message: `${option} ${value} is not a number of at least 1`,
      hint: `for example ${option} 2`,
    }),
  );
}
