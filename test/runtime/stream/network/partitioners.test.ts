import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileKeyGroup, subtaskOf } from '../../../../src/api/keys.ts';
import { types } from '../../../../src/api/types.ts';
import {
  anyChannel,
  broadcastOutput,
  byKey,
  roundRobin,
  selectingOutput,
} from '../../../../src/runtime/stream/network/partitioners.ts';
import { Recorder } from './channels.ts';

const channels = (count: number) => Array.from({ length: count }, () => new Recorder());
const sizes = (recorders: readonly Recorder[]) => recorders.map((r) => r.elements.length);

describe('an output', () => {
  it('sends each record to one channel and everything else to all, in order', () => {
    const to = channels(3);
    const counter = { recordsOut: 0 };
    const output = selectingOutput(to, counter, roundRobin(3, 1));
    output.record('a', 1);
    output.watermark(5);
    output.record('b', 6);
    output.idle(true);
    output.end();
    const kinds = to.map((r) => r.elements.map((e) => (e.kind === 'record' ? e.value : e.kind)));
    expect(kinds).toEqual([
      ['watermark', 'idle', 'end'],
      ['a', 'watermark', 'idle', 'end'],
      ['watermark', 'b', 'idle', 'end'],
    ]);
    expect(counter.recordsOut).toBe(2);
  });

  it('counts a record that is broadcast once', () => {
    const to = channels(3);
    const counter = { recordsOut: 0 };
    broadcastOutput(to, counter).record('a', 1);
    expect(sizes(to)).toEqual([1, 1, 1]);
    expect(counter.recordsOut).toBe(1);
  });
});

describe('selectors', () => {
  it('round robin is even from wherever it starts', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.nat(100),
        fc.nat(200),
        (count, start, records) => {
          const select = roundRobin(count, start);
          const seen = Array.from({ length: count }, () => 0);
          for (let i = 0; i < records; i++) seen[select(null)]!++;
          expect(Math.max(...seen) - Math.min(...seen)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it('shuffle takes the channel that the random number falls into', () => {
    const numbers = [0, 0.24, 0.25, 0.999_999];
    const select = anyChannel(4, () => numbers.shift()!);
    expect([select(null), select(null), select(null), select(null)]).toEqual([0, 0, 1, 3]);
  });

  it('by key: equal keys to one subtask, and all subtasks get about the same', () => {
    const keyGroup = compileKeyGroup(types.string, 128);
    const select = byKey(
      (record: { key: string }) => record.key,
      (key) => subtaskOf(keyGroup(key), 4, 128),
    );
    const seen = [0, 0, 0, 0];
    for (let i = 0; i < 10_000; i++) {
      const channel = select({ key: `k${i}` });
      expect(select({ key: `k${i}` })).toBe(channel);
      seen[channel]!++;
    }
    for (const count of seen) expect(count).toBeGreaterThan(2200);
  });
});
