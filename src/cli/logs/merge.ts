/**
 * Lines of several processes in the order of time.
 *
 * M1  What is there already is merged: of each process only the next line is held, so that logs of any size
 *     need no memory. Lines of one process never change their order, whatever their clock did.
 * M2  What is still written cannot be merged so, for a process may stay silent for ever: lines that arrive
 *     within a short time of each other are put in order, and then shown.
 */
import type { TimedLine } from './line.ts';

export async function* merge(
  sources: readonly AsyncIterable<TimedLine>[],
): AsyncGenerator<TimedLine> {
  const heads: { line: TimedLine; readonly rest: AsyncIterator<TimedLine> }[] = [];
  for (const source of sources) {
    const rest = source[Symbol.asyncIterator]();
    const first = await rest.next();
    if (!first.done) heads.push({ line: first.value, rest });
  }
  while (heads.length > 0) {
    const oldest = heads.reduce((a, b) => (b.line.at < a.line.at ? b : a));
    yield oldest.line;
    const next = await oldest.rest.next();
    if (next.done) heads.splice(heads.indexOf(oldest), 1);
    else oldest.line = next.value;
  }
}

const holdMs = 250;

/** Shows lines of several processes that follow each other closely in the order of time (M2). */
export class Reorder {
  readonly #show: (line: TimedLine) => void;
  #held: TimedLine[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(show: (line: TimedLine) => void) {
    this.#show = show;
  }

  take(line: TimedLine): void {
    this.#held.push(line);
    this.#timer ??= setTimeout(() => this.flush(), holdMs);
  }

  /** Shows all that is held now. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const held = this.#held.sort((a, b) => a.at - b.at); // stable
    this.#held = [];
    for (const line of held) this.#show(line);
  }
}
