/** Hand-made chains for the tests of operators: a host that records, and fake sources and sinks. */
import type { RichFunction } from '../../../../src/api/functions.ts';
import type { Operation, Transformation } from '../../../../src/api/transformations.ts';
import type { Committable, Sink, SinkWriter } from '../../../../src/api/sink.ts';
import { PollStatus } from '../../../../src/api/source.ts';
import type { Source, SourceOutput, SourceReader, Split } from '../../../../src/api/source.ts';
import type { TypeShape } from '../../../../src/api/types.ts';
import type { JobEdge, JobVertex, OperatorNode } from '../../../../src/graph/job-graph.ts';
import { createOperatorChain } from '../../../../src/runtime/stream/operators/create-operator-chain.ts';
import type { CheckpointBarrier } from '../../../../src/runtime/stream/checkpoint/barrier-aligner.ts';
import type { ElementConsumer } from '../../../../src/runtime/stream/operators/element-consumer.ts';
import type {
  ChainHost,
  OperatorChain,
} from '../../../../src/runtime/stream/operators/operator-chain.ts';
import { HostileClock } from '../../hostile-clock.ts';

export type Element =
  | { readonly value: unknown; readonly timestamp: number }
  | { readonly watermark: number }
  | { readonly idle: boolean }
  | { readonly barrier: number }
  | 'end';

/** Records what comes out. */
export class Recorder implements ElementConsumer {
  readonly elements: Element[] = [];

  record(value: unknown, timestamp: number): void {
    this.elements.push({ value, timestamp });
  }

  watermark(timestamp: number): void {
    this.elements.push({ watermark: timestamp });
  }

  idle(isIdle: boolean): void {
    this.elements.push({ idle: isIdle });
  }

  /** Of a task that writes to it. */
  barrier(barrier: CheckpointBarrier): void {
    this.elements.push({ barrier: barrier.checkpointId });
  }

  end(): void {
    this.elements.push('end');
  }

  /** Takes what came since the last call. */
  take(): Element[] {
    return this.elements.splice(0);
  }

  values(): unknown[] {
    return this.elements.flatMap((e) => (typeof e === 'object' && 'value' in e ? [e.value] : []));
  }
}

export interface NodeSpec {
  readonly id: string;
  readonly operation: Operation;
  /** Default: the node before it. */
  readonly parent?: string;
  /** Whether an edge leaves the vertex here. Default: leaves that are no sinks. */
  readonly output?: boolean;
  /** Declared type of its values. Default: none. */
  readonly type?: TypeShape;
  readonly rich?: readonly RichFunction[];
}

export interface TestChain {
  readonly chain: OperatorChain;
  readonly input: ElementConsumer;
  readonly outputs: readonly Recorder[];
  readonly output: Recorder;
  readonly clock: HostileClock;
}

export interface ChainSpecOptions {
  /** Incoming edges of the head. Default: 1, for a source 0. */
  readonly inputs?: number;
  readonly host?: Partial<ChainHost>;
}

/** Not opened. */
export function buildChain(nodes: readonly NodeSpec[], options: ChainSpecOptions = {}): TestChain {
  const parents = nodes.map((n, i) => n.parent ?? nodes[i - 1]?.id ?? null);
  const vertex: JobVertex = {
    id: 'vertex',
    name: nodes.map((n) => n.id).join(' -> '),
    parallelism: 1,
    maxParallelism: 128,
    slotSharingGroup: 'default',
    operators: nodes.map((n, i): OperatorNode => {
      const parent = parents[i]!;
      return {
        id: n.id,
        uid: null,
        name: n.id,
        kind: n.operation.kind,
        inputs: parent === null ? [] : [parent],
        outputType: n.type ?? null,
        stateful: false,
        enumerator: null,
        committer: null,
      };
    }),
  };
  const isSource = nodes[0]!.operation.kind === 'source';
  const inputs = options.inputs ?? (isSource ? 0 : 1);
  const edges: JobEdge[] = [];
  for (let i = 0; i < inputs; i++) edges.push(edge(`before${i}`, 'x', 'vertex', nodes[0]!.id, i));
  const outputs: Recorder[] = [];
  for (const n of nodes) {
    const isLeaf = !parents.includes(n.id);
    if (n.output ?? (isLeaf && n.operation.kind !== 'sink')) {
      edges.push(edge('vertex', n.id, `after${outputs.length}`, 'x', 0));
      outputs.push(new Recorder());
    }
  }
  const clock = new HostileClock(1000);
  const operators = new Map(nodes.map((n, i) => [n.id, transformation(i, n)]));
  const chain: OperatorChain = createOperatorChain(vertex, edges, operators, {
    ...testHost(clock, outputs, () => chain.onProcessingTime()),
    ...options.host,
  });
  return { chain, input: chain.inputs[0]!, outputs, output: outputs[0]!, clock };
}

