/** A record in memory, with compare-and-set as every place has it. */
import type { Versioned } from '../../record/file-documents.ts';
import type { DocumentStore } from '../provider.ts';

interface Entry {
  readonly version: number;
  readonly text: string;
  readonly writtenAt: number;
}

export class MemoryRecord implements DocumentStore {
  readonly #documents = new Map<string, Entry>();
  readonly #now: () => number;

  /** @param now in ms, for the age of documents. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether anything was ever written. */
  get isEmpty(): boolean {
    return this.#documents.size === 0;
  }

  async read<T>(name: string): Promise<Versioned<T>> {
    const found = this.#documents.get(name);
    if (found === undefined) return { version: 0, value: null, ageMs: null };
    const { text, version, writtenAt } = found;
    return { version, value: JSON.parse(text) as T, ageMs: this.#now() - writtenAt };
  }

  async write(name: string, expected: number, value: unknown): Promise<number | null> {
    const current = this.#documents.get(name)?.version ?? 0;
    if (current !== expected) return null;
    const version = current + 1;
    this.#documents.set(name, { version, text: JSON.stringify(value), writtenAt: this.#now() });
    return version;
  }
}
