import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Operation } from '../../../../src/api/transformations.ts';
import { types } from '../../../../src/api/types.ts';
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

describe('a tree of maps and filters', () => {
  interface Step {
    readonly kind: 'map' | 'filter';
    /** Which one before it feeds it; of the first nobody asks. */
    readonly parent: number;
    readonly hasEdge: boolean;
    readonly by: number;
    readonly throwsAt: number;
  }
  const trees = fc
    .array(
      fc.record({
        kind: fc.constantFrom('map' as const, 'filter' as const),
        parent: fc.nat(),
        hasEdge: fc.boolean(),
        by: fc.integer({ min: 1, max: 5 }),
        throwsAt: fc.integer({ min: 0, max: 60 }),
      }),
      { minLength: 1, maxLength: 7 },
    )
    .map((steps) => steps.map((step, i): Step => ({ ...step, parent: i && step.parent % i })));
  const inputs = fc.array(fc.nat({ max: 40 }), { maxLength: 20 });

  const call = (step: Step, index: number, value: number): number | boolean => {
    if (value === step.throwsAt) throw new RangeError(`n${index}`);
    return step.kind === 'map' ? value + step.by : value % (step.by + 1) !== 0;
  };

  const childrenOf = (tree: readonly Step[], index: number): readonly number[] =>
    tree.flatMap(({ parent }, child) => (child > 0 && parent === index ? [child] : []));
  const onlyLooks = (tree: readonly Step[], index: number): boolean =>
    tree[index]!.kind === 'filter' &&
    childrenOf(tree, index).every((child) => onlyLooks(tree, child));

  /** One after the other: edges first, then those that change nothing. Stops where one throws. */
  function follow(tree: readonly Step[], index: number, value: number, out: number[][]): void {
    const result = call(tree[index]!, index, value);
    if (result === false) return;
    const next = result === true ? value : result;
    out[index]?.push(next);
    const children = childrenOf(tree, index);
    const [looking, others] = [true, false].map((looks) =>
      children.filter((child) => onlyLooks(tree, child) === looks),
    );
    for (const child of [...looking!, ...others!]) follow(tree, child, next, out);
  }

  test('does what its functions do one after the other, and blames the one that threw', async () => {
    await fc.assert(
      fc.asyncProperty(trees, inputs, async (tree, values) => {
        const nodes = tree.map((step, i): NodeSpec => {
          const fn = (value: number) => call(step, i, value);
          const operation = { kind: step.kind, fn } as Operation;
          const node = {
            id: `n${i}`,
            operation,
            output: step.hasEdge || childrenOf(tree, i).length === 0,
          };
          return i === 0 ? node : { ...node, parent: `n${step.parent}` };
        });
        const { chain, input, outputs } = await openChain(nodes);
        const expected = nodes.map((): number[] => []);
        for (const value of values) {
          const wanted = thrownBy(() => follow(tree, 0, value, expected));
          const error = thrownBy(() => input.record(value, 3));
          expect(error).toEqual(wanted);
          if (wanted !== null) expect(chain.failedOperator(error)).toBe(wanted.message);
        }
        input.watermark(9);
        expect(chain.currentWatermark).toBe(9);
        const ends = nodes.flatMap(({ output }, i) => (output === true ? [expected[i]!] : []));
        expect(outputs.map(({ elements }) => elements)).toEqual(
          ends.map((end) => [...end.map((value) => ({ value, timestamp: 3 })), { watermark: 9 }]),
        );
      }),
    );
  });

  test('checks values between two functions, and blames the one that returned them', async () => {
    const { chain, input, output } = await openChain([
      { id: 'm', operation: map((v) => (v > 1 ? 'text' : v)), type: types.int32 },
      { id: 'm2', operation: map((v) => v * 2), type: types.int32 },
    ]);
    input.record(1, 0);
    const error = thrownBy(() => input.record(2, 0));
    expect(error).toBeInstanceOf(TypeError);
    expect(chain.failedOperator(error)).toBe('m');
    expect(output.values()).toEqual([2]);
  });
});

function thrownBy(call: () => void): Error | null {
  try {
    call();
    return null;
  } catch (error) {
    return error as Error;
  }
}

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
