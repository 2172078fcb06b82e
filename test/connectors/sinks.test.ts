import { describe, expect, test } from 'vitest';
import type { Sink, WriterContext } from '../../src/api/sink.ts';
import { CollectSink } from '../../src/connectors/collect/index.ts';
import { DiscardSink } from '../../src/connectors/discard/index.ts';
import { PrintSink } from '../../src/connectors/print/index.ts';
import { createCommitter } from '../../src/connectors/registry.ts';

const context = {
  subtaskIndex: 0,
  parallelism: 1,
  jobId: 'a',
  epoch: 1,
  attempt: 0,
  workingDirectory: '/',
};

async function write<T>(sink: Sink<T>, values: readonly T[], over: Partial<WriterContext> = {}) {
  const lines: string[] = [];
  const writer = sink.createWriter({
    ...context,
    stdout: {
      write: (text) => void lines.push(text.replace(/\n$/, '')),
      ready: () => null,
      flushed: async () => {},
    },
    ...over,
  });
  await writer.open();
  for (const value of values) {
    writer.write(value, 0);
    await writer.ready();
  }
  return { lines, committables: await writer.finish() };
}

describe('PrintSink', () => {
  const values = ['a b', 5, { n: 1n, m: new Map([['k', 2]]) }, undefined];

  test('one line a record', async () => {
    const { lines, committables } = await write<unknown>(PrintSink.create(), values);
    expect(lines).toEqual(['a b', '5', '{"n":1,"m":{"k":2}}', 'null']);
    expect(committables).toEqual([]);
    expect(PrintSink.create().committer).toBeNull();
  });

  test('takes no more than its output does, and ends when that has everything', async () => {
    const room = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const stdout = { write: () => {}, ready: () => room.promise, flushed: () => gone.promise };
    const writer = PrintSink.create().createWriter({ ...context, stdout });
    expect(writer.ready()).toBe(room.promise);
    let hasFinished = false;
    const finishing = writer.finish().finally(() => (hasFinished = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasFinished).toBe(false);
    gone.resolve();
    expect(await finishing).toEqual([]);
  });

  test.each([
    [{}, 3, '2> x'],
    [{ prefix: 'out' }, 1, 'out: x'],
    [{ prefix: 'out' }, 3, 'out:2> x'],
  ])('%o with parallelism %i: %s', async (options, parallelism, line) => {
    const context = { parallelism, subtaskIndex: 1 };
    expect((await write<string>(PrintSink.create(options), ['x'], context)).lines).toEqual([line]);
  });
});

describe('CollectSink', () => {
  test('gives the records back as JSON has them', async () => {
    const sink = CollectSink.named<unknown>('all');
    const committer = await createCommitter(sink.committer!, {
      workingDirectory: '/',
      jobId: 'a',
      epoch: 1,
    });
    await committer.prepare();
    const values = ['x', { n: 1n, big: 2n ** 60n, m: new Map([['k', 2]]), none: undefined }];
    const one = await write(sink, values);
    const two = await write(sink, [3, undefined]);
    expect(await committer.commit([...one.committables, ...two.committables])).toEqual([
      'x',
      { n: 1, big: '1152921504606846976', m: { k: 2 } },
      3,
      null,
    ]);
    await committer.abort();
  });

  test('refuses results that are too large', async () => {
    const values = Array.from({ length: 17 }, () => 'x'.repeat(1024 * 1024));
    await expect(write(CollectSink.named('big'), values)).rejects.toThrow(
      "collect sink 'big' got more than 16777216 bytes: write large results to files",
    );
  });
});

test('DiscardSink drops every record', async () => {
  const { lines, committables } = await write(DiscardSink.create<number>(), [1, 2]);
  expect([lines, committables]).toEqual([[], []]);
  expect(DiscardSink.create().committer).toBeNull();
});
