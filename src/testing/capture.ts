/** What tests put in the place of sources and sinks: elements that are given, and records that are kept. */
import { NO_TIMESTAMP, PollStatus } from '../api/source.ts';
import type { Source, SourceOutput, SourceReader, SplitEnumerator } from '../api/source.ts';
import type { Sink, SinkWriter } from '../api/sink.ts';
import type { TypeDescriptor } from '../api/types.ts';

/** A record that reached a sink. */
export interface Captured<T = unknown> {
  readonly value: T;
  /** Epoch milliseconds, or `NO_TIMESTAMP`. */
  readonly timestamp: number;
}

/** Keeps what it is given; publishes nothing. */
export class CaptureSink implements Sink<unknown> {
  readonly name: string;
  readonly committer = null;
  readonly records: Captured[] = [];

  constructor(name: string) {
    this.name = name;
  }

  createWriter(): SinkWriter<unknown> {
    return {
      open: () => Promise.resolve(),
      write: (value, timestamp) => {
        this.records.push({ value, timestamp });
      },
      ready: () => null,
      finish: () => Promise.resolve([]),
      abort: () => Promise.resolve(),
    };
  }
}

/** Emits the given elements, in order, and ends. */
export class GivenSource implements Source<unknown> {
  readonly name: string;
  readonly type: TypeDescriptor<unknown> | null;
  readonly boundedness = 'bounded';
  readonly enumerator = { kind: 'given', options: {} };
  private readonly elements: Iterable<unknown>;

  constructor(
    name: string,
    elements: Iterable<unknown>,
    type: TypeDescriptor<unknown> | null = null,
  ) {
    this.name = name;
    this.elements = elements;
    this.type = type;
  }

  createReader(): SourceReader<unknown> {
    const iterator = this.elements[Symbol.iterator]();
    return {
      addSplit: () => {},
      noMoreSplits: () => {},
      poll: (output: SourceOutput<unknown>, maxRecords: number) => {
        for (let i = 0; i < maxRecords; i++) {
          const next = iterator.next();
          if (next.done === true) return PollStatus.end;
          output.emit(next.value, NO_TIMESTAMP);
        }
        return PollStatus.more;
      },
      available: () => Promise.resolve(),
      snapshot: () => [],
      close: () => Promise.resolve(),
    };
  }
}

/** Of a source that needs no splits. */
export const noSplits: SplitEnumerator = {
  start: () => Promise.resolve(),
  next: () => Promise.resolve(null),
  addBack: () => {},
  snapshot: () => null,
  close: () => Promise.resolve(),
};
