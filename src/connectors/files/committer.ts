/**
 * Publishes the part files of a job, all or none, in place of those of the run before. Runs on the
 * JobManager.
 *
 * F1  Nothing is ever written under a final name: parts are complete and durable before they are renamed.
 * F2  The file COMMIT, made durable by a rename, is the decision. Before it the old output stands; after
 *     it publishing is carried on by whoever comes next, this committer or the next job's `prepare`.
 * F3  Every step can be repeated: removing what is gone and renaming what is renamed change nothing.
 */
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { Committable, SinkCommitter } from '../../api/sink.ts';
import type { JsonObject } from '../../contract/json.ts';
import { commitFile, publishedParts, stagingFolder, stagingFolders, syncFolder } from './layout.ts';

/** Content of COMMIT. */
interface Decision {
  /** Old parts to remove. */
  readonly remove: readonly string[];
  /** From the name in the staging folder to the final name. */
  readonly publish: readonly (readonly [string, string])[];
  readonly suffix: string;
}

export function createFileCommitter(
  options: JsonObject,
  context: { workingDirectory: string; jobId: string },
): SinkCommitter {
  const folder = resolve(context.workingDirectory, options['path'] as string);
  const staging = stagingFolder(folder, context.jobId);
  const suffix = options['suffix'] as string;
  const emptyPart = options['emptyPart'] as string;
  return {
    prepare: () => prepare(folder, staging),
    commit: async (committables) => {
      await commit(folder, staging, suffix, emptyPart, committables);
      return undefined;
    },
    abort: async () => {
      // A decision that was made stands (F2).
      if (await exists(commitFile(staging))) await carryOut(folder, staging);
      else await rm(staging, { recursive: true, force: true });
    },
  };
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

async function prepare(folder: string, staging: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    for (const left of await stagingFolders(folder)) {
      if (await exists(commitFile(left))) await carryOut(folder, left); // F2
      else if (left !== staging) await removeIfDead(left);
    }
    await mkdir(staging, { recursive: true });
  } catch (error) {
    throw new Error(
      `the output folder ${folder} cannot be written by ${userInfo().username}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** A staging folder without a decision is of a job that was killed, unless somebody just wrote to it. */
async function removeIfDead(staging: string): Promise<void> {
  const { mtimeMs } = await stat(staging);
  const recentMs = 60_000;
  if (Date.now() - mtimeMs > recentMs) await rm(staging, { recursive: true, force: true });
}

async function commit(
  folder: string,
  staging: string,
  suffix: string,
  emptyPart: string,
  committables: readonly Committable[],
): Promise<void> {
  if (!(await exists(staging))) return; // F3: it was carried out before
  const parts = committables
    .map(String)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  if (parts.length === 0) {
    await writeFile(join(staging, `empty${suffix}`), emptyPart, { flush: true });
    parts.push(`empty${suffix}`);
  }
  const decision: Decision = {
    remove: await publishedParts(folder, suffix),
    publish: parts.map((part, index) => [part, `part-${index}${suffix}`]),
    suffix,
  };
  const file = await open(join(staging, 'COMMIT.tmp'), 'w');
  try {
    await file.writeFile(JSON.stringify(decision));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(join(staging, 'COMMIT.tmp'), commitFile(staging)); // F2
  await syncFolder(staging);
  await carryOut(folder, staging);
}

async function carryOut(folder: string, staging: string): Promise<void> {
  const decision = JSON.parse(await readFile(commitFile(staging), 'utf8')) as Decision;
  const published = new Set<string>();
  for (const [, name] of decision.publish) published.add(name);
  for (const [part, name] of decision.publish) {
    await rename(join(staging, part), join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error; // F3
    });
  }
  for (const name of decision.remove) {
    if (!published.has(name)) await rm(join(folder, name), { force: true });
  }
  await syncFolder(folder);
  await rm(staging, { recursive: true, force: true });
}