/** Opened. */
export async function openChain(
  nodes: readonly NodeSpec[],
  options: ChainSpecOptions = {},
): Promise<TestChain> {
  const built = buildChain(nodes, options);
  await built.chain.open();
  return built;
}

function edge(from: string, fromOp: string, to: string, toOp: string, input: number): JobEdge {
  return {
    id: `${fromOp}->${toOp}#${input}`,
    sourceVertex: from,
    sourceOperator: fromOp,
    targetVertex: to,
    targetOperator: toOp,
    input,
    partitioner: 'FORWARD',
    type: null,
    keyType: null,
  };
}

function transformation(id: number, node: NodeSpec): Transformation {
  return {
    id,
    operation: node.operation,
    inputs: [],
    rich: node.rich ?? [],
    name: node.id,
    uid: null,
    parallelism: null,
    maxParallelism: null,
    outputType: null,
  };
}

function testHost(
  clock: HostileClock,
  outputs: readonly ElementConsumer[],
  onTime: () => void,
): ChainHost {
  let prevent = (): void => {};
  return {
    jobId: 'job',
    epoch: 1,
    taskName: 'task (1/1)',
    subtaskIndex: 0,
    parallelism: 1,
    maxParallelism: 128,
    attempt: 0,
    workingDirectory: '/nowhere',
    cachedFiles: {},
    outputs,
    clock,
    wakeAfter: (ms) => {
      prevent();
      prevent = clock.after(ms, onTime);
    },
    stdout: { write: () => {}, ready: () => null, flushed: async () => {} },
    warn: () => {},
    shouldYield: () => false,
  };
}

/** A source whose reader does what a script of polls says. */
export class ScriptedSource implements Source<unknown> {
  readonly name = 'scripted';
  readonly type = null;
  readonly boundedness = 'bounded';
  readonly enumerator = { kind: 'scripted', options: {} };
  readonly splits: Split[] = [];
  readonly log: string[] = [];
  /** What `available()` returns. */
  availability: Promise<void> = Promise.resolve();
  private readonly script: ((out: SourceOutput<unknown>, max: number) => PollStatus)[];

  constructor(script: ((out: SourceOutput<unknown>, max: number) => PollStatus)[]) {
    this.script = script;
  }

  createReader(): SourceReader<unknown> {
    return {
      addSplit: (split) => void this.splits.push(split),
      noMoreSplits: () => void this.log.push('noMoreSplits'),
      poll: (out, max) => {
        const step = this.script.shift();
        return step === undefined ? PollStatus.end : step(out, max);
      },
      available: () => this.availability,
      snapshot: () => this.splits,
      close: async () => void this.log.push('close'),
    };
  }
}

/** A poll that emits values without timestamps. */
export function emits(values: readonly unknown[], status: PollStatus) {
  return (out: SourceOutput<unknown>): PollStatus => {
    for (const value of values) out.emit(value, Number.NEGATIVE_INFINITY);
    return status;
  };
}

/** A sink whose calls are recorded and whose promises tests hold. */
export class ProbeSink implements Sink<unknown> {
  readonly name = 'probe';
  readonly committer: Sink<unknown>['committer'];
  readonly log: string[] = [];
  readonly written: { value: unknown; timestamp: number }[] = [];
  pending: Promise<void> | null = null;
  opening: Promise<void> = Promise.resolve();
  finishing: Promise<readonly Committable[]> = Promise.resolve(['part-0']);
  aborting: Promise<void> = Promise.resolve();

  constructor(committer: Sink<unknown>['committer'] = { kind: 'probe', options: {} }) {
    this.committer = committer;
  }

  createWriter(): SinkWriter<unknown> {
    return {
      open: () => {
        this.log.push('open');
        return this.opening;
      },
      write: (value, timestamp) => void this.written.push({ value, timestamp }),
      ready: () => this.pending,
      finish: () => {
        this.log.push('finish');
        return this.finishing;
      },
      abort: () => {
        this.log.push('abort');
        return this.aborting;
      },
    };
  }
}
