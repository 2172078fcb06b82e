/**
 * The part that all readers share: a queue of splits, read one after the other.
 *
 * A reader says how one split is opened; what is opened gives its records synchronously as far as they
 * are there, and counts them, so that a split's position is the number of records already emitted.
 */
import { PollStatus, type SourceOutput, type SourceReader, type Split } from '../api/source.ts';

/** One split that is being read. */
export interface OpenSplit<T> {
  /**
   * Emits up to `max` records. @returns how many; fewer than `max` when no more are there now.
   * @throws Error naming the place in the input when it is malformed.
   */
  emit(output: SourceOutput<T>, max: number): number;
  /** Whether everything has been emitted. */
  readonly ended: boolean;
  /** Resolves when `emit` can do something again; rejects when reading failed. */
  available(): Promise<void>;
  close(): Promise<void>;
}

export class SplitReader<T> implements SourceReader<T> {
  readonly #open: (split: Split) => OpenSplit<T>;
  readonly #waiting: Split[] = [];
  #current: { split: Split; reader: OpenSplit<T>; emitted: number } | null = null;
  #noMore = false;

  constructor(open: (split: Split) => OpenSplit<T>) {
    this.#open = open;
  }

  addSplit(split: Split): void {
    this.#waiting.push(split);
  }

  noMoreSplits(): void {
    this.#noMore = true;
  }

  poll(output: SourceOutput<T>, maxRecords: number): PollStatus {
    const current = this.#current ?? this.#next();
    if (current === null) return this.#noMore ? PollStatus.end : PollStatus.needSplit;
    const count = current.reader.emit(output, maxRecords);
    current.emitted += count;
    if (current.reader.ended) {
      this.#current = null;
      void current.reader.close();
      return PollStatus.more;
    }
    return count < maxRecords ? PollStatus.wait : PollStatus.more;
  }

  #next() {
    const split = this.#waiting.shift();
    if (!split) return null;
    return (this.#current = { split, reader: this.#open(split), emitted: positionOf(split) });
  }

  async available(): Promise<void> {
    await this.#current?.reader.available();
  }

  snapshot(): readonly Split[] {
    const current = this.#current
      ? [{ ...this.#current.split, position: this.#current.emitted }]
      : [];
    return [...current, ...this.#waiting];
  }

  async close(): Promise<void> {
    await this.#current?.reader.close();
    this.#current = null;
  }
}

/** The file of a split of the `files` enumerator. */
export function fileOf(split: Split): string {
  return split['file'] as string;
}

/** Records of the split that were emitted before it was handed out. */
export function positionOf(split: Split): number {
  return typeof split['position'] === 'number' ? split['position'] : 0;
}
