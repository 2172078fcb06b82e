/**
 * Random jobs, each in several variants: where its tasks lie, how many there are, how large buffers and credit
 * are, how slow its sinks. All of them give the answers that a loop over the records gives.
 *
 * `FCTL_RANDOM_JOBS=500` runs so many jobs instead of a few.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type DataStream,
  GeneratorSource,
  type Sink,
  TumblingEventTimeWindows,
  type TypeOf,
  defineJob,
  monotonousTimestamps,
  types,
} from '../../../../src/api/index.ts';
import { compileJob } from '../../../../src/graph/compile.ts';
import { placements, runInSlots } from './slots.ts';

const entry = types.record({ k: types.string, n: types.int32, t: types.timestamp });
type Entry = TypeOf<typeof entry>;

const create = (i: number): Entry => ({ k: `key ${(i * 7) % 13}`, n: i % 101, t: i * 10 });

/** What a stage does to one record: how it is written as a function of a user, and what comes of it. */
interface Stage {
  readonly apply: (stream: DataStream<Entry>, typing: { type?: typeof entry }) => DataStream<Entry>;
  readonly results: (record: Entry) => readonly Entry[];
}

const stages: Readonly<Record<string, Stage>> = {
  'map into another': {
    apply: (s, typing) => s.map((x) => ({ ...x, n: x.n + 1 }), typing),
    results: (x) => [{ ...x, n: x.n + 1 }],
  },
  'map in place': {
    apply: (s, typing) =>
      s.map((x) => {
        x.n = x.n * 3 + 1;
        return x;
      }, typing),
    results: (x) => [{ ...x, n: x.n * 3 + 1 }],
  },
  filter: {
    apply: (s) => s.filter((x) => x.n % 5 !== 0),
    results: (x) => (x.n % 5 === 0 ? [] : [x]),
  },
  'emit one object twice': {
    apply: (s, typing) =>
      s.flatMap<Entry>((x, out) => {
        out.collect(x);
        x.n = -x.n;
        out.collect(x);
      }, typing),
    results: (x) => [x, { ...x, n: -x.n }],
  },
};

type End = 'records' | 'rolling' | 'window' | 'two branches';

interface Spec {
  readonly count: number;
  readonly stages: readonly (keyof typeof stages)[];
  readonly partitions: readonly ('forward' | 'rebalance' | 'shuffle')[];
  readonly isTyped: boolean;
  readonly end: End;
}

interface Variant {
  readonly placement: string;
  readonly parallelism: readonly number[];
  readonly bufferSizeBytes: number;
  readonly channelCreditBytes: number;
  readonly bufferTimeoutMs: number;
  /** Records that a sink takes at once; 0: any number. */
  readonly sinkBatch: number;
}

const spec: fc.Arbitrary<Spec> = fc.record({
  count: fc.integer({ min: 0, max: 600 }),
  stages: fc.array(fc.constantFrom(...Object.keys(stages)), { maxLength: 4 }),
  partitions: fc.array(fc.constantFrom('forward', 'rebalance', 'shuffle'), {
    minLength: 5,
    maxLength: 5,
  }),
  isTyped: fc.boolean(),
  end: fc.constantFrom<End>('records', 'rolling', 'window', 'two branches'),
});

const variant: fc.Arbitrary<Variant> = fc.record({
  placement: fc.constantFrom(...Object.keys(placements)),
  parallelism: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 7, maxLength: 7 }),
  bufferSizeBytes: fc.constantFrom(64, 1024, 32 * 1024),
  channelCreditBytes: fc.constantFrom(256, 8 * 1024, 256 * 1024),
  bufferTimeoutMs: fc.constantFrom(0, 1, 20),
  sinkBatch: fc.constantFrom(0, 1, 50),
});

/** Keeps what it gets, as text; takes `batch` records a turn of the event loop. */
function slowSink(results: string[], batch: number): Sink<unknown> {
  return {
    name: 'slow',
    committer: null,
    createWriter: () => {
      let taken = 0;
      return {
        open: async () => {},
        write: (value) => {
          results.push(JSON.stringify(value));
          taken++;
        },
        ready: () => {
          if (batch === 0 || taken < batch) return null;
          taken = 0;
          return new Promise((resolve) => setImmediate(resolve));
        },
        finish: async () => [],
        abort: async () => {},
      };
    },
  };
}

let jobs = 0;

