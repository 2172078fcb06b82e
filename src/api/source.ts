/**
 * Sources have Flink's shape: an enumerator on the JobManager hands out splits, a reader in each
 * subtask reads them and reports its position.
 *
 * The enumerator runs on the JobManager, where no user code runs: a source names it by `kind` and gives
 * it plain JSON (`EnumeratorSpec`), which travels in the JobGraph.
 */
import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { TypeDescriptor } from './types.ts';

/** How the JobManager makes the enumerator. `kind` is a key of the connectors' registry. */
export interface EnumeratorSpec {
  readonly kind: string;
  readonly options: JsonObject;
}

/** A part of the input with the position to start from. Plain JSON; goes over RPC and into snapshots. */
export interface Split {
  readonly id: string;
  readonly [key: string]: JsonValue;
}

export interface Source<T> {
  /** Name of the operator: `files: flights.csv`. */
  readonly name: string;
  readonly type: TypeDescriptor<T> | null;
  readonly boundedness: 'bounded' | 'unbounded';
  readonly enumerator: EnumeratorSpec;
  createReader(context: ReaderContext): SourceReader<T>;
}

export interface ReaderContext {
  readonly subtaskIndex: number;
  readonly parallelism: number;
  /** Counts a record that could not be read and was skipped, as its source was told to. */
  readonly skipped: () => void;
  /** Relative paths are relative to this folder. */
  readonly workingDirectory: string;
}

export const PollStatus = {
  /** Records were emitted and more may be there: call again. */
  more: 0,
  /** Nothing now: call again when `available()` resolves. */
  wait: 1,
  /** Needs another split: ask the enumerator, then `addSplit` or `noMoreSplits`. */
  needSplit: 2,
  /** All splits are read and there are no more. */
  end: 3,
} as const;
export type PollStatus = (typeof PollStatus)[keyof typeof PollStatus];

export interface SourceOutput<T> {
  /** `timestamp`: epoch milliseconds, or `NO_TIMESTAMP`. */
  emit(value: T, timestamp: number): void;
}

/** `Long.MIN_VALUE` of Flink: no event time, and the watermark before the first one. */
export const NO_TIMESTAMP = Number.NEGATIVE_INFINITY;
/** `Long.MAX_VALUE` of Flink: the watermark at the end of input. */
export const MAX_WATERMARK = Number.POSITIVE_INFINITY;

/** Reads splits. All methods but `available` and `close` are synchronous. */
export interface SourceReader<T> {
  addSplit(split: Split): void;
  noMoreSplits(): void;
  /** Emits at most `maxRecords` records. Throws when the input is malformed. */
  poll(output: SourceOutput<T>, maxRecords: number): PollStatus;
  /** Resolves when `poll` can do something again; rejects when reading failed. */
  available(): Promise<void>;
  /** The splits in work, each with the position after the last emitted record. */
  snapshot(): readonly Split[];
  close(): Promise<void>;
}

/** Runs on the JobManager, one per source of a job. */
export interface SplitEnumerator {
  /** Finds the splits. Rejects when the input is missing. */
  start(): Promise<void>;
  /** The next split for a subtask; `null`: there will be no more. May wait. */
  next(request: { subtaskIndex: number; parallelism: number }): Promise<Split | null>;
  /** Takes back splits of a subtask that was lost. */
  addBack(splits: readonly Split[]): void;
  snapshot(): JsonValue;
  close(): Promise<void>;
}
