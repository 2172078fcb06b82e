/** Tasks with real chains and channels; the test is the producer. */
import { describe, expect, it, vi } from 'vitest';
import type { WindowOperation } from '../../../../src/api/transformations.ts';
import { types } from '../../../../src/api/types.ts';
import { EndOfStreamWindows } from '../../../../src/api/windows.ts';
import type { InputChannel } from '../../../../src/runtime/stream/network/input-channel.ts';
import type { ReferenceBatch } from '../../../../src/runtime/stream/network/reference-writer.ts';
import type { NodeSpec } from '../operators/chains.ts';
import { encoded, startTask } from './tasks.ts';

/** Elements as a task of the same slot sends them. */
function referenced(records: number, isLast: boolean): ReferenceBatch {
  const values = Array.from({ length: records }, (_, i) => i);
  const controls: ReferenceBatch['controls'] = isLast
    ? [
        { after: records, kind: 'watermark', timestamp: Infinity },
        { after: records, kind: 'end' },
      ]
    : [];
  return { values, timestamps: values, controls, bytes: records * 8, cost: records * 8 + 64 };
}

/** Takes `ms` of CPU time. */
const spin = (ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

const slowMap: NodeSpec = {
  id: 'slow',
  operation: {
    kind: 'map',
    fn: (n: number) => {
      spin(0.2);
      return n;
    },
  },
};

/** One key a record; firing one takes a while. */
const slowWindow: WindowOperation = {
  kind: 'window',
  assigner: EndOfStreamWindows.get(),
  allowedLatenessMs: 0,
  key: { selector: (n: number) => n, type: types.double },
  contents: { kind: 'elements' },
  windowFunction: (key, _window, _values, out) => {
    spin(0.2);
    out.collect(key);
  },
};

/** How many turns of the event loop there are meanwhile. */
async function turnsUntil(event: Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  void event.finally(() => (isOver = true));
  while (!isOver) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
  }
  return turns;
}

const patiently = { interval: 1, timeout: 60_000 };

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe.each([
  ['encoded', encoded],
  ['by reference', referenced],
])('a buffer (%s)', (_name, buffer) => {
  it('of records that cost much is worked on in several turns, in order', async () => {
    const { channels, ended, output, task } = await startTask([slowMap]);
    channels[0]!.received(buffer(1000, true));
    expect(await turnsUntil(ended)).toBeGreaterThan(5); // 200 ms of work in runs of about 20
    expect(output.values()).toEqual(upTo(1000));
    expect(output.elements.slice(1000)).toEqual([{ watermark: Infinity }, 'end']);
    expect(task.metrics().recordsIn).toBe(1000);
  });

  it('that makes many windows fire does so in several turns, before the task finishes', async () => {
    const { channels, ended, output } = await startTask([{ id: 'win', operation: slowWindow }]);
    channels[0]!.received(buffer(500, true));
    expect(await turnsUntil(ended)).toBeGreaterThan(5);
    expect(output.values()).toEqual(upTo(500));
    expect(output.elements.slice(500)).toEqual([{ watermark: Infinity }, 'end']);
    expect(await ended).toMatchObject({ state: 'FINISHED' });
  });

  it('can be cancelled in the middle', async () => {
    const { channels, ended, output, task } = await startTask([slowMap]);
    channels[0]!.received(buffer(5000, true));
    await vi.waitUntil(() => output.elements.length > 0, patiently);
    task.cancel();
    expect(await ended).toEqual({ state: 'CANCELED' });
    expect(output.elements.length).toBeLessThan(2500);
  });

  it('gives its credit back once all of it was processed', async () => {
    const { channels, ended } = await startTask([slowMap]);
    const item = buffer(300, true);
    let returned = 0;
    channels[0]!.opened({ giveBack: (_number, cost) => (returned += cost), recycledBytes: 0 }, 0);
    channels[0]!.received(item);
    await ended;
    expect(returned).toBe(item instanceof Uint8Array ? item.length + 64 : item.cost);
  });
});

it('data that comes at once for credit given back is processed, and each end counted, once', async () => {
  const { channels, ended, output } = await startTask([{ ...slowMap, id: 'm' }], 2);
  const [local, remote] = channels as [InputChannel, InputChannel];
  // Within a slot the producer sends what waits for credit while the consumer gives it back.
  const waiting = [referenced(10, true)];
  const giveBack = () => {
    const next = waiting.shift();
    if (next !== undefined) local.received(next);
  };
  local.opened({ giveBack, recycledBytes: 0 }, 0);
  local.received(referenced(200, false)); // above a quarter of the credit
  await vi.waitUntil(() => output.values().length === 210, patiently);
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  remote.received(encoded(3, true));
  expect(await ended).toMatchObject({ state: 'FINISHED' });
  expect(output.values()).toHaveLength(213);
});

describe('what fails behind a function that emits', () => {
  const explode: NodeSpec = {
    id: 'explode',
    operation: {
      kind: 'map',
      fn: (n: number) => {
        if (n === 2) throw new Error('2 is refused');
        return n;
      },
    },
  };
  const swallow = (n: number, out: { collect(value: number): void }): void => {
    try {
      out.collect(n);
    } catch {
      // as a user may
    }
  };

  it('fails the task although the function has caught it, with the operator’s name', async () => {
    const { channels, ended, output } = await startTask([
      { id: 'swallow', operation: { kind: 'flatMap', fn: swallow } },
      explode,
    ]);
    channels[0]!.received(encoded(5, true));
    expect(await ended).toMatchObject({
      state: 'FAILED',
      error: { message: 'Error: 2 is refused', task: 'explode' },
    });
    expect(output.values()).toEqual([0, 1]);
  });
});
