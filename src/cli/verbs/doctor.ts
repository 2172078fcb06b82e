/** `fctl doctor`: is this machine fit, and did anything stay behind? */
import { totalmem } from 'node:os';
import { ExitCode } from '../../contract/exit-codes.ts';
import { formatBytes } from '../../contract/units.ts';
import { FCTL_VERSION } from '../../contract/version.ts';
import type { Leftover } from '../../providers/provider.ts';
import type { doctor as declaration } from '../commands/doctor.ts';
import type { Context } from '../context.ts';
import { out } from '../output/style.ts';
import { table } from '../output/table.ts';
import type { Given } from '../verb.ts';

export async function run(context: Context, { fix }: Given<typeof declaration>): Promise<number> {
  const provider = await context.provider();
  const machine = {
    fctl: FCTL_VERSION,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    memory: formatBytes(totalmem()),
    provider: provider.name,
  };
  const orphans = await provider.leftovers(context);
  if (fix && orphans.length > 0) {
    await context.confirm(`Remove ${orphans.length} leftovers?`);
    for (const orphan of orphans) await provider.remove(orphan, context);
  }
  const left = fix ? await provider.leftovers(context) : orphans;
  context.report.result({ machine, orphans: left, removed: orphans.length - left.length }, () =>
    describe(machine, left, orphans.length - left.length),
  );
  return ExitCode.done;
}

function describe(
  machine: Record<string, string>,
  orphans: readonly Leftover[],
  removed: number,
): string {
  const facts = Object.entries(machine).map(([name, value]) => `${name.padEnd(10)}${value}`);
  const parts = [facts.join('\n')];
  if (removed > 0) parts.push(out.green(`${removed} leftovers removed.`));
  if (orphans.length === 0) parts.push('No leftovers.');
  else {
    parts.push(
      table(
        ['LEFTOVER', 'CLUSTER', 'WHY'],
        orphans.map((o) => [o.what, o.clusterId, o.why]),
      ),
    );
    parts.push("'fctl doctor --fix' removes them.");
  }
  return parts.join('\n\n');
}
