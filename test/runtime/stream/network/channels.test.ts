import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { types } from '../../../../src/api/types.ts';
import { NO_TIMESTAMP } from '../../../../src/api/source.ts';
import {
  type Element,
  type Pair,
  Recorder,
  connectPair,
  emit,
  smallNetwork,
  transports,
} from './channels.ts';

let pair: Pair | null = null;
afterEach(async () => {
  await pair?.close();
  pair = null;
});

const timestamp = fc.oneof(
  fc.constant(NO_TIMESTAMP),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const control: fc.Arbitrary<Element> = fc.oneof(
  fc.record({ kind: fc.constant('watermark' as const), timestamp: fc.double({ noNaN: true }) }),
  fc.record({ kind: fc.constant('idle' as const), isIdle: fc.boolean() }),
  fc.record({
    kind: fc.constant('barrier' as const),
    barrier: fc.record({ checkpointId: fc.nat(), timestamp: fc.nat() }),
  }),
);
/** From nothing to several times the size of a buffer. */
const text = fc.string({ maxLength: 900, size: 'max' });
const records = (value: fc.Arbitrary<unknown>): fc.Arbitrary<Element> =>
  fc.record({ kind: fc.constant('record' as const), value, timestamp });

const typed = types.record({ text: types.string, n: types.double });
const shapes = {
  'a declared type': { type: typed, value: fc.record({ text, n: fc.double({ noNaN: true }) }) },
  msgpack: { type: null, value: fc.oneof(text, fc.record({ text, list: fc.array(fc.nat()) })) },
};

describe.each(transports)('a channel to the %s', (transport) => {
  it.each(Object.entries(shapes))(
    'passes on all elements in order, with %s',
    async (_name, shape) => {
      const sequence = fc.array(
        fc.oneof({ weight: 4, arbitrary: records(shape.value) }, { weight: 1, arbitrary: control }),
        { maxLength: 60 },
      );
      await fc.assert(
        fc.asyncProperty(sequence, fc.boolean(), async (elements, consumerFirst) => {
          const recorder = new Recorder();
          const one = await connectPair(transport, shape.type, recorder, { consumerFirst });
          try {
            one.consume();
            const all: Element[] = [...elements, { kind: 'end' }];
            for (const element of all) {
              await one.producer.writable();
              emit(one.writer, element);
            }
            await recorder.ended;
            expect(recorder.elements).toEqual(all);
            while (!one.writer.isDrained) await one.producer.news();
          } finally {
            await one.close();
          }
        }),
        { numRuns: 25 },
      );
    },
  );

  it('holds back no more than its credit for a consumer that does not read', async () => {
    const recorder = new Recorder();
    pair = await connectPair(transport, types.string, recorder);
    const { writer, producer, input } = pair;
    let sent = 0;
    for (;;) {
      // What is in flight has been accepted or not: give credit a chance to come back.
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (producer.blocked > 0 && sent > 0) break;
      while (producer.blocked === 0) {
        writer.record('x'.repeat(100), 0);
        sent++;
      }
    }
    const { bufferSizeBytes, channelCreditBytes } = smallNetwork;
    expect(producer.counters.bytesOut).toBeLessThanOrEqual(channelCreditBytes + bufferSizeBytes);
    expect(recorder.elements).toEqual([]);
    expect(input.hasData).toBe(true);
    pair.consume();
    await producer.writable();
    writer.end();
    await recorder.ended;
    expect(recorder.elements).toHaveLength(sent + 1);
  });

  it('takes records much larger than buffer and credit', async () => {
    const recorder = new Recorder();
    pair = await connectPair(transport, types.string, recorder);
    pair.consume();
    const values = ['é'.repeat(20_000), 'a', 'b'.repeat(30_000)];
    for (const value of values) {
      await pair.producer.writable();
      pair.writer.record(value, 1);
    }
    await pair.producer.writable();
    pair.writer.end();
    await recorder.ended;
    expect(recorder.elements.slice(0, 3).map((e) => e.kind === 'record' && e.value)).toEqual(
      values,
    );
  });

  it('sends what is written once the buffer timeout is over', async () => {
    const recorder = new Recorder();
    pair = await connectPair(transport, types.string, recorder);
    pair.consume();
    await pair.producer.writable();
    pair.writer.record('small', 1);
    expect(recorder.elements).toEqual([]);
    while (recorder.elements.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(recorder.elements).toEqual([{ kind: 'record', value: 'small', timestamp: 1 }]);
  });
});

describe('a record that is too large', () => {
  it('is refused with the limit, before anything of it is sent', async () => {
    pair = await connectPair('other process', types.string, new Recorder());
    const { writer, producer } = pair;
    expect(() => writer.record('x'.repeat(70_000), 0)).toThrow(
      /more than 65536 bytes is too large/,
    );
    expect(producer.counters.bytesOut).toBe(0);
  });
});

const encoding = transports.filter((transport) => transport !== 'same slot');

describe.each(encoding)('an encoding channel to the %s', (transport) => {
  it.each([0, 1, 40])(
    'keeps nothing of a record that cannot be encoded, %s records behind the first',
    async (before) => {
      const type = types.record({ text: types.string, n: types.int32 });
      const recorder = new Recorder();
      pair = await connectPair(transport, type, recorder);
      const { writer, producer } = pair;
      pair.consume();
      const good = Array.from({ length: before }, (_, n) => ({ text: 'x'.repeat(n * 20), n }));
      for (const value of good) {
        await producer.writable();
        writer.record(value, 1);
      }
      // Longer than a buffer: the record has moved to another one when it fails.
      const bad = { text: 'y'.repeat(before * 100), n: 2 ** 40 };
      expect(() => writer.record(bad, 1)).toThrow(/\/n: expected int32/);
      expect(() => writer.record({ text: 'later', n: 1 }, 1)).toThrow(/\/n: expected int32/);
      writer.end();
      await recorder.ended;
      expect(recorder.elements).toEqual([
        ...good.map((value) => ({ kind: 'record', value, timestamp: 1 })),
        { kind: 'end' },
      ]);
    },
  );
});
