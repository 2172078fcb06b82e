import { describe, expect, test } from 'vitest';
import { PollStatus } from '../../../../src/api/source.ts';
import { types } from '../../../../src/api/types.ts';
import type { Operation } from '../../../../src/api/transformations.ts';
import { ProbeSink, ScriptedSource, buildChain, emits, openChain } from './chains.ts';

const map = (fn: (v: number) => unknown): Operation => ({ kind: 'map', fn });
const sink = (probe: ProbeSink): Operation => ({ kind: 'sink', sink: probe });

function gate() {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { promise, open: () => resolve(), fail: (error: Error) => reject(error) };
}

describe('rolling reduce', () => {
  test('emits the new value of the key for every element', async () => {
    const { input, output } = await openChain([
      {
        id: 'r',
        operation: {
          kind: 'reduce',
          fn: (a: { k: number; n: number }, b: { k: number; n: number }) => ({
            k: a.k,
            n: a.n + b.n,
          }),
          key: { selector: (v: { k: number }) => v.k, type: types.int32 },
        },
      },
    ]);
    for (const [k, n] of [
      [1, 10],
      [2, 5],
      [1, 1],
      [1, 2],
    ]) {
      input.record({ k, n }, n!);
    }
    expect(output.elements).toEqual([
      { value: { k: 1, n: 10 }, timestamp: 10 },
      { value: { k: 2, n: 5 }, timestamp: 5 },
      { value: { k: 1, n: 11 }, timestamp: 1 },
      { value: { k: 1, n: 13 }, timestamp: 2 },
    ]);
  });

  test('a key of another subtask is refused', async () => {
    const reduce: Operation = {
      kind: 'reduce',
      fn: (a) => a,
      key: { selector: (v: number) => v, type: types.int32 },
    };
    const owners = await Promise.all(
      [0, 1].map(async (subtaskIndex) => {
        const built = await openChain([{ id: 'r', operation: reduce }], {
          host: { subtaskIndex, parallelism: 2 },
        });
        return (key: number) => {
          try {
            built.input.record(key, 0);
            return true;
          } catch (error) {
            expect(String(error)).toMatch(/key \d+ is of key group \d+, but this subtask owns/);
            return false;
          }
        };
      }),
    );
    const owned = Array.from({ length: 200 }, (_, key) => owners.map((owns) => owns(key)));
    expect(owned.every(([first, second]) => first !== second)).toBe(true);
    expect(owned.filter(([first]) => first).length).toBeGreaterThan(50);
    expect(owned.filter(([, second]) => second).length).toBeGreaterThan(50);
  });
});

describe('a tree of operators', () => {
  test('a source into two branches, with two sinks and an edge', async () => {
    const [small, large] = [new ProbeSink(), new ProbeSink(null)];
    const source = new ScriptedSource([emits([1, 20, 3], PollStatus.more)]);
    const { chain, output } = await openChain([
      { id: 'src', operation: { kind: 'source', source, watermarks: null }, output: true },
      { id: 'small', operation: { kind: 'filter', fn: (v: number) => v < 10 } },
      { id: 'small-sink', operation: sink(small) },
      { id: 'large', operation: { kind: 'filter', fn: (v: number) => v >= 10 }, parent: 'src' },
      { id: 'double', operation: map((v) => v * 2) },
      { id: 'large-sink', operation: sink(large) },
    ]);
    chain.source!.poll(10);
    expect(small.written.map((w) => w.value)).toEqual([1, 3]);
    expect(large.written.map((w) => w.value)).toEqual([40]);
    expect(output.values()).toEqual([1, 20, 3]);
    expect(chain.source!.poll(10)).toBe(PollStatus.end);
    expect(chain.metrics).toMatchObject({ recordsIn: 3, recordsOut: 3 });
    expect(await chain.finish()).toEqual({ 'small-sink': ['part-0'] });
    expect(small.log).toEqual(['open', 'finish']);
    expect(large.log).toEqual(['open', 'finish']);
  });

  test('its watermark is that of the branch that is behind', async () => {
    const { chain, input } = await openChain([
      { id: 'head', operation: map((v) => v) },
      {
        id: 'own-time',
        operation: {
          kind: 'watermarks',
          strategy: { timestamp: (v: number) => v, outOfOrdernessMs: 0, idlenessMs: null },
        },
      },
      { id: 'plain', operation: map((v) => v), parent: 'head' },
    ]);
    input.watermark(50);
    expect(chain.currentWatermark).toBe(-Infinity);
    input.watermark(Infinity);
    expect(chain.currentWatermark).toBe(Infinity);
  });

  test('shapes that are no tree, and hosts with other outputs, are refused', () => {
    const two = [
      { id: 'a', operation: map((v) => v) },
      { id: 'b', operation: map((v) => v) },
    ];
    expect(() => buildChain(two, { host: { outputs: [] } })).toThrow(
      /1 outgoing edges, its host 0/,
    );
    expect(() => buildChain([{ ...two[0]!, parent: 'b' }, two[1]!])).toThrow(/no tree: .* 'a'/);
  });
});

