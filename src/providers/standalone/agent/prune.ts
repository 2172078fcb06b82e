/** Removes from a host what no cluster on it uses any more. */
import { readlink, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readStarted } from '../../local/client.ts';
import { clusterIdsIn, clusterLayout, namesIn } from '../../local/layout.ts';

/** An upload that was interrupted may be continued for that long. */
const uploadKeptMs = 24 * 3_600_000;

/**
 * @param keep hashes of runtimes that are about to be used.
 * @returns paths of what was removed.
 */
export async function pruneHost(dir: string, keep: readonly string[]): Promise<string[]> {
  const used = new Set([...keep, ...(await usedRuntimes(dir))]);
  const removed: string[] = [];
  const remove = async (path: string) => {
    await rm(path, { recursive: true, force: true });
    removed.push(path);
  };
  const clusters = await clusterIdsIn(dir);
  for (const hash of await namesIn(join(dir, 'runtimes'))) {
    if (!used.has(hash)) await remove(join(dir, 'runtimes', hash));
  }
  for (const name of await namesIn(join(dir, 'uploads'))) {
    const path = join(dir, 'uploads', name);
    const found = await stat(path).catch(() => null);
    if (found && Date.now() - found.mtimeMs > uploadKeptMs) await remove(path);
  }
  const agents = clusters.length === 0 ? await namesIn(join(dir, 'agents')) : [];
  for (const name of agents) await remove(join(dir, 'agents', name));
  return removed;
}

async function usedRuntimes(dir: string): Promise<string[]> {
  const used: string[] = [];
  for (const clusterId of await clusterIdsIn(dir)) {
    const layout = clusterLayout(dir, clusterId);
    for (const name of await namesIn(layout.processes)) {
      const runtime = (await readStarted(layout, name).catch(() => null))?.place?.runtime;
      if (runtime !== undefined) used.push(runtime);
    }
  }
  const running = (await namesIn('/proc')).filter((name) => /^\d+$/.test(name));
  const prefix = `${join(dir, 'runtimes')}/`;
  for (const pid of running) {
    const file = await readlink(join('/proc', pid, 'exe')).catch(() => '');
    // The agent itself needs its file no more.
    if (Number(pid) !== process.pid && file.startsWith(prefix))
      used.push(file.slice(prefix.length).split('/')[0]!);
  }
  return used;
}
