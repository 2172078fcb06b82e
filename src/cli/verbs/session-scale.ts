/** `fctl session scale`: `fctl scale`, for sessions alone. */
import { reachSession } from '../../deployment/modes/session.ts';
import type { Context } from '../context.ts';
import { type ScaleFlags, run as scale } from './scale.ts';

export async function run(context: Context<ScaleFlags>, named: string | undefined): Promise<void> {
  const clusterId = await context.clusterId(named);
  await reachSession(await context.provider(), clusterId);
  return scale(context, clusterId);
}
