/**
 * Text of others (names, messages, records, what programs print) as a terminal may show it. Control characters move
 * its cursor, change its title or type for the user, and characters that turn the direction of writing make a name
 * look like another one: they are shown as what they are, such as `\x1b` and `\u202e`.
 */

/** What else stays as it is: line breaks, and colours where the text has some of ours. */
export interface Kept {
  readonly lines?: boolean;
  readonly colors?: boolean;
}

// Control characters on purpose.
// oxlint-disable no-control-regex
const color = /\u001b\[[0-9;]*m/y;
const unsafe =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\n]/g;
// oxlint-enable no-control-regex

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r' };

/** @returns the same text where nothing in it is unsafe. A tab stays, and so does a line break of CR and LF. */
export function printable(text: string, { colors = false, lines = false }: Kept = {}): string {
  return text.replace(unsafe, (character, at: number) => {
    if (lines && (character === '\n' || (character === '\r' && text[at + 1] === '\n')))
      return character;
    if (colors && character === '\u001b') {
      color.lastIndex = at;
      if (color.test(text)) return character;
    }
    return named[character] ?? escapeOf(character.charCodeAt(0));
  });
}

const escapeOf = (code: number): string =>
  code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;

const hex = (code: number, digits: number) => code.toString(16).padStart(digits, '0');
