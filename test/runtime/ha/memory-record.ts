/** A record in memory, with writes that a test may hold back. */
import type { DocumentName } from '../../../src/record/documents.ts';
import { MemoryStore } from '../../../src/record/drivers/memory.ts';
import type { Version } from '../../../src/record/store.ts';

export class MemoryRecord extends MemoryStore {
  /** What writes wait for. */
  gate: Promise<void> = Promise.resolve();
  /** What the next write rejects with, although it has been published. */
  failsAfterwards: Error | null = null;
  writes = 0;

  override async write(
    name: DocumentName,
    value: unknown,
    expected: Version | null,
  ): Promise<Version | null> {
    const given = structuredClone(value);
    this.writes++;
    await this.gate;
    const version = await super.write(name, given, expected);
    if (version === null) return null;
    const failure = this.failsAfterwards;
    this.failsAfterwards = null;
    if (failure !== null) throw failure;
    return version;
  }
}
