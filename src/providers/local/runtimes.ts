/**
 * Copies of the runtime on one machine, below the home of its clusters:
 *
 *     runtimes/HASH/{dist,templates,package.json}
 *     runtimes/HASH/compile-cache/     what Node.js has compiled of it
 *
 * Processes run with a copy, and are started again with it after a crash: whoever upgrades fctl, or installs or
 * builds it anew, changes nothing beneath a running cluster.
 *
 * R1  A copy takes its place by a rename when all of it is there and verified: what has its name is whole. One
 *     of which something was removed is made anew.
 * R2  One that is there is touched: it is about to be used, and is not pruned.
 * R3  A copy, or the folder in which one is being made, stays while it is recent (shared/recent.ts), and while a
 *     process that was started with it may be started again.
 * R4  It is set aside before it is removed, and put back when it was touched meanwhile: whoever looks for it
 *     in between finds none and makes it anew.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readlink, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ProviderError, problem } from '../../contract/errors.ts';
import { isRecent } from '../shared/recent.ts';
import { clusterIdsIn, clusterLayout, exists, namesIn } from './layout.ts';
import { readStarted } from './started-process.ts';

/** What processes run with. */
export interface Runtime {
  /** Folder with the entry points (`jobmanager.js`, `taskmanager.js`). */
  readonly runtimeDir: string;
  /** The shell script that runs each of them and starts it again. */
  readonly supervisor: string;
  /** Where processes keep compiled code; absent: where Node.js does. */
  readonly compileCache?: string;
}

/** The runtime that this fctl has, to be copied. */
export interface RuntimeFiles {
  /** Names the content. */
  readonly hash: string;
  /** Whether a folder has all of it. */
  isWhole(folder: string): Promise<boolean>;
  /** Writes all of it into a folder, verified. */
  writeTo(folder: string, signal: AbortSignal): Promise<void>;
}

const runtimesOf = (home: string) => join(home, 'runtimes');

export function runtimeAt(home: string, hash: string): Runtime {
  const folder = join(runtimesOf(home), hash);
  return {
    runtimeDir: join(folder, 'dist'),
    supervisor: join(folder, 'templates', 'supervise.sh'),
    // Not in /tmp, where it would stay.
    compileCache: join(folder, 'compile-cache'),
  };
}

/** @throws ProviderError `disk-full`, `home-not-writable`, and what `files` throws. */
export async function installRuntime(
  home: string,
  files: RuntimeFiles,
  signal: AbortSignal,
): Promise<void> {
  const target = join(runtimesOf(home), files.hash);
  const made = join(runtimesOf(home), `.${files.hash}.${randomBytes(4).toString('hex')}`);
  try {
    if (await isUsable(target, files)) return;
    await mkdir(made, { recursive: true, mode: 0o700 });
    await files.writeTo(made, signal);
    await putInPlace(made, target, files);
  } catch (error) {
    throw cannotWrite(home, error);
  } finally {
    await rm(made, { recursive: true, force: true }).catch(() => {}); // its error would hide the reason
  }
}

/** R2 */
async function isUsable(target: string, files: RuntimeFiles): Promise<boolean> {
  const now = new Date();
  try {
    await utimes(target, now, now);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  return files.isWhole(target);
}

/** R1. Somebody else may be faster at any moment. */
async function putInPlace(made: string, target: string, files: RuntimeFiles): Promise<void> {
  const isTaken = async () => {
    try {
      await rename(made, target);
      return false;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (code === 'ENOTEMPTY' || code === 'EEXIST') return true;
      throw error;
    }
  };
  if (!(await isTaken()) || (await files.isWhole(target))) return;
  const damaged = `${made}.damaged`;
  await rename(target, damaged);
  await isTaken();
  await rm(damaged, { recursive: true, force: true });
}

function cannotWrite(home: string, error: unknown): unknown {
  const { code = '', message, path = '' } = error as NodeJS.ErrnoException;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  const isRefused = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'].includes(code) && path.startsWith(home);
  if (!isFull && !isRefused) return error;
  return new ProviderError(
    problem({
      code: isFull ? 'disk-full' : 'home-not-writable',
      message: `the runtime cannot be copied to ${runtimesOf(home)}: ${message}`,
      path: '/providers/local/dir',
      hint: isFull
        ? 'free some space, or set FCTL_HOME to a folder on another disk'
        : 'set FCTL_HOME or providers.local.dir to a folder that you may write',
    }),
    { cause: error },
  );
}

/** Removes copies that nobody needs (R3). @returns paths of what was removed. */
export async function pruneRuntimes(home: string): Promise<string[]> {
  const used = await usedRuntimes(home);
  const removed: string[] = [];
  for (const name of await namesIn(runtimesOf(home))) {
    const path = join(runtimesOf(home), name);
    if (!used.has(name) && (await removeUnused(path))) removed.push(path);
  }
  return removed;
}

/** Of those that are there, all that somebody was started with. */
async function usedRuntimes(home: string): Promise<ReadonlySet<string>> {
  const used = new Set<string>();
  for (const clusterId of await clusterIdsIn(home)) {
    const layout = clusterLayout(home, clusterId);
    for (const name of await namesIn(layout.processes)) {
      const runtime = (await readStarted(layout, name).catch(() => null))?.place?.runtime;
      if (runtime !== undefined) used.add(runtime);
    }
  }
  const running = (await namesIn('/proc')).filter((name) => /^\d+$/.test(name));
  const prefix = `${runtimesOf(home)}/`;
  for (const pid of running) {
    const file = await readlink(join('/proc', pid, 'exe')).catch(() => '');
    // An agent needs its file no more.
    if (Number(pid) !== process.pid && file.startsWith(prefix))
      used.add(file.slice(prefix.length).split('/')[0]!);
  }
  return used;
}

/** By the machine's clock. The time of the last change counts, too: unpacking gives files the times they had. */
export async function touchedAt(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  return found === null ? 0 : Math.max(found.mtimeMs, found.ctimeMs);
}

/** R3, R4. @returns whether it was removed. */
export async function removeUnused(path: string): Promise<boolean> {
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
