/** Tables for people: as wide as the terminal, whatever alphabet is in them. */
import { stripVTControlCharacters } from 'node:util';
import measure from 'fast-string-truncated-width';
import { printable } from '../../contract/printable.ts';
import { out } from './style.ts';

const stringWidth = (text: string): number => measure(text).width;

/** A column is not made narrower than this to let the table fit. */
const narrowest = 12;

export interface TableOptions {
  /** Columns of the terminal; `null`: nothing is cut. Default: those of stdout, where it is a terminal. */
  readonly width?: number | null;
}

/**
 * Columns divided by two spaces; numbers to the right. A line break in a cell is shown as what it is. Where
 * the terminal is too narrow, the widest columns of text are cut.
 */
export function table(
  header: readonly string[],
  cells: readonly (readonly string[])[],
  { width = process.stdout.isTTY ? process.stdout.columns : null }: TableOptions = {},
): string {
  const rows = cells.map((row) => row.map((cell) => printable(cell, { colors: true })));
  const numeric = header.map((_, column) =>
    rows.every((row) => /^[\d.,%–-]*(?: ?[KMGT]i?B?(?:\/s)?|\/s)?$/.test(row[column] ?? '')),
  );
  const natural = header.map((title, column) =>
    Math.max(stringWidth(title), ...rows.map((row) => stringWidth(row[column] ?? ''))),
  );
  const widths = width ? fit(natural, numeric, width - 2 * (header.length - 1)) : natural;
  const line = (row: readonly string[]) =>
    row
      .map((given, column) => {
        const room = widths[column]!;
        const cell = stringWidth(given) > room ? cut(given, room) : given;
        const space = ' '.repeat(room - stringWidth(cell));
        return numeric[column] ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd();
  return [line(header.map((title) => out.bold(title))), ...rows.map(line)].join('\n');
}

/** The start of a text, and that there is more. Its colours go: a part of a colour is none. */
function cut(text: string, room: number): string {
  let kept = '';
  for (const { segment } of new Intl.Segmenter().segment(stripVTControlCharacters(text))) {
    if (stringWidth(kept + segment) >= room) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Takes from the widest column of text, again and again, until all fit or none can give anything. */
function fit(natural: readonly number[], numeric: readonly boolean[], room: number): number[] {
  const widths = [...natural];
  for (let over = widths.reduce((all, w) => all + w, 0) - room; over > 0; over--) {
    const texts = widths.map((w, column) => (numeric[column] ? 0 : w));
    const widest = texts.indexOf(Math.max(...texts));
    if (widths[widest]! <= narrowest) break;
    widths[widest]!--;
  }
  return widths;
}
