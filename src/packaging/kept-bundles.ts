/**
 * Which application bundles the client keeps. A cluster has its own copies of those that its releases need,
 * so that one which is removed here costs another bundling at most.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** How many are kept, however long ago they were used. */
const keptBundles = 20;
/** What was used within this time stays: a deployment that waits for a lock may be about to send it. */
const inUseMs = 24 * 3_600_000;

/**
 * Removes bundles, and beginnings of some, that nobody has used for a while.
 * @param folder of the bundles; need not be there.
 * @param now epoch milliseconds.
 * @returns the paths of what was removed.
 */
export async function removeUnusedBundles(folder: string, now: number): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => /^[0-9a-f]{64}\.mjs/.test(name))
      .map(async (name) => {
        const path = join(folder, name);
        // Somebody else may be faster.
        return { path, usedAt: (await stat(path).catch(() => null))?.mtimeMs ?? 0 };
      }),
  );
  const unused = found
    .toSorted((a, b) => b.usedAt - a.usedAt)
    .slice(keptBundles)
    .filter(({ usedAt }) => now - usedAt > inUseMs);
  await Promise.all(unused.map(({ path }) => rm(path, { force: true })));
  return unused.map(({ path }) => path);
}
