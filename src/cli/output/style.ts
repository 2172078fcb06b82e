/** Colours and tables for people. Colours follow `NO_COLOR`, `FORCE_COLOR` and whether it is a terminal. */
import { styleText } from 'node:util';
import { printable } from '../../contract/printable.ts';

type Style = Parameters<typeof styleText>[0];

const styled = (style: Style, stream: NodeJS.WriteStream) => (text: string) =>
  styleText(style, text, { stream });

/** For stdout. */
export const out = {
  bold: styled('bold', process.stdout),
  dim: styled('dim', process.stdout),
  red: styled('red', process.stdout),
  green: styled('green', process.stdout),
  yellow: styled('yellow', process.stdout),
  cyan: styled('cyan', process.stdout),
};

/** For stderr. */
export const err = {
  bold: styled('bold', process.stderr),
  dim: styled('dim', process.stderr),
  red: styled('red', process.stderr),
  green: styled('green', process.stderr),
  yellow: styled('yellow', process.stderr),
};

/** Text with our colours, and with names and messages of others, as people may get it. */
export const shown = (text: string): string =>
  printable(text, { lines: true, colors: out.bold('') !== '' || err.bold('') !== '' });

/** States in the colour that people expect. */
export function colorState(state: string): string {
  if (/^(FINISHED|SUCCEEDED|STABLE)$/i.test(state)) return out.green(state);
  if (/^(RUNNING)$/i.test(state)) return out.cyan(state);
  if (/^(FAILED|LOST|UNREACHABLE|DAMAGED)$/i.test(state)) return out.red(state);
  return out.yellow(state);
}

/** `2026-01-31 09:05:00`, UTC. */
export const time = (epochMs: number): string =>
  new Date(epochMs).toISOString().slice(0, 19).replace('T', ' ');

// Escape sequences take no room. Their first character is a control character on purpose.
// oxlint-disable-next-line no-control-regex
const escapes = /\u001b\[[0-9;]*m/g;
const width = (text: string) => text.replace(escapes, '').length;

/** Columns divided by two spaces; numbers to the right. A line break in a cell is shown as what it is. */
export function table(header: readonly string[], cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map((cell) => printable(cell, { colors: true })));
  const widths = header.map((title, column) =>
    Math.max(width(title), ...rows.map((row) => width(row[column] ?? ''))),
  );
  const numeric = header.map((_, column) =>
    rows.every((row) => /^[\d.,%–-]*(?: ?[KMGT]i?B?(?:\/s)?|\/s)?$/.test(row[column] ?? '')),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const space = ' '.repeat(widths[column]! - width(cell));
        return numeric[column] ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd();
  return [line(header.map((title) => out.bold(title))), ...rows.map(line)].join('\n');
}

/** `1,234,567` */
export const count = (n: number): string => Math.round(n).toLocaleString('en-US');
