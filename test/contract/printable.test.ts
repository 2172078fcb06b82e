/** Nothing that others write does anything to a terminal. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { printable } from '../../src/contract/printable.ts';

it.each([
  ['plain, ünïcödé 日本 😀\tand a tab', 'plain, ünïcödé 日本 😀\tand a tab'],
  ['\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
  ['\u001b[2J\u001b[1;1H', '\\x1b[2J\\x1b[1;1H'],
  ['\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
  ['\u009b2J', '\\x9b2J'],
  ['over\rwritten', 'over\\rwritten'],
  ['two\nlines', 'two\\nlines'],
  ['back\b\u007f\u0000', 'back\\x08\\x7f\\x00'],
  ['txt.\u202eexe\u2066\u200f\u061c', 'txt.\\u202eexe\\u2066\\u200f\\u061c'],
  ['\u2028\u2029', '\\u2028\\u2029'],
])('%j is shown as %j', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

it('keeps lines and colours where it is told to, and nothing that only begins like a colour', () => {
  const kept = { lines: true, colors: true };
  expect(printable('\u001b[1;31ma\u001b[0m\r\nb\nc', kept)).toBe('\u001b[1;31ma\u001b[0m\r\nb\nc');
  expect(printable('\u001b[31\u001b[5A\u001bm\u001b[?25l\rx', kept)).toBe(
    '\\x1b[31\\x1b[5A\\x1bm\\x1b[?25l\\rx',
  );
  expect(printable('\u001b[31ma\nb', { lines: true })).toBe('\\x1b[31ma\nb');
  expect(printable('\u001b[31ma\nb', { colors: true })).toBe('\u001b[31ma\\nb');
});

const escape = '\u001b';

it('leaves no control character of any text, whatever it is made of', () => {
  const part = fc.constantFrom('\u001b', '[', '1', ';', 'm', 'A', '\n', '\r', '\u009b', '\u202e');
  fc.assert(
    fc.property(fc.string({ unit: fc.oneof(part, fc.string({ maxLength: 1 })) }), (text) => {
      // oxlint-disable-next-line no-control-regex
      expect(printable(text)).not.toMatch(/[\u0000-\u0008\n-\u001f\u007f-\u009f\u202e]/);
      const left = printable(text, { colors: true }).split(escape);
      expect(left.slice(1).filter((rest) => !/^\[[0-9;]*m/.test(rest))).toEqual([]);
    }),
  );
});
