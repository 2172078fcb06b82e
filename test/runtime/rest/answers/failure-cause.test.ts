import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureCause } from '../../../../src/runtime/rest/answers/failure-cause.ts';

/**
 * The texts of a Java stream in the order in which they stand: every `0x74 length bytes` and
 * `0x7c longLength bytes`, as Java's own reader takes them (Object Serialization Stream Protocol, 6.4.2).
 * @param marks of a template whose texts are found by looking for them.
 */
function textsAt(stream: Buffer, before: readonly string[]): string[] {
  let at = 0;
  return before.map((prefix) => {
    const start = stream.indexOf(Buffer.from(prefix, 'latin1'), at);
    expect(start).toBeGreaterThanOrEqual(0);
    at = start + prefix.length;
    const isLong = stream[at] === 0x7c;
    if (!isLong) expect(stream[at]).toBe(0x74);
    const length = isLong ? Number(stream.readBigUInt64BE(at + 1)) : stream.readUInt16BE(at + 1);
    const from = at + (isLong ? 9 : 3);
    at = from + length;
    return fromModifiedUtf8(stream.subarray(from, at));
  });
}

/** Java's `DataInput.readUTF`. */
function fromModifiedUtf8(bytes: Buffer): string {
  const units: number[] = [];
  for (let i = 0; i < bytes.length;) {
    const a = bytes[i++]!;
    if (a === 0) throw new Error('Java writes a zero as two bytes'); // an expectation a byte takes long
    if (a < 0x80) units.push(a);
    else if (a >> 5 === 6) units.push(((a & 0x1f) << 6) | (bytes[i++]! & 0x3f));
    else units.push(((a & 0x0f) << 12) | ((bytes[i++]! & 0x3f) << 6) | (bytes[i++]! & 0x3f));
  }
  return units.map((unit) => String.fromCharCode(unit)).join('');
}

/** What stands before message, stack and class: ends of class descriptions, and a stack of no frames. */
const before = ['Ljava/util/List;xpp', 'EmptyListz\xb8\x17\xb4<\xa7\x9e\xde\x02\x00\x00xpx', ''];
const decode = (text: string) => Buffer.from(text, 'base64');

describe('a serialized throwable', () => {
  it('holds class, message and stack as Java reads them, whatever is in them', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 });
    fc.assert(
      fc.property(text, text, text, (javaClass, message, stack) => {
        const cause = failureCause(javaClass, message, stack);
        const stream = decode(cause['serialized-throwable']);
        expect(textsAt(stream, before)).toEqual([message, stack, javaClass]);
        expect(cause).toMatchObject({ class: javaClass, 'stack-trace': stack });
      }),
    );
  });

  it('may be long', () => {
    for (const length of [0xffff, 0x1_0000, 300_000]) {
      const stack = 'x'.repeat(length);
      const stream = decode(failureCause('C', 'm', stack)['serialized-throwable']);
      expect(textsAt(stream, before)).toEqual(['m', stack, 'C']);
    }
  });
});
