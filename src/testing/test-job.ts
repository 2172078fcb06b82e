/** `testJob`: a whole job in a test, in this process, without a cluster and without touching its sinks. */
import { inspect, isDeepStrictEqual } from 'node:util';
import type { JobDefinition } from '../api/job.ts';
import type { Operation, Transformation } from '../api/transformations.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import { createEnumerator } from '../connectors/registry.ts';
import { compileJob } from '../graph/compile.ts';
import type { CompiledJob } from '../graph/compile.ts';
import { CaptureSink, GivenSource, noSplits } from './capture.ts';
import type { Captured } from './capture.ts';
import type { Layout } from './edge.ts';
import { LocalJob, localJobId } from './local-job.ts';
import { ManualClock } from './manual-clock.ts';

export interface JobTestOptions {
  /** Elements instead of what a source would read, by the source's name or uid. */
  readonly sources?: Readonly<Record<string, Iterable<unknown>>>;
  /** Of processing time. Stands still unless the test, or a source that it gives, moves it. */
  readonly clock?: ManualClock;
  /** Relative paths are relative to it. Default: the current folder. */
  readonly workingDirectory?: string;
  /**
   * Records that a source reads before it emits a watermark. Default 1: whatever can be late is late, and
   * it is so each time. On a cluster it is hundreds.
   */
  readonly batchSize?: number;
  /**
   * Where the tasks of the job lie on the cluster: each in a slot of its own, so that records are encoded
   * between them (`encoded`), or all in one (`same-slot`). `both` runs the job in both layouts and rejects when
   * their answers differ. Default `encoded`.
   */
  readonly layout?: Layout | 'both';
}

export interface JobTestResult {
  /**
   * The records that reached a sink, in order.
   *
   * @param sink its name or uid; not needed when the job has only one.
   * @throws Error naming the sinks there are.
   */
  collected<T = unknown>(sink?: string): readonly T[];
  /** As `collected`, each with its timestamp. */
  timestamped<T = unknown>(sink?: string): readonly Captured<T>[];
  /** What reached each sink, by its uid or name. */
  readonly captured: ReadonlyMap<string, readonly Captured[]>;
  /** Counters of user functions. */
  readonly accumulators: Readonly<Record<string, JsonValue>>;
  /** Records that came too late for their windows. */
  readonly lateRecordsDropped: number;
}

/**
 * Runs a bounded job to its end, every operator in one subtask.
 *
 * Sources read what they would read on a cluster, unless `options.sources` gives elements in their place.
 * Sinks write nothing: what would have been written is in the result. Records pass through their codecs
 * where they could cross to another process. What a user function throws rejects unchanged.
 *
 * @throws ConfigError when the job does not compile.
 */
export function testJob(
  job: JobDefinition<void>,
  args?: undefined,
  options?: JobTestOptions,
): Promise<JobTestResult>;
export function testJob<A>(
  job: JobDefinition<A>,
  args: A,
  options?: JobTestOptions,
): Promise<JobTestResult>;
export async function testJob(
  job: JobDefinition<any>, // oxlint-disable-line typescript/no-explicit-any
  args?: unknown,
  options: JobTestOptions = {},
): Promise<JobTestResult> {
  if (options.layout === 'both') return inBothLayouts(job, args, options);
  const compiled = compileJob(job, (args ?? {}) as JsonObject, {
    bundleHash: '0'.repeat(64),
    parallelism: 1,
  });
  const { replaced, given, sinks } = withTestEnds(compiled, options.sources ?? {});
  const workingDirectory = options.workingDirectory ?? process.cwd();
  const local = new LocalJob(replaced, {
    clock: options.clock ?? new ManualClock(),
    layout: options.layout ?? 'encoded',
    workingDirectory,
    batchSize: options.batchSize ?? 1,
    createEnumerator: async (operatorId, spec) =>
      given.has(operatorId)
        ? noSplits
        : createEnumerator(spec, { workingDirectory, jobId: localJobId, epoch: 0 }),
  });
  await local.open();
  await local.runSources();
  await local.finish();
  const captured = new Map(
    sinks.map(({ transformation, sink }) => [
      transformation.uid ?? transformation.name,
      sink.records,
    ]),
  );
  return {
    captured,
    collected: <T>(sink?: string) => recordsOf(sinks, sink).map((record) => record.value as T),
    timestamped: <T>(sink?: string) => recordsOf(sinks, sink) as readonly Captured<T>[],
    accumulators: local.accumulators(),
    lateRecordsDropped: local.lateRecordsDropped(),
  };
}

