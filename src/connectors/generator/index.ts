/** A source of generated records: seeded, the same whatever the parallelism. */
import { NO_TIMESTAMP, type Source, type SourceOutput, type Split } from '../../api/source.ts';
import type { TypeDescriptor } from '../../api/types.ts';
import { type OpenSplit, SplitReader, positionOf } from '../split-reader.ts';

export interface GeneratorOptions<T> {
  /** How many records; without it the source never ends. */
  readonly count?: number;
  /** Record number `index` (0-based). `random()` is from 0 to below 1, seeded by seed and index. */
  readonly create: (index: number, random: () => number) => T;
  readonly type?: TypeDescriptor<T>;
  /** Default 0. */
  readonly seed?: number;
  /** Of the whole source; without it as fast as possible. */
  readonly ratePerSecond?: number;
}

export const GeneratorSource = {
  /** @throws TypeError for options that are none: code without types is checked here alone. */
  of<T>(options: GeneratorOptions<T>): Source<T> {
    checkOptions(options);
    const { count, create, seed = 0, ratePerSecond } = options;
    return {
      name: 'generator',
      type: options.type ?? null,
      boundedness: count === undefined ? 'unbounded' : 'bounded',
      enumerator: { kind: 'ranges', options: { count: count ?? null } },
      createReader: ({ parallelism }) => {
        const pace = ratePerSecond === undefined ? null : new Pace(ratePerSecond / parallelism);
        return new SplitReader<T>((split) => new GeneratedSplit(split, create, seed, pace));
      },
    };
  },
};

function checkOptions({ count, create, ratePerSecond }: GeneratorOptions<unknown>): void {
  const wrong = (what: string) => new TypeError(`GeneratorSource.of: ${what}`);
  if (typeof create !== 'function') throw wrong('create is a function that makes a record');
  if (count !== undefined && !(Number.isSafeInteger(count) && count >= 0)) {
    throw wrong(`count is a whole number, not ${String(count)}`);
  }
  if (ratePerSecond !== undefined && !(Number.isFinite(ratePerSecond) && ratePerSecond > 0)) {
    throw wrong(`ratePerSecond is a number above 0, not ${String(ratePerSecond)}`);
  }
}

class GeneratedSplit<T> implements OpenSplit<T> {
  readonly #from: number;
  #next: number;
  readonly #to: number;
  readonly #step: number;
  readonly #create: GeneratorOptions<T>['create'];
  readonly #random: SeededRandom;
  readonly #pace: Pace | null;

  constructor(
    split: Split,
    create: GeneratorOptions<T>['create'],
    seed: number,
    pace: Pace | null,
  ) {
    this.#step = split['step'] as number;
    this.#from = split['from'] as number;
    this.#next = this.#from + positionOf(split) * this.#step;
    this.#to = split['to'] === null ? Number.POSITIVE_INFINITY : (split['to'] as number);
    this.#create = create;
    this.#random = new SeededRandom(seed);
    this.#pace = pace;
  }

  /** Records of the split that were emitted. */
  get position(): number {
    return (this.#next - this.#from) / this.#step;
  }

  get ended(): boolean {
    return this.#next >= this.#to;
  }

  emit(output: SourceOutput<T>, max: number): number {
    const allowed = this.#pace === null ? max : this.#pace.take(max);
    let emitted = 0;
    for (; emitted < allowed && this.#next < this.#to; emitted++) {
      const index = this.#next;
      this.#next += this.#step;
      this.#random.reseed(index);
      output.emit(this.#create(index, this.#random.next), NO_TIMESTAMP);
    }
    return emitted;
  }

  async available(): Promise<void> {
    await this.#pace?.wait();
  }

  async close(): Promise<void> {}
}

/** mulberry32 over a mix of seed and index. */
class SeededRandom {
  readonly #seed: number;
  #state = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  reseed(index: number): void {
    this.#state = (Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(this.#seed + 1, 0x85ebca6b)) | 0;
  }

  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Allows so many records a second. */
class Pace {
  readonly #perMs: number;
  readonly #start = Date.now();
  #taken = 0;

  constructor(ratePerSecond: number) {
    this.#perMs = ratePerSecond / 1000;
  }

  take(max: number): number {
    const allowed = Math.floor((Date.now() - this.#start) * this.#perMs) - this.#taken;
    const count = Math.max(0, Math.min(max, allowed));
    this.#taken += count;
    return count;
  }

  wait(): Promise<void> {
    const dueMs = (this.#taken + 1) / this.#perMs - (Date.now() - this.#start);
    return new Promise((resolve) => setTimeout(resolve, Math.max(1, Math.min(dueMs, 100))));
  }
}
