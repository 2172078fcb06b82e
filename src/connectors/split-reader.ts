/**
 * The part that all readers share: a queue of splits, read one after the other.
 *
 * A reader says how one split is opened; what is opened gives its records synchronously as far as they
 * are there, and knows its position: what `split.position` is for whoever goes on behind the last record.
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
  /** Behind the last record that was emitted: `position` of a split that begins there. */
  readonly position: number;
  /** Resolves when `emit` can do something again; rejects when reading failed. */
  available(): Promise<void>;
  close(): Promise<void>;
}

export class SplitReader<T> implements SourceReader<T> {
  readonly #open: (split: Split) => OpenSplit<T>;
  readonly #waiting: Split[] = [];
  #current: { readonly split: Split; readonly reader: OpenSplit<T> } | null = null;
  readonly #closeAll: () => Promise<void>;
  #noMore = false;

  /** @param closeAll ends what the splits have in common. */
  constructor(
    open: (split: Split) => OpenSplit<T>,
    closeAll: () => Promise<void> = async () => {},
  ) {
    this.#open = open;
    this.#closeAll = closeAll;
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
    if (current.reader.ended) {
      this.#current = null;
      current.reader.close().catch(() => {}); // all of it was read
      return PollStatus.more;
    }
    return count < maxRecords ? PollStatus.wait : PollStatus.more;
  }

  #next() {
    const split = this.#waiting.shift();
    if (!split) return null;
    return (this.#current = { split, reader: this.#open(split) });
  }

  async available(): Promise<void> {
    await this.#current?.reader.available();
  }

  snapshot(): readonly Split[] {
    if (this.#current === null) return [...this.#waiting];
    const { reader, split } = this.#current;
    return [{ ...split, position: reader.position }, ...this.#waiting];
  }

  async close(): Promise<void> {
    await this.#current?.reader.close();
    this.#current = null;
    await this.#closeAll();
  }
}

/** The file of a split of the `files` enumerator. */
export function fileOf(split: Split): string {
  return split['file'] as string;
}

/** Where a split goes on, in its own unit; 0: at its beginning. */
export function positionOf(split: Split): number {
  return typeof split['position'] === 'number' ? split['position'] : 0;
}
