/** `fctl session start`: a cluster that waits for jobs. Repeating it changes what differs. */
import { parseClusterId } from '../../contract/cluster-id.ts';
import type { Context } from '../context.ts';
import type { OperationFlags } from './operation-flags.ts';
import { parseCount } from './option-values.ts';
import { deploySession } from './session-deploy.ts';

interface StartFlags extends OperationFlags {
  readonly taskmanagers?: string;
  readonly slots?: string;
}

export async function run(
  context: Context<StartFlags>,
  named: string | undefined,
): Promise<number> {
  const { slots, taskmanagers } = context.options;
  const set = [
    'mode=session',
    ...(named === undefined ? [] : [`cluster=${parseClusterId(named)}`]),
    ...setting('taskmanager.replicas', parseCount('--taskmanagers', taskmanagers)),
    ...setting('taskmanager.slots', parseCount('--slots', slots)),
  ];
  const loaded = await context.config({ set });
  return deploySession(context, loaded);
}

const setting = (key: string, value: number | null): string[] =>
  value === null ? [] : [`${key}=${value}`];
