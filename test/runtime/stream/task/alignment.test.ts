/** A task at the barriers of checkpoints: what stands behind one waits until it has come from everywhere. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { ByteWriter } from '../../../../src/api/bytes.ts';
import { compileCodec } from '../../../../src/api/codec.ts';
import { types } from '../../../../src/api/types.ts';
import { EndOfStreamWindows } from '../../../../src/api/windows.ts';
import {
  writeBarrier,
  writeEnd,
  writeRecord,
  writeWatermark,
} from '../../../../src/runtime/stream/network/elements.ts';
import type { ReferenceBatch } from '../../../../src/runtime/stream/network/reference-writer.ts';
import type { NodeSpec } from '../operators/chains.ts';
import { startTask } from './tasks.ts';

type Item = number | 'barrier 1' | 'barrier 2' | 'barrier 3' | 'end';

const idOf = (barrier: string) => Number(barrier.slice('barrier '.length));

function encode(items: readonly Item[]): Uint8Array {
  const codec = compileCodec<unknown>(types.double);
  const writer = new ByteWriter();
  for (const item of items) {
    if (typeof item === 'number') writeRecord(writer, codec, item, item);
    else if (item === 'end') {
      writeWatermark(writer, Infinity);
      writeEnd(writer);
    } else writeBarrier(writer, { checkpointId: idOf(item), timestamp: 0 });
  }
  return writer.bytes.slice(0, writer.position);
}

function batch(items: readonly Item[]): ReferenceBatch {
  const values = items.filter((item) => typeof item === 'number');
  const controls: ReferenceBatch['controls'] = [];
  let after = 0;
  for (const item of items) {
    if (typeof item === 'number') after++;
    else if (item === 'end') {
      controls.push({ after, kind: 'watermark', timestamp: Infinity }, { after, kind: 'end' });
    } else {
      controls.push({
        after,
        kind: 'barrier',
        barrier: { checkpointId: idOf(item), timestamp: 0 },
      });
    }
  }
  return { values, timestamps: values, controls, bytes: 8 * values.length, cost: 64 };
}

const pass: NodeSpec = { id: 'pass', operation: { kind: 'map', fn: (n: number) => n } };

/** What came out: values, and ids of barriers as texts. */
function seen(elements: readonly unknown[]): unknown[] {
  return elements.flatMap((e) => {
    if (typeof e !== 'object' || e === null) return [];
    if ('value' in e) return [e.value];
    return 'barrier' in e ? [`barrier ${String(e.barrier)}`] : [];
  });
}

async function turns(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe.each([
  ['encoded', encode],
  ['within a slot', batch],
] as const)('two channels (%s)', (_name, buffer) => {
  it('hold back what stands behind a barrier until it has come from both', async () => {
    const { channels, ended, output } = await startTask([pass], 2);
    const [a, b] = channels;
    a!.received(buffer([1, 'barrier 1', 2, 3]));
    a!.received(buffer([4]));
    b!.received(buffer([10]));
    await turns();
    a!.received(buffer([5]));
    b!.received(buffer([11]));
    await turns();
    expect(new Set(seen(output.take()))).toEqual(new Set([1, 10, 11]));
    b!.received(buffer([12, 'barrier 1', 13, 'end']));
    a!.received(buffer(['end']));
    expect(await ended).toMatchObject({ state: 'FINISHED' });
    const all = seen(output.take());
    expect(all.slice(0, 2)).toEqual([12, 'barrier 1']);
    expect(all.slice(2).toSorted((x, y) => Number(x) - Number(y))).toEqual([2, 3, 4, 5, 13]);
  });

  it('do not wait for one that has ended, before or meanwhile', async () => {
    const { channels, ended, output } = await startTask([pass], 3);
    const [a, b, c] = channels;
    a!.received(buffer(['end']));
    b!.received(buffer(['barrier 1', 2]));
    await turns();
    expect(seen(output.take())).toEqual([]);
    c!.received(buffer(['end']));
    await turns();
    expect(seen(output.take())).toEqual(['barrier 1', 2]);
    b!.received(buffer(['end']));
    expect(await ended).toMatchObject({ state: 'FINISHED' });
  });

  it('give up a barrier for that of a later checkpoint, and ignore one of an earlier', async () => {
    const { channels, output } = await startTask([pass], 2);
    const [a, b] = channels;
    a!.received(buffer(['barrier 1', 1]));
    b!.received(buffer(['barrier 2', 10]));
    await turns();
    expect(seen(output.take())).toEqual([1]);
    a!.received(buffer(['barrier 1', 'barrier 2', 2]));
    await turns();
    expect(new Set(seen(output.take()))).toEqual(new Set([10, 2, 'barrier 2']));
  });

  it('let a chain do first what came before the barrier', async () => {
    const { channels, output } = await startTask([
      {
        id: 'window',
        operation: {
          kind: 'window',
          assigner: EndOfStreamWindows.get(),
          allowedLatenessMs: 0,
          key: { selector: (n: number) => n, type: types.double },
          contents: { kind: 'elements' },
          windowFunction: (key, _window, _values, out) => {
            const end = performance.now() + 0.2;
            while (performance.now() < end);
            out.collect(key);
          },
        },
      },
    ]);
    const values = Array.from({ length: 100 }, (_, i) => i);
    const firing = { ...batch([...values]), controls: [] as ReferenceBatch['controls'][number][] };
    firing.controls.push(
      { after: 100, kind: 'watermark', timestamp: Infinity },
      { after: 100, kind: 'barrier', barrier: { checkpointId: 1, timestamp: 0 } },
    );
    channels[0]!.received(firing);
    for (let i = 0; i < 100 && seen(output.elements).length < 101; i++) await turns();
    expect(seen(output.elements)).toEqual([...values, 'barrier 1']);
  });
});

test('whatever comes in whichever order, a barrier parts the same records everywhere', async () => {
  const stream = fc.array(fc.constantFrom('record', 'barrier'), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(stream, stream, stream),
      fc.infiniteStream(fc.nat(2)),
      async (streams, order) => {
        const { channels, ended, output } = await startTask([pass], 3);
        // Every stream has the same barriers: those that are missing come at its end.
        const most = Math.max(...streams.map((s) => s.filter((e) => e === 'barrier').length));
        const epochOf = new Map<number, number>();
        let value = 0;
        const queues = streams.map((s) => {
          let epoch = 0;
          const items: Item[] = s.map((e) => {
            if (e === 'barrier') return `barrier ${++epoch}` as Item;
            epochOf.set(value, epoch);
            return value++;
          });
          while (epoch < most) items.push(`barrier ${++epoch}` as Item);
          return [...items, 'end' as const];
        });
        while (queues.some((q) => q.length > 0)) {
          const at = order.next().value as number;
          const item = queues[at]!.shift();
          if (item !== undefined) channels[at]!.received(encode([item]));
          if (value % 3 === 0) await turns();
        }
        await ended;
        let epoch = 0;
        for (const e of seen(output.elements)) {
          if (typeof e === 'number') expect(epochOf.get(e)).toBe(epoch);
          else expect(e).toBe(`barrier ${++epoch}`);
        }
        expect([epoch, output.values().length]).toEqual([most, value]);
      },
    ),
    { numRuns: 40 },
  );
});
