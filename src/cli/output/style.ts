/** Colours for people. Colours follow `NO_COLOR`, `FORCE_COLOR` and whether it is a terminal. */
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

/** `1,234,567` */
export const count = (n: number): string => Math.round(n).toLocaleString('en-US');