async function inBothLayouts(
  job: JobDefinition<any>, // oxlint-disable-line typescript/no-explicit-any
  args: unknown,
  options: JobTestOptions,
): Promise<JobTestResult> {
  const sources = Object.fromEntries(
    Object.entries(options.sources ?? {}).map(([name, elements]) => [name, [...elements]]),
  );
  const encoded = await testJob(job, args, { ...options, sources, layout: 'encoded' });
  const sameSlot = await testJob(job, args, { ...options, sources, layout: 'same-slot' });
  for (const [sink, records] of encoded.captured) {
    const others = sameSlot.captured.get(sink) ?? [];
    const length = Math.max(records.length, others.length);
    for (let i = 0; i < length; i++) {
      if (isDeepStrictEqual(records[i], others[i])) continue;
      throw new Error(
        `the answers depend on where tasks lie: record ${i} of '${sink}' is ${inspect(records[i])} where ` +
          `records are encoded, ${inspect(others[i])} in one slot`,
      );
    }
  }
  return encoded;
}

interface Ends {
  readonly replaced: CompiledJob;
  /** Ids of the sources that were replaced. */
  readonly given: ReadonlySet<string>;
  readonly sinks: readonly NamedSink[];
}

interface NamedSink {
  readonly transformation: Transformation;
  readonly sink: CaptureSink;
}

/** The job with capturing sinks, and with the given elements in the place of their sources. */
function withTestEnds(
  job: CompiledJob,
  sources: Readonly<Record<string, Iterable<unknown>>>,
): Ends {
  const operators = new Map(job.operators);
  const sinks: NamedSink[] = [];
  const given = new Set<string>();
  const unused = new Set(Object.keys(sources));
  const replace = (id: string, transformation: Transformation, operation: Operation) =>
    operators.set(id, { ...transformation, operation });
  for (const [id, transformation] of job.operators) {
    const { operation } = transformation;
    if (operation.kind === 'sink') {
      const sink = new CaptureSink(operation.sink.name, operation.sink.type);
      sinks.push({ transformation, sink });
      replace(id, transformation, { kind: 'sink', sink });
    } else if (operation.kind === 'source') {
      const name = Object.keys(sources).find((candidate) => isCalled(transformation, candidate));
      if (name === undefined) {
        if (operation.source.boundedness === 'unbounded') refuseUnbounded(transformation);
        continue;
      }
      unused.delete(name);
      given.add(id);
      const source = new GivenSource(operation.source.name, sources[name]!, operation.source.type);
      replace(id, transformation, { ...operation, source });
    }
  }
  if (unused.size > 0) {
    const known = [...job.operators.values()].filter((t) => t.operation.kind === 'source');
    throw new Error(
      `the job has no source '${[...unused].join("', '")}'; it has ${namesOf(known)}`,
    );
  }
  return { replaced: { ...job, operators }, given, sinks };
}

function recordsOf(sinks: readonly NamedSink[], name: string | undefined): readonly Captured[] {
  const matching =
    name === undefined
      ? sinks
      : sinks.filter(({ transformation }) => isCalled(transformation, name));
  const [only] = matching;
  if (only !== undefined && matching.length === 1) return only.sink.records;
  const names = namesOf(sinks.map(({ transformation }) => transformation));
  if (name === undefined) throw new Error(`the job has ${sinks.length} sinks, say which: ${names}`);
  throw new Error(
    matching.length === 0
      ? `the job has no sink '${name}'; it has ${names}`
      : `the job has ${matching.length} sinks '${name}': give each a uid`,
  );
}

/**
 * Operators are called by their uid, their name, or the name without `Source: ` or `Sink: `; a collect sink
 * also by the name that `JobResult.collected` knows it by.
 */
function isCalled({ uid, name: full, operation }: Transformation, name: string): boolean {
  if (name === uid || name === full || name === full.replace(/^(?:Source|Sink): /, '')) return true;
  const committer = operation.kind === 'sink' ? operation.sink.committer : null;
  return committer?.kind === 'collect' && committer.options['name'] === name;
}

function refuseUnbounded(transformation: Transformation): never {
  throw new Error(
    `${namesOf([transformation])} never ends: give the elements that it should emit in the test, ` +
      `as options.sources`,
  );
}

function namesOf(transformations: readonly Transformation[]): string {
  return transformations.map(({ uid, name }) => `'${uid ?? name}'`).join(', ');
}
