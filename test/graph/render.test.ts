import { expect, test } from 'vitest';
import { compileJob } from '../../src/graph/compile.ts';
import { renderJobGraph } from '../../src/graph/render.ts';
import { delays, delaysArgs, graphOf, numbers, options, out } from './jobs.ts';

const { graph } = compileJob(delays, delaysArgs, options);
const same = (n: number) => n;
const forked = graphOf((env) => {
  const mapped = env.fromSource(numbers(), { name: 'a "quoted" <name>' }).map(same);
  mapped.filter(Boolean).sinkTo(out('one'));
  mapped.map(same).name('Twice').sinkTo(out('two'));
  mapped.rebalance().sinkTo(out('three'));
});

test('text lists vertices with their inputs and chains', () => {
  expect(`\n${renderJobGraph(graph, 'text')}\n`).toMatchInlineSnapshot(`
    "
    delays  bounded, 2 vertices
      graph 7bd5e1443aaa, bundle bbbbbbbbbbbb
      input: "flights.csv"
      output: "out/delays"

      1  Source: flights -> Filter
         parallelism 2 of at most 128
         Source: flights: { origin: string, time: timestamp, delay: int32 }
         Filter: { origin: string, time: timestamp, delay: int32 }

      2  Window(TumblingEventTimeWindows(1d)) -> Sink: out/delays
         parallelism 2 of at most 128
         <- 1  HASH by string
         Window(TumblingEventTimeWindows(1d)) [per-day]: { origin: string, flights: int32 }
         Sink: out/delays
    "
  `);
});

test('text shows a chain that forks as a tree', () => {
  expect(`\n${renderJobGraph(forked, 'text')}\n`).toMatchInlineSnapshot(`
    "
    job  bounded, 2 vertices
      graph 041f13e0f90d, bundle bbbbbbbbbbbb

      1  Source: a "quoted" <name> -> Map -> (Filter -> Sink: one, Twice -> Sink: two)
         parallelism 2 of at most 128
         Source: a "quoted" <name>: untyped
         Map: untyped
         ├─ Filter: untyped
         │  Sink: one
         └─ Twice: untyped
            Sink: two

      2  Sink: three
         parallelism 2 of at most 128
         <- 1  REBALANCE, encoded by msgpack
         Sink: three
    "
  `);
});

test('mermaid draws vertices and edges, and escapes names', () => {
  expect(`\n${renderJobGraph(graph, 'mermaid')}\n`).toMatchInlineSnapshot(`
    "
    flowchart LR
      v1["Source: flights -#62; Filter<br/>parallelism 2"]
      v2["Window(TumblingEventTimeWindows(1d)) -#62; Sink: out/delays<br/>parallelism 2"]
      v1 -->|HASH| v2
    "
  `);
  expect(renderJobGraph(forked, 'mermaid')).toContain(
    '["Source: a #34;quoted#34; #60;name#62; -#62; Map',
  );
});

test('json is the graph', () => {
  expect(JSON.parse(renderJobGraph(graph, 'json'))).toEqual(graph);
});
