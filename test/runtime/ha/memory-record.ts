/** A record in memory, with writes that a test may hold back or let fail. */
import type { Versioned } from '../../../src/record/file-documents.ts';
import type { ClusterRecord } from '../../../src/runtime/ha/record.ts';

export class MemoryRecord implements ClusterRecord {
  readonly #documents = new Map<string, { version: number; json: string }>();
  /** What writes wait for. */
  gate: Promise<void> = Promise.resolve();
  /** What the next write rejects with, although it has been published. */
  failsAfterwards: Error | null = null;
  writes = 0;

  async read<T>(name: string): Promise<Versioned<T>> {
    const found = this.#documents.get(name);
    return {
      ageMs: null,
      version: found?.version ?? 0,
      value: found ? (JSON.parse(found.json) as T) : null,
    };
  }

  async write(name: string, expected: number, value: unknown): Promise<number | null> {
    const json = JSON.stringify(value);
    this.writes++;
    await this.gate;
    if ((this.#documents.get(name)?.version ?? 0) !== expected) return null;
    this.#documents.set(name, { version: expected + 1, json });
    const failure = this.failsAfterwards;
    this.failsAfterwards = null;
    if (failure !== null) throw failure;
    return expected + 1;
  }
}
