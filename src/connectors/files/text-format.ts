/** What the bytes of a text mean: encoding, byte order mark, ends of lines. */
import { isUtf8 } from 'node:buffer';
import type { TextEncoding } from './text-encoding.ts';

/** So many bytes at the beginning of a file tell its format. */
export const probeBytes = 64 * 1024;

export interface TextFormat {
  readonly encoding: TextEncoding;
  /** Length of the byte order mark. */
  readonly bomBytes: number;
  /** Bytes of a code unit. */
  readonly unit: 1 | 2;
  /**
   * Lines end with LF or CRLF; a CR alone is a character. Only where a CR is found and no LF lines end with
   * CR, as on old Macs.
   */
  readonly lineEnd: 'lf' | 'cr';
}

/** Why a file is not of a format that can be read; without its name. */
export class TextFormatError extends Error {}

const boms: readonly (readonly [TextEncoding, readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/**
 * @param head the first bytes of the file, `probeBytes` or all of it.
 * @param declared `null`: UTF-8, or what a byte order mark says.
 * @throws TextFormatError when the bytes cannot be meant so.
 */
export function detectFormat(head: Buffer, declared: TextEncoding | null): TextFormat {
  const found = boms.find(([, bom]) => bom.every((byte, i) => head[i] === byte)) ?? null;
  if (declared === null) refuseUndeclared(head, found?.[0] ?? null);
  else if (declared.startsWith('utf-16') && found !== null && found[0] !== declared) {
    throw new TextFormatError(`it begins with the byte order mark of ${found[0]}, not ${declared}`);
  }
  const encoding = declared ?? found?.[0] ?? 'utf-8';
  const bomBytes = found?.[0] === encoding ? found[1].length : 0;
  const unit = encoding.startsWith('utf-16') ? 2 : 1;
  const [cr, lf] = ['\r', '\n'].map((end) => findUnit(head, end.charCodeAt(0), 0, encoding));
  return { encoding, bomBytes, unit, lineEnd: cr! >= 0 && lf! < 0 ? 'cr' : 'lf' };
}

function refuseUndeclared(head: Buffer, found: TextEncoding | null): void {
  if (found === 'utf-16le' && head.length >= 4 && head[2] === 0 && head[3] === 0) {
    throw new TextFormatError('it is UTF-32, which cannot be read: convert it to UTF-8');
  }
  if (found !== null || head.length < 4) return;
  const zeros = [0, 1, 2, 3].map((i) => (head[i] === 0 ? '0' : 'x')).join('');
  const guess = { x0x0: 'utf-16le', '0x0x': 'utf-16be' }[zeros];
  if (guess !== undefined) {
    throw new TextFormatError(`it is not UTF-8: it looks like UTF-16, say encoding: '${guess}'`);
  }
}

/** Why bytes that are no UTF-8 cannot be read. */
export const notUtf8 =
  "it is not UTF-8: say which `encoding` the file has ('latin1', 'utf-16le' or 'utf-16be')";

/** Compressed files are told by their names, so that a name may be missing its ending. */
export function looksCompressed(head: Buffer): string | null {
  if (head[0] === 0x1f && head[1] === 0x8b) return '.gz';
  return head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528 ? '.zst' : null;
}

/** Index of a code unit in bytes that begin with a whole one; −1: there is none. */
function findUnit(bytes: Buffer, unit: number, from: number, encoding: TextEncoding): number {
  if (!encoding.startsWith('utf-16')) return bytes.indexOf(unit, from);
  const isLittle = encoding === 'utf-16le';
  for (let at = from; ; at += 1) {
    at = bytes.indexOf(unit, isLittle ? at : at + 1);
    if (at < 0) return -1;
    const start = isLittle ? at : at - 1;
    if (start % 2 === 0 && bytes[isLittle ? at + 1 : at - 1] === 0) return start;
    at = start;
  }
}

/** Index of a text in bytes that begin with a whole code unit; −1: it is not there. */
export function indexOfText(bytes: Buffer, text: string, from: number, format: TextFormat): number {
  if (text.length === 1 && text < '\x80') {
    return findUnit(bytes, text.charCodeAt(0), from, format.encoding);
  }
  const wanted = format.encoding === 'utf-16be' ? Buffer.from(text, 'utf16le').swap16() : text;
  const name = format.encoding === 'utf-16be' ? 'utf16le' : nodeName[format.encoding];
  for (let at = from; ; at++) {
    at = bytes.indexOf(wanted, at, name);
    if (at < 0 || at % format.unit === 0) return at;
  }
}

const nodeName = { 'utf-8': 'utf8', 'utf-16le': 'utf16le', latin1: 'latin1' } as const;

/** Index behind the first end of a line at or behind `from`; −1: there is none. */
export function lineStartAfter(bytes: Buffer, from: number, format: TextFormat): number {
  const { encoding, unit, lineEnd } = format;
  const lf = findUnit(bytes, 0x0a, from, encoding);
  if (lineEnd === 'lf') return lf < 0 ? -1 : lf + unit;
  const cr = findUnit(bytes, 0x0d, from, encoding);
  const first = cr < 0 ? lf : lf < 0 ? cr : Math.min(cr, lf);
  return first < 0 ? -1 : first + unit;
}

/** Index behind the last end of a line; −1: there is none. */
export function lastLineStart(bytes: Buffer, format: TextFormat): number {
  const { unit, lineEnd } = format;
  const zeroAt = format.encoding === 'utf-16le' ? 1 : -1;
  for (let at = bytes.length - 1; at >= 0; at--) {
    at = lineEnd === 'lf' ? bytes.lastIndexOf(0x0a, at) : lastOfBoth(bytes, at);
    if (at < 0) return -1;
    if (unit === 1) return at + 1;
    const start = zeroAt === 1 ? at : at - 1;
    if (start >= 0 && start % 2 === 0 && bytes[at + zeroAt] === 0) return start + 2;
  }
  return -1;
}

const lastOfBoth = (bytes: Buffer, at: number) =>
  Math.max(bytes.lastIndexOf(0x0a, at), bytes.lastIndexOf(0x0d, at));

/** Text of whole lines; they end with LF, or CRLF. What is no UTF-8 becomes U+FFFD. */
export function decodeLines(bytes: Buffer, { encoding, lineEnd }: TextFormat): string {
  const text = decode(bytes, encoding);
  return lineEnd === 'cr' ? text.replaceAll('\r', '\n') : text;
}

function decode(bytes: Buffer, encoding: TextEncoding): string {
  switch (encoding) {
    case 'utf-8':
      return bytes.toString('utf8');
    case 'latin1':
      return bytes.toString('latin1');
    case 'utf-16le':
      return bytes.toString('utf16le');
    case 'utf-16be':
      return Buffer.from(bytes).swap16().toString('utf16le');
  }
}

/** Which lines (from 0) are no text of the encoding; `null`: none. */
export function malformedLines(bytes: Buffer, format: TextFormat): number[] | null {
  if (format.encoding !== 'utf-8' || isUtf8(bytes)) return null;
  const lines: number[] = [];
  for (let line = 0, at = 0; at < bytes.length; line++) {
    const next = lineStartAfter(bytes, at, format);
    const end = next < 0 ? bytes.length : next;
    if (!isUtf8(bytes.subarray(at, end))) lines.push(line);
    at = end;
  }
  return lines;
}
