import { describe, expect, test } from 'vitest';
import { defineJob } from '../../src/api/job.ts';
import { PollStatus } from '../../src/api/source.ts';
import type { SplitEnumerator } from '../../src/api/source.ts';
import { compileJob } from '../../src/graph/compile.ts';
import { LocalJob } from '../../src/testing/local-job.ts';
import { ManualClock } from '../../src/testing/manual-clock.ts';
import { ProbeSink, ScriptedSource, emits } from '../runtime/stream/operators/chains.ts';

const { more, wait, needSplit, end } = PollStatus;

function localJob(source: ScriptedSource, sink: ProbeSink, splits: string[]) {
  const job = defineJob('local', (env) => {
    env.fromSource(source).rebalance().sinkTo(sink);
  });
  const log: string[] = [];
  const enumerator: SplitEnumerator = {
    start: async () => void log.push('start'),
    next: async () => {
      const id = splits.shift();
      log.push(`next ${id}`);
      return id === undefined ? null : { id };
    },
    addBack: () => {},
    snapshot: () => null,
    close: async () => void log.push('close'),
  };
  const compiled = compileJob(job, {}, { bundleHash: '0'.repeat(64), parallelism: 1 });
  const local = new LocalJob(compiled, {
    clock: new ManualClock(),
    layout: 'encoded',
    workingDirectory: '/nowhere',
    batchSize: 10,
    createEnumerator: async () => enumerator,
  });
  return { local, log };
}

describe('a job in one thread', () => {
  test('asks for splits, waits for the reader and for sinks, and ends', async () => {
    const source = new ScriptedSource([
      emits([], needSplit),
      emits([1], wait),
      emits([2], more),
      emits([], needSplit),
      emits([3], end),
    ]);
    const sink = new ProbeSink();
    const order: string[] = [];
    const write = sink.createWriter.bind(sink);
    sink.createWriter = () => {
      const writer = write();
      return {
        ...writer,
        write: (value, timestamp) => {
          order.push(`write ${String(value)}`);
          writer.write(value, timestamp);
          sink.pending = Promise.resolve().then(() => {
            order.push('flushed');
            sink.pending = null;
          });
        },
      };
    };
    const { local, log } = localJob(source, sink, ['a']);
    await local.open();
    await local.runSources();
    expect(order).toEqual(['write 1', 'flushed', 'write 2', 'flushed', 'write 3', 'flushed']);
    expect(log).toEqual(['start', 'next a', 'next undefined', 'close']);
    expect(source.splits).toEqual([{ id: 'a' }]);
    expect(source.log).toEqual(['noMoreSplits']);
    expect(Object.values(await local.finish())).toEqual([['part-0']]);
    expect(source.log).toEqual(['noMoreSplits', 'close']);
  });

  test('what fails aborts everything, and leaves unchanged', async () => {
    const bad = new Error('disk full');
    const source = new ScriptedSource([emits([1], more), emits([2], more)]);
    const sink = new ProbeSink();
    const { local, log } = localJob(source, sink, []);
    await local.open();
    sink.pending = Promise.reject(bad);
    await expect(local.runSources()).rejects.toBe(bad);
    expect(log).toEqual(['start', 'close']);
    expect(source.log).toEqual(['close']);
    expect(sink.log).toEqual(['open', 'abort']);
    expect(sink.written.map((w) => w.value)).toEqual([1]);
  });

  test('an unknown vertex is named', () => {
    const { local } = localJob(new ScriptedSource([]), new ProbeSink(), []);
    expect(() => local.chainOf('nothing')).toThrow(/no vertex nothing/);
  });
});
