/**
 * A compiled job in this process and thread: the third host of operator chains, beside the task loop of
 * a TaskManager and a bridge into another engine. Every vertex has one subtask; a chain's outputs are
 * the inputs of the chains behind it, through an edge of either layout, so that a record is through the
 * whole job when `record()` returns.
 *
 * J1  Chains open from the last to the first and are driven from the first to the last: when a record
 *     goes in, all that is behind it is open.
 * J2  What fails leaves unchanged (C4); everything is aborted before it does.
 */
import { resolve } from 'node:path';
import { PollStatus } from '../api/source.ts';
import type { Committable } from '../api/sink.ts';
import type { EnumeratorSpec, SplitEnumerator } from '../api/source.ts';
import type { JsonValue } from '../contract/json.ts';
import type { CompiledJob } from '../graph/compile.ts';
import type { JobEdge, JobVertex } from '../graph/job-graph.ts';
import { createOperatorChain } from '../runtime/stream/operators/create-operator-chain.ts';
import type { ElementConsumer } from '../runtime/stream/operators/element-consumer.ts';
import type {
  ChainHost,
  ChainSource,
  OperatorChain,
} from '../runtime/stream/operators/operator-chain.ts';
import { type Layout, layoutEdge } from './edge.ts';
import type { ManualClock } from './manual-clock.ts';

/** The job id of every job in a test. */
export const localJobId = '0'.repeat(32);

export interface LocalJobOptions {
  readonly layout: Layout;
  readonly clock: ManualClock;
  /** Relative paths are relative to it. */
  readonly workingDirectory: string;
  /** Records that a source reads between two watermarks. */
  readonly batchSize: number;
  readonly createEnumerator: (operatorId: string, spec: EnumeratorSpec) => Promise<SplitEnumerator>;
}

/** One source that is being read. */
class SourceRun {
  readonly enumerator: SplitEnumerator;
  private readonly source: ChainSource;
  private readonly batchSize: number;

  constructor(source: ChainSource, enumerator: SplitEnumerator, batchSize: number) {
    this.source = source;
    this.enumerator = enumerator;
    this.batchSize = batchSize;
  }

  /** Reads one batch. Resolves to whether the source has ended. */
  async step(): Promise<boolean> {
    switch (this.source.poll(this.batchSize)) {
      case PollStatus.more:
        return false;
      case PollStatus.wait:
        await this.source.available();
        return false;
      case PollStatus.needSplit: {
        const split = await this.enumerator.next({ subtaskIndex: 0, parallelism: 1 });
        if (split === null) this.source.noMoreSplits();
        else this.source.addSplit(split);
        return false;
      }
      case PollStatus.end:
        await this.enumerator.close();
        return true;
    }
  }
}

export class LocalJob {
  private readonly options: LocalJobOptions;
  private readonly vertices: readonly JobVertex[];
  /** By name, where they are: nothing is copied. */
  private readonly cachedFiles: Readonly<Record<string, string>>;
  /** By vertex id. */
  private readonly chains = new Map<string, OperatorChain>();

  constructor(job: CompiledJob, options: LocalJobOptions) {
    this.options = options;
    this.vertices = job.graph.vertices;
    this.cachedFiles = Object.fromEntries(
      Array.from(job.cachedFiles, ([name, path]) => [
        name,
        resolve(options.workingDirectory, path),
      ]),
    );
    const { edges } = job.graph;
    for (const vertex of this.vertices.toReversed()) {
      const outputs = edges
        .filter((edge) => edge.sourceVertex === vertex.id)
        .map((edge) => this.inputOf(edge, edges));
      const host = this.hostOf(vertex, outputs);
      const chain = createOperatorChain(vertex, edges, job.operators, host);
      this.chains.set(vertex.id, chain);
    }
  }

  /** The chain of a vertex. */
  chainOf(vertexId: string): OperatorChain {
    const chain = this.chains.get(vertexId);
    if (chain === undefined) throw new Error(`no vertex ${vertexId} in this job`);
    return chain;
  }

  async open(): Promise<void> {
    for (const vertex of this.vertices.toReversed()) {
      await this.guarded(this.chainOf(vertex.id).open()); // J1
    }
  }

  /** Reads all sources, in turns, to their ends. */
  async runSources(): Promise<void> {
    await this.guarded(this.readAll());
  }

  /** After the end of all inputs: finishes all sinks. What they prepared, by operator id. */
  async finish(): Promise<Readonly<Record<string, readonly Committable[]>>> {
    const committables: Record<string, readonly Committable[]> = {};
    for (const vertex of this.vertices) {
      Object.assign(committables, await this.guarded(this.chainOf(vertex.id).finish()));
    }
    return committables;
  }

  async abort(): Promise<void> {
    await Promise.all(Array.from(this.chains.values(), (chain) => chain.abort()));
  }

  /** Summed over all vertices, as a JobManager does. */
  accumulators(): Readonly<Record<string, JsonValue>> {
    const sums: Record<string, number> = {};
    for (const chain of this.chains.values()) {
      for (const [name, value] of Object.entries(chain.accumulators())) {
        sums[name] = (sums[name] ?? 0) + Number(value);
      }
    }
    return sums;
  }

  lateRecordsDropped(): number {
    let late = 0;
    for (const chain of this.chains.values()) late += chain.metrics.lateRecords;
    return late;
  }

  private inputOf(edge: JobEdge, edges: readonly JobEdge[]): ElementConsumer {
    const siblings = edges.filter((other) => other.targetVertex === edge.targetVertex);
    const target = this.chainOf(edge.targetVertex).inputs[siblings.indexOf(edge)]!;
    return layoutEdge(edge.type, target, this.options.layout);
  }

  private hostOf(vertex: JobVertex, outputs: readonly ElementConsumer[]): ChainHost {
    const { clock, workingDirectory } = this.options;
    let prevent = (): void => {};
    return {
      jobId: localJobId,
      epoch: 0,
      taskName: `${vertex.name} (1/1)`,
      subtaskIndex: 0,
      parallelism: 1,
      maxParallelism: vertex.maxParallelism,
      attempt: 0,
      workingDirectory,
      cachedFiles: this.cachedFiles,
      outputs,
      clock,
      wakeAfter: (ms) => {
        prevent();
        prevent = clock.after(ms, () => this.chainOf(vertex.id).onProcessingTime());
      },
      stdout: { write: () => {}, ready: () => null, flushed: async () => {} },
      warn: (message) => process.emitWarning(message),
      shouldYield: () => false,
    };
  }

  private async readAll(): Promise<void> {
    const running = new Set<SourceRun>();
    try {
      for (const vertex of this.vertices) {
        const { source } = this.chainOf(vertex.id);
        const spec = vertex.operators[0]?.enumerator;
        if (source === null || !spec) continue;
        const enumerator = await this.options.createEnumerator(source.operatorId, spec);
        running.add(new SourceRun(source, enumerator, this.options.batchSize));
        await enumerator.start();
      }
      while (running.size > 0) {
        for (const run of running) {
          if (await run.step()) running.delete(run);
          await this.ready();
        }
      }
    } finally {
      for (const run of running) await run.enumerator.close();
    }
  }

  private async ready(): Promise<void> {
    for (const chain of this.chains.values()) {
      const pending = chain.ready();
      if (pending !== null) await pending;
    }
  }

  /** J2 */
  private async guarded<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      await this.abort();
      throw error;
    }
  }
}
