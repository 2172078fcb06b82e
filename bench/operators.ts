/**
 * What the operator chain costs: three maps and two filters, and the same with a keyed tumbling window
 * sum behind them, each as a ratio to a loop that a person would write by hand for just this job.
 *
 * Run: node bench/operators.ts [millions of records]
 */
import { execFileSync } from 'node:child_process';
import type { Operation, Transformation } from '../src/api/transformations.ts';
import { type TypeDescriptor, types } from '../src/api/types.ts';
import { TumblingEventTimeWindows } from '../src/api/windows.ts';
import type { JobEdge, JobVertex } from '../src/graph/job-graph.ts';
import { createOperatorChain } from '../src/runtime/stream/operators/create-operator-chain.ts';
import type { ElementConsumer } from '../src/runtime/stream/operators/element-consumer.ts';

interface Trade {
  readonly symbol: string;
  readonly price: number;
  readonly time: number;
}

const windowMs = 1000;
/** Records between two watermarks: what a source emits in one poll. */
const batch = 1024;
const trades: Trade[] = Array.from({ length: 1 << 16 }, (_, i) => ({
  symbol: `S${(i * 7919) % 500}`,
  price: ((i * 31) % 1000) + 1,
  time: 0,
}));

const convert = (t: Trade): Trade => ({ symbol: t.symbol, price: t.price * 1.1, time: t.time });
const positive = (t: Trade): boolean => t.price > 0;
const addFee = (t: Trade): Trade => ({ symbol: t.symbol, price: t.price + 0.25, time: t.time });
const belowLimit = (t: Trade): boolean => t.price < 1000;
const round = (t: Trade): Trade => ({ symbol: t.symbol, price: Math.round(t.price), time: t.time });

const stateless: readonly Operation[] = [
  { kind: 'map', fn: convert },
  { kind: 'filter', fn: positive },
  { kind: 'map', fn: addFee },
  { kind: 'filter', fn: belowLimit },
  { kind: 'map', fn: round },
];

const windowed: readonly Operation[] = [
  ...stateless,
  {
    kind: 'window',
    assigner: TumblingEventTimeWindows.of(windowMs),
    allowedLatenessMs: 0,
    key: { selector: (t: Trade) => t.symbol, type: types.string },
    contents: {
      kind: 'aggregate',
      fn: {
        createAccumulator: () => 0,
        add: (t: Trade, sum: number) => sum + t.price,
        getResult: (sum: number) => sum,
        merge: (a: number, b: number) => a + b,
      },
    },
    windowFunction: null,
  },
];

/** Sums what comes out, so that the work cannot be optimised away and results can be compared. */
class Total implements ElementConsumer {
  sum = 0;
  record(value: unknown): void {
    this.sum += typeof value === 'number' ? value : (value as Trade).price;
  }
  watermark(): void {}
  idle(): void {}
  end(): void {}
}

/** Of the values that the maps return: they are checked where it is declared. */
const tradeType = types.record({
  symbol: types.string,
  price: types.double,
  time: types.timestamp,
});

/** Runs `records` records through a chain of `operations`; 10 records a millisecond of event time. */
function throughChain(
  operations: readonly Operation[],
  records: number,
  type: TypeDescriptor<Trade> | null = null,
): number {
  const output = new Total();
  const input = makeChain(operations, output, type);
  for (let i = 0; i < records; i++) {
    const time = (i / 10) | 0;
    input.record(trades[i & 0xffff]!, time);
    if (i % batch === 0) input.watermark(time - 1);
  }
  input.watermark(Number.POSITIVE_INFINITY);
  return output.sum;
}

