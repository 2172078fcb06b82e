/** Jobs, sources and sinks for the tests of graphs; nothing of them is ever run. */
import type { StreamExecutionEnvironment } from '../../src/api/environment.ts';
import { type JobDefinition, defineJob } from '../../src/api/job.ts';
import type { Sink } from '../../src/api/sink.ts';
import type { Source } from '../../src/api/source.ts';
import { type TypeDescriptor, types } from '../../src/api/types.ts';
import { boundedOutOfOrderness } from '../../src/api/watermarks.ts';
import { TumblingEventTimeWindows } from '../../src/api/windows.ts';
import type { JsonObject } from '../../src/contract/json.ts';
import { type CompiledJob, compileJob } from '../../src/graph/compile.ts';
import type { JobGraph } from '../../src/graph/job-graph.ts';

const never = () => {
  throw new Error('no test of graphs runs a job');
};

export function numbers<T = number>(
  options: {
    readonly type?: TypeDescriptor<T>;
    readonly boundedness?: 'bounded' | 'unbounded';
    readonly path?: string;
  } = {},
): Source<T> {
  return {
    name: 'numbers',
    type: options.type ?? null,
    boundedness: options.boundedness ?? 'bounded',
    enumerator: { kind: 'numbers', options: { path: options.path ?? 'a' } },
    createReader: never,
  };
}

export function out(name = 'out'): Sink<unknown> {
  return { name, committer: { kind: 'files', options: { path: name } }, createWriter: never };
}

type Builder = (env: StreamExecutionEnvironment) => void;

export function compile(builder: Builder, parallelism = 2): CompiledJob {
  return compileJob(defineJob('job', builder), {}, { bundleHash: 'b'.repeat(64), parallelism });
}

export const graphOf = (builder: Builder, parallelism = 2): JobGraph =>
  compile(builder, parallelism).graph;

export const flight = types.record({
  origin: types.string,
  time: types.timestamp,
  delay: types.int32,
});
const delay = types.record({ origin: types.string, flights: types.int32 });

export const delays: JobDefinition<{ input: string; output: string }> = defineJob(
  'delays',
  { args: types.record({ input: types.string, output: types.string }) },
  (env, args) => {
    env
      .fromSource(numbers({ type: flight, path: args.input }), {
        name: 'flights',
        watermarks: boundedOutOfOrderness('5m', (f) => f.time),
      })
      .filter((f) => f.delay > 0)
      .keyBy('origin')
      .window(TumblingEventTimeWindows.of('1d'))
      .aggregate(
        {
          createAccumulator: () => 0,
          add: (_, n: number) => n + 1,
          getResult: (n) => n,
          merge: (a, b) => a + b,
        },
        (origin, _, counts, collector) => {
          for (const flights of counts) collector.collect({ origin, flights });
        },
        { type: delay },
      )
      .uid('per-day')
      .sinkTo(out(args.output));
  },
);

export const wordCount: JobDefinition<void> = defineJob('word count', (env) => {
  env
    .fromSource(numbers<string>({ type: types.string }), { name: 'lines' })
    .flatMap<{ word: string; count: number }>(never, { name: 'Words' })
    .keyBy((w) => w.word)
    .reduce(never)
    .sinkTo(out('counts'));
});

export const delaysArgs: JsonObject = { input: 'flights.csv', output: 'out/delays' };
export const options = { bundleHash: 'b'.repeat(64), parallelism: 2 };
