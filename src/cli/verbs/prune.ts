/** `fctl prune`: removes what no cluster uses any more. */
import { prune } from '../../deployment/destroy.ts';
import type { Context } from '../context.ts';

export async function run(context: Context): Promise<void> {
  const site = await context.site();
  const { provider } = site;
  await context.confirm(
    `Remove ended clusters after their retention, and what no cluster uses, on provider ${provider.name}?`,
  );
  const removed = await prune(site, Date.now(), context.signal);
  context.report.result({ provider: provider.name, removed }, () =>
    removed.length === 0 ? 'There was nothing to remove.' : `Removed:\n  ${removed.join('\n  ')}`,
  );
}
