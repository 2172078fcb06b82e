/** A source of values that are part of the application. */
import { NO_TIMESTAMP, type Source, type SourceOutput, type Split } from '../../api/source.ts';
import { compileCodec } from '../../api/codec.ts';
import type { TypeDescriptor } from '../../api/types.ts';
import { type OpenSplit, SplitReader, positionOf } from '../split-reader.ts';

export const CollectionSource = {
  /**
   * Emits the values in their order; each parallel reader gets some of them.
   * @throws TypeError where they are no array.
   */
  of<T>(values: readonly T[], options: { readonly type?: TypeDescriptor<T> } = {}): Source<T> {
    if (!Array.isArray(values)) throw new TypeError('CollectionSource.of needs an array of values');
    return {
      name: 'collection',
      type: options.type ?? null,
      boundedness: 'bounded',
      enumerator: { kind: 'ranges', options: { count: values.length } },
      createReader: () => {
        const { copy } = compileCodec<T>(options.type ?? null);
        return new SplitReader<T>((split) => new CollectionSplit(split, values, copy));
      },
    };
  },
};

class CollectionSplit<T> implements OpenSplit<T> {
  readonly #from: number;
  #next: number;
  readonly #to: number;
  readonly #values: readonly T[];
  /** The values are the application's, which may read them again. */
  readonly #copy: (value: T) => T;

  constructor(split: Split, values: readonly T[], copy: (value: T) => T) {
    this.#copy = copy;
    this.#from = split['from'] as number;
    this.#next = this.#from + positionOf(split);
    this.#to = split['to'] as number;
    this.#values = values;
  }

  /** Records of the split that were emitted. */
  get position(): number {
    return this.#next - this.#from;
  }

  get ended(): boolean {
    return this.#next >= this.#to;
  }

  emit(output: SourceOutput<T>, max: number): number {
    const end = Math.min(this.#to, this.#next + max);
    const count = end - this.#next;
    for (; this.#next < end; this.#next++) {
      output.emit(this.#copy(this.#values[this.#next]!), NO_TIMESTAMP);
    }
    return count;
  }

  async available(): Promise<void> {}

  async close(): Promise<void> {}
}
