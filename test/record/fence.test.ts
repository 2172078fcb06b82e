/** Who may still change a cluster. */
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { DocumentName } from '../../src/record/documents.ts';
import { checkFence } from '../../src/record/fence.ts';
import { MemoryStore } from '../../src/record/drivers/memory.ts';

const lockOf = (epoch: number) => ({ epoch, holder: 'ada@host/1', message: 'deploy' });

describe('the fence', () => {
  it('refuses exactly what holds an older lock than the newest', async () => {
    const epoch = fc.integer({ min: 0, max: 5 });
    const property = fc.asyncProperty(epoch, epoch, async (newest, fence) => {
      const record = new MemoryStore();
      await record.write(DocumentName.lock, lockOf(newest), null);
      const refused = await checkFence(record, fence).then(
        () => null,
        (error: unknown) => error,
      );
      if (newest <= fence) expect(refused).toBeNull();
      else
        expect(refused).toMatchObject({
          exitCode: 8,
          problems: [{ code: 'lock-lost', message: 'ada@host/1 took over the cluster: deploy' }],
        });
    });
    await fc.assert(property);
  });

  it('lets through where nobody has ever locked, and what belongs to no lock', async () => {
    const record = new MemoryStore();
    await expect(checkFence(record, 0)).resolves.toBeUndefined();
    await record.write(DocumentName.lock, lockOf(7), null);
    await expect(checkFence(record, null)).resolves.toBeUndefined();
  });
});
