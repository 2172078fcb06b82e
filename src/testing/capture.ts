/** What tests put in the place of sources and sinks: elements that are given, and records that are kept. */
import { compileCodec } from '../api/codec.ts';
import { NO_TIMESTAMP, PollStatus } from '../api/source.ts';
import type { Source, SourceOutput, SourceReader, SplitEnumerator } from '../api/source.ts';
import type { Sink, SinkWriter } from '../api/sink.ts';
import type { TypeDescriptor, TypeShape } from '../api/types.ts';

/** A record that reached a sink. */
export interface Captured<T = unknown> {
  readonly value: T;
  /** Epoch milliseconds, or `NO_TIMESTAMP`. */
  readonly timestamp: number;
}

/** Keeps copies of what it is given: what a record becomes later is not what was written. Publishes nothing. */
export class CaptureSink implements Sink<unknown> {
  readonly name: string;
  readonly committer = null;
  readonly consumesAtOnce = true;
  readonly type?: TypeShape;
  readonly records: Captured[] = [];

  /** @param type of the sink that it stands for. */
  constructor(name: string, type?: TypeShape) {
    this.name = name;
    if (type !== undefined) this.type = type;
  }

  createWriter(): SinkWriter<unknown> {
    const { copy } = compileCodec<unknown>(null);
    return {
      open: () => Promise.resolve(),
      write: (value, timestamp) => {
        this.records.push({ value: copy(value), timestamp });
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
    const { copy } = compileCodec<unknown>(this.type); // the elements are the test's
    const iterator = this.elements[Symbol.iterator]();
    return {
      addSplit: () => {},
      noMoreSplits: () => {},
      poll: (output: SourceOutput<unknown>, maxRecords: number) => {
        for (let i = 0; i < maxRecords; i++) {
          const next = iterator.next();
          if (next.done === true) return PollStatus.end;
          output.emit(copy(next.value), NO_TIMESTAMP);
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
