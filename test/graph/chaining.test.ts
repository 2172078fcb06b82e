import { describe, expect, test } from 'vitest';
import type { DataStream } from '../../src/api/data-stream.ts';
import type { StreamExecutionEnvironment } from '../../src/api/environment.ts';
import { EndOfStreamWindows } from '../../src/api/windows.ts';
import { graphOf, numbers, out } from './jobs.ts';

const same = (n: number) => n;
const sum = (a: number, b: number) => a + b;
type Build = (stream: DataStream<number>, env: StreamExecutionEnvironment) => unknown;

/** What a job with default parallelism 2 becomes: vertices, and the partitioners between them. */
function shape(build: Build): { readonly vertices: string[]; readonly edges: string[] } {
  const graph = graphOf((env) => build(env.fromSource(numbers(), { name: 'a' }), env));
  return {
    vertices: graph.vertices.map((v) => `${v.name} x${v.parallelism}`),
    edges: graph.edges.map((e) => e.partitioner),
  };
}

const rules: readonly (readonly [string, Build, string[], string[]])[] = [
  [
    'what is forwarded joins',
    (s) => s.map(same).filter(Boolean).sinkTo(out()),
    ['Source: a -> Map -> Filter -> Sink: out x2'],
    [],
  ],
  [
    'another parallelism does not',
    (s) => s.map(same).setParallelism(3).sinkTo(out()),
    ['Source: a x2', 'Map x3', 'Sink: out x2'],
    ['REBALANCE', 'REBALANCE'],
  ],
  [
    'the same parallelism, given by hand, does',
    (s) => s.setParallelism(1).map(same).setParallelism(1).sinkTo(out()).setParallelism(1),
    ['Source: a -> Map -> Sink: out x1'],
    [],
  ],
  [
    'the parallelism of the environment counts, too',
    (s, env) => {
      env.setParallelism(1);
      s.map(same).setParallelism(1).sinkTo(out());
    },
    ['Source: a -> Map -> Sink: out x1'],
    [],
  ],
  [
    'keyBy breaks',
    (s) => s.keyBy(same).reduce(sum).sinkTo(out()),
    ['Source: a x2', 'Keyed Reduce -> Sink: out x2'],
    ['HASH'],
  ],
  [
    'keyBy breaks even with parallelism 1',
    (s, env) => {
      env.setParallelism(1);
      s.keyBy(same).reduce(sum).sinkTo(out());
    },
    ['Source: a x1', 'Keyed Reduce -> Sink: out x1'],
    ['HASH'],
  ],
  [
    'rebalance breaks',
    (s) => s.rebalance().map(same).sinkTo(out()),
    ['Source: a x2', 'Map -> Sink: out x2'],
    ['REBALANCE'],
  ],
  [
    'rescale breaks',
    (s) => s.rescale().map(same).sinkTo(out()),
    ['Source: a x2', 'Map -> Sink: out x2'],
    ['RESCALE'],
  ],
  [
    'shuffle breaks',
    (s) => s.shuffle().map(same).sinkTo(out()),
    ['Source: a x2', 'Map -> Sink: out x2'],
    ['SHUFFLE'],
  ],
  [
    'broadcast breaks',
    (s) => s.broadcast().map(same).sinkTo(out()),
    ['Source: a x2', 'Map -> Sink: out x2'],
    ['BROADCAST'],
  ],
  ['global breaks', (s) => s.global().sinkTo(out()), ['Source: a x2', 'Sink: out x2'], ['GLOBAL']],
  [
    'forward joins',
    (s) => s.forward().map(same).sinkTo(out()),
    ['Source: a -> Map -> Sink: out x2'],
    [],
  ],
  [
    'windowAll is one subtask',
    (s) => s.windowAll(EndOfStreamWindows.get()).reduce(sum).sinkTo(out()),
    ['Source: a x2', 'WindowAll(EndOfStreamWindows) x1', 'Sink: out x2'],
    ['GLOBAL', 'REBALANCE'],
  ],
  [
    'a chain is a tree',
    (s) => {
      const mapped = s.map(same);
      mapped.sinkTo(out('one'));
      mapped.filter(Boolean).sinkTo(out('two'));
    },
    ['Source: a -> Map -> (Sink: one, Filter -> Sink: two) x2'],
    [],
  ],
  [
    'some go on in the chain, some elsewhere',
    (s) => {
      s.sinkTo(out('one'));
      s.keyBy(same).reduce(sum).sinkTo(out('two'));
    },
    ['Source: a -> Sink: one x2', 'Keyed Reduce -> Sink: two x2'],
    ['HASH'],
  ],
  [
    'names are those of the user',
    (s) => s.map(same).name('Twice').sinkTo(out()).name('Files'),
    ['Source: a -> Twice -> Files x2'],
    [],
  ],
];

describe('chaining', () => {
  test.each(rules)('%s', (_, build, vertices, edges) => {
    expect(shape(build)).toEqual({ vertices, edges });
  });

  test('what no sink depends on is left out', () => {
    expect(
      shape((s) => {
        s.map(same).name('Unused');
        s.sinkTo(out());
      }).vertices,
    ).toEqual(['Source: a -> Sink: out x2']);
  });

  test('forward to another parallelism is refused', () => {
    expect(() => shape((s) => s.forward().map(same).setParallelism(1).sinkTo(out()))).toThrow(
      "job 'job': 'Source: a' (parallelism 2) cannot forward to 'Map' (parallelism 1): give both the same parallelism, " +
        'or use rescale() or rebalance()',
    );
  });

  test('a chain names who is before whom, an edge its operators', () => {
    const { vertices, edges } = graphOf((env) => {
      const source = env.fromSource(numbers());
      source.sinkTo(out('one'));
      source.map(same).keyBy(same).reduce(sum).sinkTo(out('two'));
    });
    const [first, second] = vertices;
    const [source, sink, map] = first!.operators;
    expect(first!.id).toBe(source!.id);
    expect([source!.inputs, sink!.inputs, map!.inputs]).toEqual([[], [source!.id], [source!.id]]);
    const [reduce] = second!.operators;
    expect(edges).toEqual([
      {
        id: `${map!.id}->${reduce!.id}#0`,
        sourceVertex: first!.id,
        sourceOperator: map!.id,
        targetVertex: second!.id,
        targetOperator: reduce!.id,
        input: 0,
        partitioner: 'HASH',
        type: null,
        keyType: { kind: 'primitive' },
      },
    ]);
  });
});
