/** Chains whose host asks them to yield: the same results as without, in the same order. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PollStatus } from '../../../../src/api/source.ts';
import type { WindowOperation } from '../../../../src/api/transformations.ts';
import { types } from '../../../../src/api/types.ts';
import { monotonousTimestamps } from '../../../../src/api/watermarks.ts';
import { EndOfStreamWindows, TumblingEventTimeWindows } from '../../../../src/api/windows.ts';
import type { OperatorChain } from '../../../../src/runtime/stream/operators/operator-chain.ts';
import { type NodeSpec, openChain, ScriptedSource, type TestChain } from './chains.ts';

const count: WindowOperation['contents'] = {
  kind: 'aggregate',
  fn: {
    createAccumulator: () => 0,
    add: (_value: unknown, n: number) => n + 1,
    getResult: (n: number) => n,
    merge: (a: number, b: number) => a + b,
  },
};

function window(over: Partial<WindowOperation> = {}): WindowOperation {
  return {
    kind: 'window',
    assigner: TumblingEventTimeWindows.of(10),
    allowedLatenessMs: 5,
    key: { selector: (key: number) => key, type: types.double },
    contents: count,
    windowFunction: (key, { end }, counts, out) => {
      for (const n of counts) out.collect(Number(key) * 1000 + Number(n) + end / 1e6);
    },
    ...over,
  };
}

/** Resumes until nothing is interrupted. @returns how often that was. */
function resumeAll(chain: OperatorChain): number {
  let times = 0;
  for (; chain.isInterrupted; times++) chain.resume();
  return times;
}

const keys = Array.from({ length: 100 }, (_, key) => key);

async function open(shouldYield: () => boolean, over: Partial<WindowOperation> = {}) {
  return openChain([{ id: 'win', operation: window(over) }], { host: { shouldYield } });
}

describe('windows that fire for many keys', () => {
  test('yield after some of them, and end with the watermark', async () => {
    const { chain, input, output } = await open(() => true);
    for (const key of keys) input.record(key, 1);
    input.watermark(9);
    expect(chain.isInterrupted).toBe(true);
    const first = output.take();
    expect(first.length).toBeLessThan(20);
    const times = resumeAll(chain);
    const rest = output.take();
    expect(times).toBeGreaterThan(3);
    expect(first.length + rest.length).toBe(101);
    expect(rest.at(-1)).toEqual({ watermark: 9 });
  });

  test('do not yield while the host has time', async () => {
    const { chain, input, output } = await open(() => false);
    for (const key of keys) input.record(key, 1);
    input.watermark(9);
    expect(chain.isInterrupted).toBe(false);
    expect(output.elements).toHaveLength(101);
  });

  test('hold back the end of the stream until they have fired', async () => {
    const { chain, input, output } = await open(() => true, { assigner: EndOfStreamWindows.get() });
    for (const key of keys) input.record(key, 1);
    input.watermark(Infinity);
    input.end();
    expect(output.elements).not.toContain('end');
    resumeAll(chain);
    expect(output.elements.slice(-2)).toEqual([{ watermark: Infinity }, 'end']);
    expect(output.elements).toHaveLength(102);
    await chain.finish();
  });

  test('name the operator whose function throws when it goes on', async () => {
    const bad = new Error('bad key');
    const { chain, input } = await open(() => true, {
      windowFunction: (key) => {
        if (key === 50) throw bad;
      },
    });
    for (const key of keys) input.record(key, 1);
    input.watermark(9);
    expect(() => resumeAll(chain)).toThrow(bad);
    expect(chain.failedOperator(bad)).toBe('win');
  });
});

type Step =
  | { readonly records: number; readonly at: number }
  | { readonly watermark: number }
  | { readonly idle: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ records: fc.integer({ min: 1, max: 60 }), at: fc.integer({ min: 0, max: 60 }) }),
  fc.record({ watermark: fc.integer({ min: 1, max: 15 }) }),
  fc.record({ idle: fc.boolean() }),
);

/** Two windows behind each other: what the first fires, the second counts. */
const twoWindows: NodeSpec[] = [
  { id: 'first', operation: window() },
  { id: 'second', operation: window({ assigner: TumblingEventTimeWindows.of(20) }) },
];

/** Plays the steps; `isPatient` says whether the host resumes to the end before it goes on. */
function play({ chain, input }: TestChain, steps: readonly Step[], isPatient: () => boolean): void {
  let now = 0;
  const goOn = () => {
    if (isPatient()) resumeAll(chain);
  };
  for (const s of steps) {
    if ('records' in s) for (let key = 0; key < s.records; key++) input.record(key, s.at);
    else if ('watermark' in s) input.watermark((now += s.watermark));
    else input.idle(s.idle);
    goOn();
  }
  input.watermark(Infinity);
  goOn();
  input.end();
  resumeAll(chain);
}

test('interruptions at any moment change nothing, nor does a host that does not wait', async () => {
  let interruptions = 0;
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 30 }),
    fc.infiniteStream(fc.boolean()),
    fc.infiniteStream(fc.boolean()),
    async (steps, yields, patience) => {
      const plain = await openChain(twoWindows);
      play(plain, steps, () => true);
      const shouldYield = () => {
        const isYielding = yields.next().value === true;
        if (isYielding) interruptions++;
        return isYielding;
      };
      const interrupted = await openChain(twoWindows, { host: { shouldYield } });
      play(interrupted, steps, () => patience.next().value === true);
      expect(interrupted.output.elements).toEqual(plain.output.elements);
      const { lateRecords } = plain.chain.metrics;
      expect(interrupted.chain.metrics.lateRecords).toBe(lateRecords);
    },
  );
  await fc.assert(property, { numRuns: 200 });
  expect(interruptions).toBeGreaterThan(200);
});

describe('a batch of a source', () => {
  /** Emits 0, 1, 2 … as asked for. */
  const counting = (polls: number) => {
    let next = 0;
    return new ScriptedSource(
      Array.from({ length: polls }, () => (out, max) => {
        for (let i = 0; i < max; i++) out.emit(next++, Number.NEGATIVE_INFINITY);
        return PollStatus.more;
      }),
    );
  };
  const build = (polls: number, shouldYield: () => boolean) =>
    openChain(
      [
        {
          id: 'src',
          operation: {
            kind: 'source',
            source: counting(polls),
            watermarks: monotonousTimestamps((n: number) => n),
          },
        },
      ],
      { host: { shouldYield } },
    );

  test('that is interrupted goes on with the next poll, and has the same watermark', async () => {
    const { chain, output } = await build(100, () => true);
    const watermarks = () =>
      output.take().flatMap((e) => (typeof e === 'object' && 'watermark' in e ? [e] : []));
    let polls = 0;
    while (chain.metrics.recordsIn < 512) {
      expect(watermarks()).toEqual([]);
      expect(chain.source!.poll(512)).toBe(PollStatus.more);
      expect(++polls).toBeLessThan(100);
    }
    expect(polls).toBeGreaterThan(8);
    expect(chain.metrics.recordsIn).toBe(512);
    expect(watermarks()).toEqual([{ watermark: 510 }]);
  });

  test('is read in one poll while the host has time', async () => {
    const { chain, output } = await build(100, () => false);
    expect(chain.source!.poll(512)).toBe(PollStatus.more);
    expect(output.elements.at(-1)).toEqual({ watermark: 510 });
  });
});
