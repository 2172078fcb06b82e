/** A record in memory: for providers without a place of their own, and for tests. */
import type { DocumentName } from '../documents.ts';
import {
  MAX_DOCUMENT_BYTES,
  type RecordStore,
  type StoredDocuments,
  type Version,
  checkSize,
} from '../store.ts';

interface Kept {
  readonly json: string;
  readonly version: Version;
  readonly at: number;
}

export class MemoryStore implements RecordStore {
  readonly maxBytes = MAX_DOCUMENT_BYTES;
  readonly #documents = new Map<string, Kept>();
  readonly #now: () => number;
  #written = 0;

  /** @param now milliseconds of the clock of where it lies. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether nothing was ever written. */
  get isEmpty(): boolean {
    return this.#documents.size === 0;
  }

  async read(names?: readonly DocumentName[]): Promise<StoredDocuments> {
    const now = this.#now();
    return new Map(
      (names ?? [...this.#documents.keys()]).flatMap((name) => {
        const found = this.#documents.get(name);
        if (found === undefined) return [];
        const { at, json, version } = found;
        return [[name, { value: JSON.parse(json) as unknown, version, ageMs: now - at }] as const];
      }),
    );
  }

  async write(
    name: DocumentName,
    value: unknown,
    expected: Version | null,
  ): Promise<Version | null> {
    const json = JSON.stringify(value);
    checkSize(name, json, this.maxBytes);
    if ((this.#documents.get(name)?.version ?? null) !== expected) return null;
    const version = `v${++this.#written}`;
    this.#documents.set(name, { json, version, at: this.#now() });
    return version;
  }
}
