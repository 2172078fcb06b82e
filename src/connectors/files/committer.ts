/**
 * Publishes the part files of a job, all or none, in place of those of the run before. Runs on the
 * JobManager.
 *
 * F1  Nothing is ever written under a final name: parts are complete and durable before they are renamed.
 * F2  The file COMMIT, made durable by a rename, is the decision. Before it the old output stands; after
 *     it publishing is carried on by whoever comes next, this committer or the next job's `prepare`.
 * F3  Every step can be repeated: removing what is gone and renaming what is renamed change nothing.
 * F4  No decision without all of its parts: what is lost fails the job, and the old output stands.
 * F5  A part that is finished belongs to the committer: it may have been decided to publish it, and what
 *     then is missing would be taken for renamed. The writer removes only what it has not finished.
 */
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { Committable, SinkCommitter } from '../../api/sink.ts';
import type { JsonObject } from '../../contract/json.ts';
import {
  commitFile,
  publishedParts,
  reasonOf,
  stagingFolder,
  stagingFolders,
  syncFolder,
} from './layout.ts';

/** Content of COMMIT. */
interface Decision {
  /** Old parts to remove. */
  readonly remove: readonly string[];
  /** From the name in the staging folder to the final name. */
  readonly publish: readonly (readonly [string, string])[];
}

export function createFileCommitter(
  options: JsonObject,
  context: { workingDirectory: string; jobId: string },
): SinkCommitter {
  const folder = resolve(context.workingDirectory, options['path'] as string);
  const staging = stagingFolder(folder, context.jobId);
  const suffix = options['suffix'] as string;
  const emptyPart = options['emptyPart'] as string;
  let committed = false;
  return {
    prepare: () => prepare(folder, staging),
    commit: async (committables) => {
      if (committed) return undefined; // F3
      try {
        if (!(await exists(commitFile(staging)))) {
          await decide(folder, staging, { suffix, emptyPart, committables });
        }
        await carryOut(folder, staging);
      } catch (error) {
        throw new Error(`cannot publish in ${folder}: ${reasonOf(error)}`, { cause: error });
      }
      committed = true;
      return undefined;
    },
    abort: async () => {
      // A decision that was made stands (F2).
      if (await exists(commitFile(staging))) await carryOut(folder, staging);
      else if (await exists(staging)) await rm(staging, { recursive: true, force: true });
    },
  };
}

/** Whatever else goes wrong is no answer: a decision must not be taken for absent (F2). */
async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}

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
      `the output folder ${folder} cannot be written by ${userName()}: ${reasonOf(error)}`,
      { cause: error },
    );
  }
}

/** In a container the user may be a mere number. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.()}`;
  }
}

/**
 * A staging folder without a decision is of a job that was killed, unless somebody wrote to it lately. That
 * a file grows does not change the time of its folder.
 */
async function removeIfDead(staging: string): Promise<void> {
  const names = await readdir(staging).catch(() => []); // its job may just have ended
  const times = await Promise.all(
    [staging, ...names.map((name) => join(staging, name))].map((path) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => Date.now(),
      ),
    ),
  );
  const recentMs = 3_600_000;
  if (Date.now() - Math.max(...times) > recentMs) {
    await rm(staging, { recursive: true, force: true });
  }
}

interface Output {
  readonly suffix: string;
  readonly emptyPart: string;
  readonly committables: readonly Committable[];
}

async function decide(
  folder: string,
  staging: string,
  { suffix, emptyPart, committables }: Output,
): Promise<void> {
  const parts = committables
    .map(String)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  for (const part of parts) {
    if (!(await exists(join(staging, part)))) throw new Error(`the part ${part} is gone`); // F4
  }
  if (parts.length === 0) {
    await writeFile(join(staging, `empty${suffix}`), emptyPart, { flush: true });
    parts.push(`empty${suffix}`);
  }
  const decision: Decision = {
    remove: await publishedParts(folder, suffix),
    publish: parts.map((part, index) => [part, `part-${index}${suffix}`]),
  };
  const undecided = join(staging, 'COMMIT.tmp');
  await writeFile(undecided, JSON.stringify(decision), { flush: true });
  await syncFolder(staging); // F1
  await rename(undecided, commitFile(staging)); // F2
  await syncFolder(staging);
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
