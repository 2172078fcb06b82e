/** `fctl config show`: the resolved configuration, secrets masked. */
import { showConfig } from '../../config/show.ts';
import type { configShow as declaration } from '../commands/config-show.ts';
import type { Context } from '../context.ts';
import { out } from '../output/style.ts';
import type { Given } from '../verb.ts';

export async function run(
  context: Context,
  { origin: hasOrigin }: Given<typeof declaration>,
): Promise<void> {
  const rows = showConfig(await context.config());
  context.report.result(rows, () => {
    const keyWidth = Math.max(...rows.map((row) => row.path.length));
    const valueWidth = Math.max(...rows.map((row) => JSON.stringify(row.value).length));
    return rows
      .map(({ path, value, origin }) => {
        const text = JSON.stringify(value);
        const line = `${path.padEnd(keyWidth)}  ${text}`;
        return hasOrigin ? `${line.padEnd(keyWidth + valueWidth + 4)}${out.dim(origin)}` : line;
      })
      .join('\n');
  });
}
