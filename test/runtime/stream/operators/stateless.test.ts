import { describe, expect, test } from 'vitest';
import type { Operation } from '../../../../src/api/transformations.ts';
import { openChain } from './chains.ts';
import type { NodeSpec } from './chains.ts';

const map = (fn: (v: number) => unknown): Operation => ({ kind: 'map', fn });
const filter = (fn: (v: number) => boolean): Operation => ({ kind: 'filter', fn });
const expand: Operation = {
  kind: 'flatMap',
  fn: (n: number, out) => {
    for (let i = 0; i < n; i++) out.collect(`${n}:${i}`);
  },
};

describe('stateless operators', () => {
  test.each<[string, NodeSpec[], number[], unknown[]]>([
    ['map', [{ id: 'm', operation: map((v) => v * 2) }], [1, 2], [2, 4]],
    [
      'map to undefined is a record',
      [{ id: 'm', operation: map(() => undefined) }],
      [1],
      [undefined],
    ],
    ['filter', [{ id: 'f', operation: filter((v) => v > 1) }], [1, 2, 3], [2, 3]],
    ['flatMap expands', [{ id: 'x', operation: expand }], [2, 0, 1], ['2:0', '2:1', '1:0']],
    [
      'a chain of them',
      [
        { id: 'm1', operation: map((v) => v + 1) },
        { id: 'f', operation: filter((v) => v % 2 === 0) },
        { id: 'x', operation: expand },
        { id: 'm2', operation: map((v) => `<${v}>`) },
      ],
      [1, 2, 3],
      ['<2:0>', '<2:1>', '<4:0>', '<4:1>', '<4:2>', '<4:3>'],
    ],
  ])('%s', async (_name, nodes, input, expected) => {
    const { input: head, output } = await openChain(nodes);
    for (const value of input) head.record(value, 7);
    expect(output.elements).toEqual(expected.map((value) => ({ value, timestamp: 7 })));
  });

  test('everything that is no record passes through in order', async () => {
    const { input, output } = await openChain([
      { id: 'm', operation: map((v) => v) },
      { id: 'f', operation: filter(() => true) },
      { id: 'x', operation: expand },
    ]);
    input.record(1, 5);
    input.watermark(4);
    input.idle(true);
    input.idle(false);
    input.end();
    expect(output.elements).toEqual([
      { value: '1:0', timestamp: 5 },
      { watermark: 4 },
      { idle: true },
      { idle: false },
      'end',
    ]);
  });

  test('functions see the task, and counters of one name are one', async () => {
    const seen: unknown[] = [];
    const { chain, input } = await openChain(
      [
        {
          id: 'm',
          operation: {
            kind: 'map',
            fn: (v, context) => {
              seen.push([context.jobId, context.taskName, context.subtaskIndex, context.attempt]);
              context.counter('seen').add();
              return v;
            },
          },
        },
        {
          id: 'f',
          operation: {
            kind: 'filter',
            fn: (v: number, context) => {
              context.counter('seen').add(10);
              if (v < 0) context.counter('negative').add(v);
              return true;
            },
          },
        },
      ],
      { host: { subtaskIndex: 1, attempt: 2, taskName: 'm -> f (2/2)' } },
    );
    input.record(1, 0);
    input.record(-4, 0);
    expect(seen[0]).toEqual(['job', 'm -> f (2/2)', 1, 2]);
    expect(chain.accumulators()).toEqual({ seen: 22, negative: -4 });
  });

  test('a collector that is kept and used later is refused', async () => {
    let kept: ((v: number) => void) | null = null;
    const { input, output } = await openChain([
      {
        id: 'later',
        operation: { kind: 'flatMap', fn: (_v, out) => void (kept = (v) => out.collect(v)) },
      },
    ]);
    input.record(1, 0);
    expect(() => kept!(1)).toThrow(
      /'later' called out\.collect\(\) after its function had returned/,
    );
    expect(output.elements).toEqual([]);
  });
});

describe('user exceptions', () => {
  const boom = new RangeError('boom');
  const thrower: Operation = {
    kind: 'map',
    fn: () => {
      throw boom;
    },
  };

  test('leave the chain unchanged, with the innermost operator known', async () => {
    const { chain, input } = await openChain([
      { id: 'outer', operation: map((v) => v) },
      { id: 'expand', operation: expand },
      { id: 'thrower', operation: thrower },
    ]);
    expect(chain.failedOperator(boom)).toBeNull();
    let thrown: unknown;
    try {
      input.record(1, 0);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBe(boom);
    expect(chain.failedOperator(boom)).toBe('thrower');
    expect(chain.failedOperator(new Error('of another place'))).toBeNull();
  });

  test('an error that a function catches and replaces is its own', async () => {
    const replaced = new Error('replaced');
    const { chain, input } = await openChain([
      {
        id: 'catcher',
        operation: {
          kind: 'flatMap',
          fn: (v, out) => {
            try {
              out.collect(v);
            } catch {
              throw replaced;
            }
          },
        },
      },
      { id: 'thrower', operation: thrower },
    ]);
    expect(() => input.record(1, 0)).toThrow(replaced);
    expect(chain.failedOperator(replaced)).toBe('catcher');
  });

  test('a thrown value that is no Error passes too', async () => {
    const { chain, input } = await openChain([
      {
        id: 'm',
        operation: map(() => {
          throw 'text'; // oxlint-disable-line typescript/only-throw-error
        }),
      },
    ]);
    expect(() => input.record(1, 0)).toThrow('text');
    expect(chain.failedOperator('text')).toBe('m');
  });
});
