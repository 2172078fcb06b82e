/** `fctl session scale`: `fctl scale`, for sessions alone. */
import { reachSession } from '../../deployment/modes/session.ts';
import type { Context } from '../context.ts';
import { type ScaleFlags, run as scale, wantedTaskManagers } from './scale.ts';

export async function run(context: Context, given: ScaleFlags): Promise<void> {
  wantedTaskManagers(given);
  const clusterId = await context.clusterId(given.cluster);
  await reachSession(await context.site(), clusterId);
  return scale(context, { ...given, cluster: clusterId });
}
