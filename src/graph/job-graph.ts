/**
 * The JobGraph: what is scheduled. Plain JSON, made on whichever machine runs `main()`, rebuilt and
 * compared on each TaskManager.
 */
import type { TypeDescriptor } from '../api/types.ts';
import type { CommitterSpec } from '../api/sink.ts';
import type { EnumeratorSpec } from '../api/source.ts';
import type { JsonObject } from '../contract/json.ts';

export const JOB_GRAPH_VERSION = 1;

export interface JobGraph {
  readonly version: number;
  /** Name of the job, as given to `defineJob`. */
  readonly name: string;
  readonly boundedness: 'bounded' | 'unbounded';
  /** Which code makes this graph again. */
  readonly code: {
    /** SHA-256 of the bundle, hex. */
    readonly bundleHash: string;
    readonly job: string;
    readonly args: JsonObject;
    /** Of operators that set none, and of jobs that set none: chains depend on it, ids and hash do not. */
    readonly parallelism: number;
  };
  /** Files that tasks find on their machines, by name. Left out where there are none. */
  readonly cachedFiles?: Readonly<Record<string, CachedFile>>;
  /** In topological order. */
  readonly vertices: readonly JobVertex[];
  /** Ordered by target vertex, then by input. */
  readonly edges: readonly JobEdge[];
  /**
   * SHA-256, hex, over the canonical form of everything but parallelism, `code.bundleHash` and the content
   * of cached files.
   */
  readonly hash: string;
}

export interface CachedFile {
  /** SHA-256 of its content, hex. */
  readonly hash: string;
  readonly sizeBytes: number;
}

/** A chain of operators that run together in each subtask. */
export interface JobVertex {
  /** 32 hex digits, derived from uids or structure: stable over parallelism. */
  readonly id: string;
  /** `Source: flights -> Filter -> Map` */
  readonly name: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly slotSharingGroup: string;
  /** In chain order; the first one is the head. A chain is a tree: `inputs` name the parents. */
  readonly operators: readonly OperatorNode[];
}

/** The source that it begins with, `null` where it reads from other vertices. */
export function sourceOf({ operators }: JobVertex): OperatorNode | null {
  const [head] = operators;
  return head?.kind === 'source' ? head : null;
}

export interface OperatorNode {
  /** 32 hex digits. */
  readonly id: string;
  readonly uid: string | null;
  /** `Map`, `Window(TumblingEventTimeWindows(1d))` */
  readonly name: string;
  /** `source`, `map`, `window`, `sink`, …: see `stream-graph.ts`. */
  readonly kind: string;
  /** Ids of the operators before it in the same chain. Empty for the head. */
  readonly inputs: readonly string[];
  readonly outputType: TypeDescriptor<unknown> | null;
  /** Whether it remembers anything of earlier records: what is lost when it starts again empty. */
  readonly stateful: boolean;
  readonly enumerator: EnumeratorSpec | null;
  readonly committer: CommitterSpec | null;
}

export const Partitioner = {
  forward: 'FORWARD',
  hash: 'HASH',
  rebalance: 'REBALANCE',
  rescale: 'RESCALE',
  shuffle: 'SHUFFLE',
  broadcast: 'BROADCAST',
  global: 'GLOBAL',
} as const;
export type Partitioner = (typeof Partitioner)[keyof typeof Partitioner];

export interface JobEdge {
  /** `<source operator>-><target operator>#<input>` */
  readonly id: string;
  readonly sourceVertex: string;
  readonly sourceOperator: string;
  readonly targetVertex: string;
  readonly targetOperator: string;
  /** 0-based input of the target operator. */
  readonly input: number;
  readonly partitioner: Partitioner;
  /** Of the records; `null`: encoded by msgpack. */
  readonly type: TypeDescriptor<unknown> | null;
  /** Of the key, when `partitioner` is `HASH`. */
  readonly keyType: TypeDescriptor<unknown> | null;
}
