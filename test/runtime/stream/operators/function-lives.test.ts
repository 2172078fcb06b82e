/** User functions that are given as objects: opened and closed with the task, however it ends. */
import { describe, expect, test } from 'vitest';
import type { RichFunction, RuntimeContext } from '../../../../src/api/functions.ts';
import type { Operation } from '../../../../src/api/transformations.ts';
import { ExecutionState } from '../../../../src/runtime/stream/task/deployment.ts';
import { encoded, startTask } from '../task/tasks.ts';
import { type NodeSpec, ProbeSink, buildChain, openChain } from './chains.ts';

const same: Operation = { kind: 'map', fn: (v: unknown) => v };

/** An object whose calls are logged, with the number of records that had come by then. */
function logged(log: string[], name: string, behavior: RichFunction = {}): RichFunction {
  return {
    open: (context) => {
      log.push(`open ${name}`);
      return behavior.open?.(context);
    },
    close: () => {
      log.push(`close ${name}`);
      return behavior.close?.();
    },
  };
}

const node = (id: string, ...rich: readonly RichFunction[]): NodeSpec => ({
  id,
  operation: same,
  rich,
});

const fails = (message: string) => () => Promise.reject(new Error(message));

describe('opening and closing', () => {
  test('from the last operator to the first, and back, once', async () => {
    const log: string[] = [];
    const sink = new ProbeSink();
    const { chain, input } = await openChain([
      node('a', logged(log, 'a')),
      node('b', logged(log, 'b1'), logged(log, 'b2')),
      { id: 's', operation: { kind: 'sink', sink } },
    ]);
    expect(log).toEqual(['open b1', 'open b2', 'open a']);
    input.record(1, 0);
    input.end();
    expect(log).toHaveLength(3);
    await chain.finish();
    expect(log.slice(3)).toEqual(['close a', 'close b2', 'close b1']);
    expect(sink.log).toEqual(['open', 'finish']);
    await chain.abort();
    expect(log).toHaveLength(6);
  });

  test('each sees the context of its own operator', async () => {
    const seen: RuntimeContext[] = [];
    const open = (context: RuntimeContext) => void seen.push(context);
    const host = { subtaskIndex: 2, parallelism: 3, attempt: 4, taskName: 'a -> b (3/3)' };
    const { chain } = await openChain([node('a', { open }), node('b', { open })], { host });
    for (const context of seen) expect(context).toMatchObject(host);
    expect(new Set(seen).size).toBe(2);
    seen[0]!.counter('opened').add();
    seen[1]!.counter('opened').add();
    expect(chain.accumulators()).toEqual({ opened: 2 });
  });

  test('what fails to open fails the chain by name; it and those before it are closed', async () => {
    const log: string[] = [];
    const { chain } = buildChain([
      node('a', logged(log, 'a')),
      node('b', logged(log, 'b', { open: fails('no database') })),
      node('c', logged(log, 'c')),
    ]);
    const error: unknown = await chain.open().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: 'no database' });
    expect(chain.failedOperator(error)).toBe('b');
    await chain.abort();
    expect(log).toEqual(['open c', 'open b', 'close b', 'close c']);
  });

  test('what fails to close after the last record fails the chain by name; the others are closed', async () => {
    const log: string[] = [];
    const { chain, input } = await openChain([
      node('a', logged(log, 'a', { close: fails('not flushed') })),
      node('b', logged(log, 'b')),
    ]);
    input.end();
    const error: unknown = await chain.finish().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: 'not flushed' });
    expect(chain.failedOperator(error)).toBe('a');
    expect(log.slice(2)).toEqual(['close a', 'close b']);
  });

  test('after a failure errors in close are told, and hide nothing', async () => {
    const log: string[] = [];
    const warnings: string[] = [];
    const { chain } = await openChain(
      [node('a', logged(log, 'a', { close: fails('gone') })), node('b', logged(log, 'b'))],
      { host: { warn: (message) => void warnings.push(message) } },
    );
    await chain.abort();
    await chain.abort();
    expect(log.slice(2)).toEqual(['close a', 'close b']);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^close\(\) of a function of 'a' failed: Error: gone/);
  });

  test('an abort during open closes what is being opened, after it', async () => {
    const log: string[] = [];
    const opening = Promise.withResolvers<void>();
    const { chain } = buildChain([node('a', logged(log, 'a', { open: () => opening.promise }))]);
    const opened = chain.open();
    const aborted = chain.abort();
    expect(log).toEqual(['open a']);
    opening.resolve();
    await expect(opened).rejects.toThrow(/aborted/);
    await aborted;
    expect(log).toEqual(['open a', 'close a']);
  });

  test('what was never opened is not closed', async () => {
    const log: string[] = [];
    await buildChain([node('a', logged(log, 'a'))]).chain.abort();
    expect(log).toEqual([]);
  });
});

describe('in a task', () => {
  test.each([
    ['finishes', ExecutionState.finished],
    ['is cancelled', ExecutionState.canceled],
    ['fails', ExecutionState.failed],
  ])('that %s they are closed before it reports its end', async (_name, state) => {
    const log: string[] = [];
    const { task, channels, ended } = await startTask([
      {
        id: 'a',
        operation: {
          kind: 'map',
          fn: (value) => {
            if (state === ExecutionState.failed) throw new Error('no such record');
            return value;
          },
        },
        rich: [logged(log, 'a')],
      },
    ]);
    expect(log).toEqual(['open a']);
    if (state === ExecutionState.canceled) task.cancel();
    else channels[0]!.received(encoded(3, true));
    expect((await ended).state).toBe(state);
    expect(log).toEqual(['open a', 'close a']);
  });
});
