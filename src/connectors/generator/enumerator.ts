/** Splits of a sequence of numbered records. */
import type { JsonObject } from '../../contract/json.ts';
import type { Split, SplitEnumerator } from '../../api/source.ts';
import { ListEnumerator } from '../list-enumerator.ts';

const splitCount = 64;

/** `count`: how many records; `null`: without end, one interleaved split a subtask. */
export function createRangeEnumerator(options: JsonObject): SplitEnumerator {
  const { count } = options;
  return typeof count === 'number'
    ? new ListEnumerator(async () => ranges(count))
    : new EndlessEnumerator();
}

function ranges(count: number): Split[] {
  const size = Math.max(1, Math.ceil(count / splitCount));
  const splits: Split[] = [];
  for (let from = 0; from < count; from += size) {
    splits.push({ id: `range-${from}`, from, to: Math.min(count, from + size), step: 1 });
  }
  return splits;
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
