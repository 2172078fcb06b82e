/** `fctl session start`: a cluster that waits for jobs. Repeating it changes what differs. */
import { parseClusterId } from '../../contract/cluster-id.ts';
import type { sessionStart as declaration } from '../commands/session-start.ts';
import type { Context } from '../context.ts';
import type { Given } from '../verb.ts';
import { deploySession } from './session-deploy.ts';

export async function run(context: Context, given: Given<typeof declaration>): Promise<number> {
  const { cluster, slots, taskmanagers } = given;
  const set = [
    'mode=session',
    ...(cluster === null ? [] : [`cluster=${parseClusterId(cluster)}`]),
    ...setting('taskmanager.replicas', taskmanagers),
    ...setting('taskmanager.slots', slots),
  ];
  const loaded = await context.config({ set });
  return deploySession(context, given, loaded);
}

const setting = (key: string, value: number | null): string[] =>
  value === null ? [] : [`${key}=${value}`];
