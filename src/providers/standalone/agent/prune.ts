/**
 * Removes from a host what no cluster on it uses any more.
 *
 * P1  What a deployment may be about to use stays: a runtime (local/runtimes.ts, R3, R4) or an agent while it is
 *     recent, an upload that was interrupted for a day, in which it may be continued.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterIdsIn, namesIn } from '../../local/layout.ts';
import { pruneRuntimes, removeUnused, touchedAt } from '../../local/runtimes.ts';

/** P1 */
const uploadKeptMs = 24 * 3_600_000;

/** @returns paths of what was removed. */
export async function pruneHost(dir: string): Promise<string[]> {
  const removed = await pruneRuntimes(dir);
  for (const name of await namesIn(join(dir, 'uploads'))) {
    const path = join(dir, 'uploads', name);
    if (Date.now() - (await touchedAt(path)) <= uploadKeptMs) continue;
    await rm(path, { recursive: true, force: true });
    removed.push(path);
  }
  const isInUse = (await clusterIdsIn(dir)).length > 0;
  for (const name of isInUse ? [] : await namesIn(join(dir, 'agents'))) {
    const path = join(dir, 'agents', name);
    if (await removeUnused(path)) removed.push(path);
  }
  return removed;
}