describe('several inputs', () => {
  test('records flow together, everything else comes once', async () => {
    const { chain, output } = await openChain([{ id: 'm', operation: map((v) => v) }], {
      inputs: 2,
    });
    const [a, b] = chain.inputs;
    a!.record(1, 1);
    a!.watermark(10);
    b!.record(2, 2);
    expect(output.take()).toEqual([
      { value: 1, timestamp: 1 },
      { value: 2, timestamp: 2 },
    ]);
    b!.watermark(5);
    expect(output.take()).toEqual([{ watermark: 5 }]);
    b!.idle(true);
    expect(output.take()).toEqual([{ watermark: 10 }]);
    a!.watermark(Infinity);
    a!.end();
    expect(output.take()).toEqual([{ watermark: Infinity }]);
    b!.idle(false);
    b!.watermark(Infinity);
    b!.end();
    expect(output.take()).toEqual(['end']);
  });
});

describe('sinks', () => {
  test('get records with timestamps; a full one holds the host back', async () => {
    const probe = new ProbeSink();
    const { chain, input } = await openChain([{ id: 's', operation: sink(probe) }]);
    input.record('x', 5);
    expect(probe.written).toEqual([{ value: 'x', timestamp: 5 }]);
    expect(chain.metrics.recordsOut).toBe(1);
    expect(chain.ready()).toBeNull();
    const full = gate();
    probe.pending = full.promise;
    let isReady = false;
    const ready = chain.ready()!.then(() => (isReady = true));
    await Promise.resolve();
    expect(isReady).toBe(false);
    full.open();
    await ready;
    expect(isReady).toBe(true);
  });

  test('of two full sinks the host waits for both', async () => {
    const [one, two] = [new ProbeSink(), new ProbeSink()];
    const { chain } = await openChain([
      { id: 'head', operation: map((v) => v) },
      { id: 'one', operation: sink(one) },
      { id: 'two', operation: sink(two), parent: 'head' },
    ]);
    const [first, second] = [gate(), gate()];
    [one.pending, two.pending] = [first.promise, second.promise];
    let isReady = false;
    const ready = chain.ready()!.then(() => (isReady = true));
    first.open();
    await first.promise;
    await new Promise((resolve) => setImmediate(resolve));
    expect(isReady).toBe(false);
    second.open();
    await ready;
  });

  test('a failed flush rejects, and names the sink', async () => {
    const probe = new ProbeSink();
    const { chain } = await openChain([{ id: 's', operation: sink(probe) }]);
    const full = new Error('disk full');
    probe.pending = Promise.reject(full);
    await expect(chain.ready()).rejects.toBe(full);
    expect(chain.failedOperator(full)).toBe('s');
  });

  test('abort removes what was prepared, once, and never rejects', async () => {
    const probe = new ProbeSink();
    const source = new ScriptedSource([]);
    const { chain } = await openChain([
      { id: 'src', operation: { kind: 'source', source, watermarks: null } },
      { id: 's', operation: sink(probe) },
    ]);
    probe.aborting = Promise.reject(new Error('cannot remove'));
    await chain.abort();
    await chain.abort();
    expect(probe.log).toEqual(['open', 'abort']);
    expect(source.log).toEqual(['close']);
    await expect(chain.finish()).rejects.toThrow(/aborted/);
  });

  test('each abort waits until everything is removed; nothing is written after it', async () => {
    const probe = new ProbeSink();
    const { chain, input } = await openChain([{ id: 's', operation: sink(probe) }]);
    const removal = gate();
    probe.aborting = removal.promise;
    let isRemoved = false;
    const both = [chain.abort(), chain.abort()].map(async (aborted) => {
      await aborted;
      return isRemoved;
    });
    await new Promise((resolve) => setImmediate(resolve));
    isRemoved = true;
    removal.open();
    expect(await Promise.all(both)).toEqual([true, true]);
    expect(() => input.record('x', 0)).toThrow(/'s' is not open/);
    expect(probe.written).toEqual([]);
  });

  test('abort during open waits for it, then aborts; open rejects', async () => {
    const probe = new ProbeSink();
    const slow = gate();
    probe.opening = slow.promise;
    const { chain } = buildChain([{ id: 's', operation: sink(probe) }]);
    const opened = expect(chain.open()).rejects.toThrow(
      /open\(\) of an operator chain that is aborted/,
    );
    const aborted = chain.abort();
    await new Promise((resolve) => setImmediate(resolve));
    expect(probe.log).toEqual(['open']);
    slow.open();
    await Promise.all([opened, aborted]);
    expect(probe.log).toEqual(['open', 'abort']);
  });

  test('nothing is finished before the end of input, nothing aborted after it was finished', async () => {
    const probe = new ProbeSink();
    const early = await openChain([{ id: 's', operation: sink(probe) }]);
    await expect(early.chain.finish()).rejects.toThrow(/before the end of input/);
    const { chain, input } = await openChain([{ id: 's', operation: sink(probe) }]);
    input.end();
    expect(await chain.finish()).toEqual({ s: ['part-0'] });
    await chain.abort();
    expect(probe.log).toEqual(['open', 'open', 'finish']);
  });

  test('abort during finish waits for the writer, then aborts; finish rejects', async () => {
    const probe = new ProbeSink();
    const { chain, input } = await openChain([{ id: 's', operation: sink(probe) }]);
    const slow = gate();
    probe.finishing = slow.promise.then(() => ['part-0']);
    input.end();
    const finished = expect(chain.finish()).rejects.toThrow(/aborted/);
    const aborted = chain.abort();
    await new Promise((resolve) => setImmediate(resolve));
    expect(probe.log).toEqual(['open', 'finish']);
    slow.open();
    await Promise.all([finished, aborted]);
    expect(probe.log).toEqual(['open', 'finish', 'abort']);
  });

  test('a sink that cannot open: open rejects, abort cleans all that were made', async () => {
    const [good, bad] = [new ProbeSink(), new ProbeSink()];
    const denied = new Error('permission denied');
    bad.opening = Promise.reject(denied);
    const { chain } = buildChain([
      { id: 'head', operation: map((v) => v) },
      { id: 'bad', operation: sink(bad) },
      { id: 'good', operation: sink(good), parent: 'head' },
    ]);
    await expect(chain.open()).rejects.toBe(denied);
    expect(chain.failedOperator(denied)).toBe('bad');
    await chain.abort();
    expect(good.log).toEqual(['open', 'abort']);
    expect(bad.log).toEqual(['open', 'abort']);
  });

  test('a sink that fails to finish: the others are waited for', async () => {
    const [bad, slow] = [new ProbeSink(), new ProbeSink()];
    const failed = new Error('upload failed');
    bad.finishing = Promise.reject(failed);
    const upload = gate();
    let isDone = false;
    slow.finishing = upload.promise.then(() => {
      isDone = true;
      return [];
    });
    const { chain, input } = await openChain([
      { id: 'head', operation: map((v) => v) },
      { id: 'bad', operation: sink(bad) },
      { id: 'slow', operation: sink(slow), parent: 'head' },
    ]);
    input.end();
    const finished = chain.finish().catch((error: unknown) => ({ error, isDone }));
    upload.open();
    expect(await finished).toEqual({ error: failed, isDone: true });
    await chain.abort();
    expect(slow.log).toEqual(['open', 'finish', 'abort']);
  });
});
