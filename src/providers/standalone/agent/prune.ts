/**
 * Removes from a host what no cluster on it uses any more.
 *
 * P1  A runtime, or the folder that one is being unpacked into, stays while it is recent (shared/recent.ts).
 *     Whoever installs a runtime that is there touches it (runtimes.ts).
 * P2  It is set aside before it is removed, and put back when it was touched meanwhile: whoever looks for it
 *     in between finds none and sends it anew.
 */
import { readlink, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readStarted } from '../../local/client.ts';
import { clusterIdsIn, clusterLayout, exists, namesIn } from '../../local/layout.ts';
import { isRecent } from '../../shared/recent.ts';

/** An upload that was interrupted may be continued for that long. */
const uploadKeptMs = 24 * 3_600_000;

/** @returns paths of what was removed. */
export async function pruneHost(dir: string): Promise<string[]> {
  const used = await usedRuntimes(dir);
  const removed: string[] = [];
  for (const name of await namesIn(join(dir, 'runtimes'))) {
    const path = join(dir, 'runtimes', name);
    if (!used.has(name) && (await removeUnused(path))) removed.push(path);
  }
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

/** By the host's clock. The time of the last change counts, too: unpacking gives files the times they had. */
async function touchedAt(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  return found === null ? 0 : Math.max(found.mtimeMs, found.ctimeMs);
}

/** P1, P2. @returns whether it was removed. */
async function removeUnused(path: string): Promise<boolean> {
  if (isRecent(await touchedAt(path), Date.now())) return false;
  const { mtimeMs } = await stat(path);
  const aside = join(dirname(path), `.${basename(path)}.${process.pid}.pruned`);
  await rename(path, aside);
  if ((await stat(aside)).mtimeMs !== mtimeMs && !(await exists(path))) {
    await rename(aside, path);
    return false;
  }
  await rm(aside, { recursive: true, force: true });
  return true;
}

async function usedRuntimes(dir: string): Promise<ReadonlySet<string>> {
  const used = new Set<string>();
  for (const clusterId of await clusterIdsIn(dir)) {
    const layout = clusterLayout(dir, clusterId);
    for (const name of await namesIn(layout.processes)) {
      const runtime = (await readStarted(layout, name).catch(() => null))?.place?.runtime;
      if (runtime !== undefined) used.add(runtime);
    }
  }
  const running = (await namesIn('/proc')).filter((name) => /^\d+$/.test(name));
  const prefix = `${join(dir, 'runtimes')}/`;
  for (const pid of running) {
    const file = await readlink(join('/proc', pid, 'exe')).catch(() => '');
    // The agent itself needs its file no more.
    if (Number(pid) !== process.pid && file.startsWith(prefix))
      used.add(file.slice(prefix.length).split('/')[0]!);
  }
  return used;
}