function makeChain(
  operations: readonly Operation[],
  output: ElementConsumer,
  type: TypeDescriptor<Trade> | null,
): ElementConsumer {
  const ids = operations.map((_, i) => `op${i}`);
  const vertex: JobVertex = {
    id: 'vertex',
    name: 'bench',
    parallelism: 1,
    maxParallelism: 128,
    slotSharingGroup: 'default',
    operators: operations.map((operation, i) => ({
      id: ids[i]!,
      uid: null,
      name: `${operation.kind} ${i}`,
      kind: operation.kind,
      inputs: i === 0 ? [] : [ids[i - 1]!],
      outputType: operation.kind === 'window' ? null : type,
      stateful: false,
      enumerator: null,
      committer: null,
    })),
  };
  const edge = (from: string, to: string): JobEdge => ({
    id: `${from}->${to}`,
    sourceVertex: from === 'before' ? from : vertex.id,
    sourceOperator: from,
    targetVertex: to === 'after' ? to : vertex.id,
    targetOperator: to,
    input: 0,
    partitioner: 'FORWARD',
    type: null,
    keyType: null,
  });
  const transformations = operations.map((operation, id): [string, Transformation] => [
    ids[id]!,
    {
      id,
      operation,
      inputs: [],
      rich: [],
      name: `${operation.kind} ${id}`,
      uid: null,
      parallelism: null,
      maxParallelism: null,
      outputType: null,
    },
  ]);
  const chain = createOperatorChain(
    vertex,
    [edge('before', ids[0]!), edge(ids.at(-1)!, 'after')],
    new Map(transformations),
    {
      jobId: 'bench',
      epoch: 0,
      taskName: 'bench (1/1)',
      subtaskIndex: 0,
      parallelism: 1,
      maxParallelism: 128,
      attempt: 0,
      workingDirectory: '.',
      cachedFiles: {},
      outputs: [output],
      clock: { monotonic: () => 0 },
      wakeAfter: () => {},
      stdout: { write: () => {}, ready: () => null, flushed: async () => {} },
      warn: () => {},
      shouldYield: () => false,
    },
  );
  return chain.inputs[0]!;
}

function statelessByHand(records: number): number {
  let sum = 0;
  for (let i = 0; i < records; i++) {
    const converted = convert(trades[i & 0xffff]!);
    if (!positive(converted)) continue;
    const withFee = addFee(converted);
    if (!belowLimit(withFee)) continue;
    sum += round(withFee).price;
  }
  return sum;
}

function windowedByHand(records: number): number {
  let total = 0;
  const windows = new Map<number, Map<string, number>>();
  const fire = (watermark: number) => {
    for (const [start, sums] of windows) {
      if (start + windowMs - 1 > watermark) continue;
      for (const sum of sums.values()) total += sum;
      windows.delete(start);
    }
  };
  for (let i = 0; i < records; i++) {
    const time = (i / 10) | 0;
    const converted = convert(trades[i & 0xffff]!);
    if (positive(converted)) {
      const withFee = addFee(converted);
      if (belowLimit(withFee)) {
        const rounded = round(withFee);
        const start = time - (time % windowMs);
        let sums = windows.get(start);
        if (sums === undefined) windows.set(start, (sums = new Map()));
        sums.set(rounded.symbol, (sums.get(rounded.symbol) ?? 0) + rounded.price);
      }
    }
    if (i % batch === 0) fire(time - 1);
  }
  fire(Number.POSITIVE_INFINITY);
  return total;
}

/** The best of several runs, in records a second: the machine is shared. */
function rate(run: (records: number) => number, records: number): { rate: number; sum: number } {
  let best = 0;
  let sum = run(records / 4);
  for (let i = 0; i < 5; i++) {
    const start = process.hrtime.bigint();
    sum = run(records);
    best = Math.max(best, records / (Number(process.hrtime.bigint() - start) / 1e9));
  }
  return { rate: best, sum };
}

type Run = (records: number) => number;

const cases: Readonly<Record<string, readonly [chain: Run, byHand: Run]>> = {
  '3 maps, 2 filters': [(n) => throughChain(stateless, n), statelessByHand],
  '3 maps, 2 filters, of a declared type': [
    (n) => throughChain(stateless, n, tradeType),
    statelessByHand,
  ],
  '3 maps, 2 filters, keyed window sum': [(n) => throughChain(windowed, n), windowedByHand],
};

function report(name: string, records: number): void {
  const [chain, byHand] = cases[name]!;
  const measured = rate(chain, records);
  const reference = rate(byHand, records);
  if (Math.abs(measured.sum - reference.sum) > 1e-6 * Math.abs(reference.sum)) {
    throw new Error(`${name}: the chain says ${measured.sum}, the loop ${reference.sum}`);
  }
  const millions = (perSecond: number) => `${(perSecond / 1e6).toFixed(1)} M records/s`;
  process.stdout.write(
    `${name}: ${millions(measured.rate)}, by hand ${millions(reference.rate)}, ` +
      `${(reference.rate / measured.rate).toFixed(2)} times the time of the loop\n`,
  );
}

const [, script, millions = '20', only] = process.argv;
if (only !== undefined) {
  report(only, Number(millions) * 1e6);
} else {
  // A process each, as each task has an isolate of its own: what V8 has learned of one is not the other's.
  for (const name of Object.keys(cases)) {
    execFileSync(process.execPath, [script!, millions, name], { stdio: 'inherit' });
  }
}
