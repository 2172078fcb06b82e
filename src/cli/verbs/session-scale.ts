/** `fctl session scale`: `fctl scale`, for sessions alone. */
import { reachSession } from '../../deployment/modes/session.ts';
import type { Context } from '../context.ts';
import { type ScaleFlags, run as scale, wantedTaskManagers } from './scale.ts';

export async function run(context: Context<ScaleFlags>, named: string | undefined): Promise<void> {
  wantedTaskManagers(context);
  const clusterId = await context.clusterId(named);
  await reachSession(await context.site(), clusterId);
  return scale(context, clusterId);
}
