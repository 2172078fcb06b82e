import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileJob } from '../../src/graph/compile.ts';
import type { JobGraph } from '../../src/graph/job-graph.ts';
import { jobGraphSchema } from '../../src/graph/job-graph-schema.ts';
import { findGraphProblems, parseJobGraph } from '../../src/graph/validate.ts';
import { anyType } from '../api/arbitrary-type.ts';
import { delays, delaysArgs, graphOf, numbers, options, out, wordCount } from './jobs.ts';

const fitsSchema = new Ajv2020({ strict: true, strictTypes: false }).compile(jobGraphSchema);

const same = (n: number) => n;
const forked = graphOf((env) => {
  const source = env.fromSource(numbers({ boundedness: 'unbounded' }));
  source.map(same).uid('map').sinkTo(out('one'));
  source.rescale().filter(Boolean).sinkTo(out('two'));
});
const graphs: readonly JobGraph[] = [
  compileJob(delays, delaysArgs, options).graph,
  compileJob(wordCount, {}, options).graph,
  forked,
];

const copy = (graph: JobGraph) => JSON.parse(JSON.stringify(graph)) as any; // oxlint-disable-line typescript/no-explicit-any

describe('a graph that was compiled', () => {
  test.each(graphs.map((g) => [g.name, g] as const))(
    'fits its JSON Schema and is accepted: %s',
    (_, graph) => {
      const arrived = copy(graph);
      expect(fitsSchema(arrived), JSON.stringify(fitsSchema.errors)).toBe(true);
      expect(findGraphProblems(arrived)).toEqual([]);
      expect(parseJobGraph(arrived)).toBe(arrived);
    },
  );

  test('may have any type', () => {
    fc.assert(
      fc.property(anyType, (type) => {
        const graph = copy(
          graphOf(
            (env) =>
              void env
                .fromSource(numbers({ type: type as never }))
                .rebalance()
                .sinkTo(out()),
          ),
        );
        expect(fitsSchema(graph)).toBe(true);
        expect(findGraphProblems(graph)).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});

/** Every place in a value, as the way to it. */
function placesIn(value: unknown, way: readonly string[] = []): (readonly string[])[] {
  if (value === null || typeof value !== 'object') return [way];
  const inner = Object.entries(value).flatMap(([key, child]) => placesIn(child, [...way, key]));
  return way.length === 0 ? inner : [way, ...inner];
}

describe('what is no graph', () => {
  test('whatever the JSON Schema refuses is refused', () => {
    const changes = fc.constantFrom(...graphs).chain((graph) =>
      fc.record({
        graph: fc.constant(graph),
        way: fc.constantFrom(...placesIn(graph)),
        replacement: fc.oneof(
          fc.constant(undefined),
          fc.constantFrom<unknown>(null, '', 'x', 0, -1, 1.5, 1e9, true, [], {}, ['x']),
        ),
        adds: fc.boolean(),
      }),
    );
    let refused = 0;
    fc.assert(
      fc.property(changes, ({ graph, way, replacement, adds }) => {
        const changed = copy(graph);
        const parent = way.slice(0, -1).reduce((at, key) => at[key], changed);
        const key = adds && !Array.isArray(parent) ? 'surplus' : way.at(-1)!;
        if (replacement === undefined && !Array.isArray(parent)) delete parent[key];
        else parent[key] = replacement ?? null;
        const problems = findGraphProblems(changed);
        if (!fitsSchema(changed)) {
          refused++;
          expect(problems).not.toEqual([]);
        }
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(300);
  });

  test.each([
    null,
    1,
    'graph',
    [],
    {},
    { vertices: {}, edges: {} },
    { vertices: [null], edges: [null] },
  ])('%j is refused', (value) => {
    expect(findGraphProblems(value)).not.toEqual([]);
    expect(() => parseJobGraph(value)).toThrow(/^not a job graph: /);
  });

  const graph = graphs[0]!;
  // oxlint-disable-next-line typescript/no-explicit-any
  test.each<readonly [string, (g: any) => void, RegExp]>([
    [
      'two vertices with one id',
      (g) => (g.vertices[1].id = g.vertices[0].id),
      /two vertices have the id/,
    ],
    [
      'two operators with one id',
      (g) => (g.vertices[1].operators[1].id = g.vertices[0].operators[0].id),
      /two operators have the id/,
    ],
    [
      'a vertex with the id of no operator',
      (g) => (g.vertices[0].id = 'f'.repeat(32)),
      /does not have the id of its first operator/,
    ],
    [
      'a chain that begins elsewhere',
      (g) => (g.vertices[0].operators[1].inputs = []),
      /inputs must name operators before it/,
    ],
    [
      'a chain that goes back',
      (g) => (g.vertices[0].operators[0].inputs = [g.vertices[0].operators[1].id]),
      /inputs must name/,
    ],
    [
      'an edge from nowhere',
      (g) => (g.edges[0].sourceVertex = 'f'.repeat(32)),
      /names the vertex f+, which is not there/,
    ],
    [
      'an edge of another operator',
      (g) => (g.edges[0].sourceOperator = g.vertices[1].id),
      /which is not in its vertex/,
    ],
    ['a cycle', (g) => g.vertices.reverse(), /its source must stand before its target/],
    ['two edges to one input', (g) => g.edges.push(g.edges[0]), /two edges lead to input 0/],
    [
      'a parallelism above the max',
      (g) => (g.vertices[0].parallelism = 129),
      /parallelism is above its max/,
    ],
    [
      'a hash edge without a key',
      (g) => (g.edges[0].keyType = null),
      /must have a keyType exactly when it is HASH/,
    ],
    [
      'a type that brings code',
      (g) => (g.edges[0].type = { kind: "string'; evil(); '" }),
      /type and keyType must be types/,
    ],
    ['another version', (g) => (g.version = 2), /version must be 1, not 2/],
  ])('%s is refused', (_, change, message) => {
    const changed = copy(graph);
    change(changed);
    expect(findGraphProblems(changed).join('\n')).toMatch(message);
  });

  test('types nested without end are refused', () => {
    const changed = copy(graph);
    let type: object = { kind: 'string' };
    for (let i = 0; i < 10_000; i++) type = { kind: 'list', element: type };
    changed.edges[0].type = type;
    expect(findGraphProblems(changed)).toHaveLength(1);
  });

  test('a thousand problems are not told one by one', () => {
    const changed = copy(graph);
    changed.edges = Array(1000).fill({ id: 'x' });
    expect(findGraphProblems(changed).length).toBeLessThanOrEqual(20);
  });
});
