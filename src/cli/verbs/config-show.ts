/** `fctl config show`: the resolved configuration, secrets masked. */
import { showConfig } from '../../config/show.ts';
import type { CommonOptions, Context } from '../context.ts';
import { out } from '../output/style.ts';

interface ShowFlags extends CommonOptions {
  readonly origin?: boolean;
}

export async function run(context: Context<ShowFlags>): Promise<void> {
  const rows = showConfig(await context.config());
  context.report.result(rows, () => {
    const keyWidth = Math.max(...rows.map((row) => row.path.length));
    const valueWidth = Math.max(...rows.map((row) => JSON.stringify(row.value).length));
    return rows
      .map(({ path, value, origin }) => {
        const text = JSON.stringify(value);
        const line = `${path.padEnd(keyWidth)}  ${text}`;
        return context.options.origin
          ? `${line.padEnd(keyWidth + valueWidth + 4)}${out.dim(origin)}`
          : line;
      })
      .join('\n');
  });
}
