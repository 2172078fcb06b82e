/** Splits of a sequence of numbered records. */
import type { JsonObject } from '../../contract/json.ts';
import type { Split, SplitEnumerator } from '../../api/source.ts';

/** `count`: how many records; `null`: without end, one interleaved split a subtask. */
export function createRangeEnumerator(options: JsonObject): SplitEnumerator {
  const { count } = options;
  return typeof count === 'number' ? new RangeEnumerator(count) : new EndlessEnumerator();
}

/** Of what is left for it, a subtask gets a quarter at a time, at first, and later a 32nd of all. */
const largestShare = 4;
const smallestShare = 32;

/**
 * Hands out ranges in their order, large ones first: asking is a round trip to the JobManager, and towards
 * the end all subtasks should have something to do. One that is alone gets everything at once.
 */
class RangeEnumerator implements SplitEnumerator {
  readonly #count: number;
  #next = 0;
  /** Splits that came back, with their positions. */
  readonly #back: Split[] = [];

  constructor(count: number) {
    this.#count = count;
  }

  async start(): Promise<void> {}

  async next({ parallelism }: { parallelism: number }): Promise<Split | null> {
    const back = this.#back.shift();
    if (back !== undefined) return back;
    if (this.#next >= this.#count) return null;
    const from = this.#next;
    this.#next = Math.min(this.#count, from + this.#share(parallelism));
    return { id: `range-${from}`, from, to: this.#next, step: 1 };
  }

  #share(parallelism: number): number {
    const left = this.#count - this.#next;
    if (parallelism === 1) return left;
    const share = Math.max(left / largestShare, this.#count / smallestShare);
    return Math.ceil(share / parallelism);
  }

  addBack(splits: readonly Split[]): void {
    this.#back.push(...splits);
    this.#back.sort((a, b) => (a['from'] as number) - (b['from'] as number));
  }

  snapshot() {
    return { next: this.#next, back: [...this.#back] };
  }

  async close(): Promise<void> {}
}

/** Subtask i of p gets i, i + p, i + 2p, … */
class EndlessEnumerator implements SplitEnumerator {
  readonly #given = new Map<number, Split>();
  /** Splits that came back, with their positions. */
  readonly #back = new Map<string, Split>();

  async start(): Promise<void> {}

  async next({
    subtaskIndex,
    parallelism,
  }: {
    subtaskIndex: number;
    parallelism: number;
  }): Promise<Split | null> {
    if (this.#given.has(subtaskIndex)) return null;
    const id = `every-${parallelism}-from-${subtaskIndex}`;
    const fresh = { id, from: subtaskIndex, to: null, step: parallelism };
    const split = this.#back.get(id) ?? fresh;
    this.#back.delete(id);
    this.#given.set(subtaskIndex, split);
    return split;
  }

  addBack(splits: readonly Split[]): void {
    for (const back of splits) this.#back.set(back.id, back);
    for (const [subtask, split] of this.#given) {
      if (this.#back.has(split.id)) this.#given.delete(subtask);
    }
  }

  snapshot() {
    return [...this.#given.keys()];
  }

  async close(): Promise<void> {}
}