async function run(job: Spec, how: Variant): Promise<Answers> {
  const outputs: Record<string, string[]> = { main: [], other: [] };
  const typing = job.isTyped ? { type: entry } : {};
  const sink = (name: string) => slowSink(outputs[name]!, how.sinkBatch);
  const definition = defineJob(`random ${jobs++}`, (env) => {
    const source = GeneratorSource.of<Entry>({ count: job.count, create, ...typing });
    let stream = env.fromSource(source, { watermarks: monotonousTimestamps((x) => x.t) });
    stream.setParallelism(how.parallelism[0]!);
    for (const [index, name] of job.stages.entries()) {
      const parted = partition(stream, job.partitions[index]!);
      stream = stages[name]!.apply(parted, typing);
      stream.setParallelism(how.parallelism[index + 1]!);
    }
    finish(stream, job.end, how.parallelism[5]!, sink);
  });
  const compiled = compileJob(definition, {}, { bundleHash: '0'.repeat(64), parallelism: 1 });
  await runInSlots(compiled, placements[how.placement]!, { ...how, maxFrameBytes: 1024 * 1024 });
  return answersOf(job.end, outputs['main']!, outputs['other']!);
}

function partition(stream: DataStream<Entry>, how: Spec['partitions'][number]): DataStream<Entry> {
  if (how === 'rebalance') return stream.rebalance();
  return how === 'shuffle' ? stream.shuffle() : stream;
}

function finish(
  stream: DataStream<Entry>,
  end: End,
  parallelism: number,
  sink: (name: string) => Sink<unknown>,
): void {
  switch (end) {
    case 'records':
      stream.sinkTo(sink('main'));
      return;
    case 'rolling':
      stream
        .map((x) => ({ ...x, n: Math.abs(x.n) }))
        .keyBy((x) => x.k)
        .reduce((a, b) => {
          a.n += b.n;
          return a;
        })
        .setParallelism(parallelism)
        .map((x) => [x.k, x.n])
        .sinkTo(sink('main'));
      return;
    case 'window':
      stream
        .keyBy((x) => x.k)
        .window(TumblingEventTimeWindows.of(500))
        .apply((key, window, values, out) => {
          const numbers = [...values].map(({ n }) => n).toSorted((a, b) => a - b);
          out.collect([key, window.start, numbers]);
        })
        .setParallelism(parallelism)
        .sinkTo(sink('main'));
      return;
    case 'two branches':
      stages['map in place']!.apply(stream, {}).setParallelism(parallelism).sinkTo(sink('main'));
      stages['map in place']!.apply(stream, {}).sinkTo(sink('other'));
  }
}

type Answers = readonly string[];

/** What does not depend on the order in which records of several tasks come. */
function answersOf(end: End, main: readonly string[], other: readonly string[]): Answers {
  if (end !== 'rolling') return [...main.toSorted(), 'other', ...other.toSorted()];
  const last = new Map<string, number>();
  for (const text of main) {
    const [key, n] = JSON.parse(text) as [string, number];
    last.set(key, Math.max(last.get(key) ?? 0, n));
  }
  return [`${main.length} records`, ...Array.from(last, (e) => JSON.stringify(e)).toSorted()];
}

/** The same by a loop. */
function expected(job: Spec): Answers {
  let records = Array.from({ length: job.count }, (_, i) => create(i));
  for (const name of job.stages) records = records.flatMap((x) => stages[name]!.results({ ...x }));
  const texts = (values: readonly unknown[]) => values.map((v) => JSON.stringify(v));
  switch (job.end) {
    case 'records':
      return answersOf(job.end, texts(records), []);
    case 'two branches': {
      const mapped = texts(records.flatMap(stages['map in place']!.results));
      return answersOf(job.end, mapped, mapped);
    }
    case 'rolling': {
      const sums = new Map<string, number>();
      const main = records.map((x) => {
        sums.set(x.k, (sums.get(x.k) ?? 0) + Math.abs(x.n));
        return [x.k, sums.get(x.k)];
      });
      return answersOf(job.end, texts(main), []);
    }
    case 'window': {
      const windows = new Map<string, number[]>();
      for (const { k, n, t } of records) {
        const id = JSON.stringify([k, Math.floor(t / 500) * 500]);
        windows.set(id, [...(windows.get(id) ?? []), n]);
      }
      const main = Array.from(windows, ([id, numbers]) => [
        ...(JSON.parse(id) as unknown[]),
        numbers.toSorted((a, b) => a - b),
      ]);
      return answersOf(job.end, texts(main), []);
    }
  }
}

const count = Number(process.env['FCTL_RANDOM_JOBS'] ?? 25);

test(`${count} random jobs, in three variants each`, { timeout: count * 4000 }, async () => {
  await fc.assert(
    fc.asyncProperty(spec, fc.tuple(variant, variant, variant), async (job, variants) => {
      const answers = expected(job);
      for (const how of variants) expect(await run(job, how)).toEqual(answers);
    }),
    { numRuns: count },
  );
});
