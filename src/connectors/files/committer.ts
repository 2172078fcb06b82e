/**
 * Publishes the part files of a job, all or none, in place of those of the run before. Runs on the
 * JobManager.
 *
 * F1  Nothing is ever written under a final name: parts are complete and durable before they are renamed.
 * F2  The file COMMIT, made durable by a rename, is the decision. Before it the old output stands; after
 *     it publishing is carried on by whoever comes next, this committer or the next job's.
 * F3  Every step can be repeated: removing what is gone and renaming what is renamed change nothing.
 * F4  No decision without all of its parts: what is lost fails the job, and the old output stands.
 * F5  A part that is finished belongs to the committer: it may have been decided to publish it, and what
 *     then is missing would be taken for renamed. The writer removes only what it has not finished.
 * F6  Whoever commits a result that is published already changes nothing, also when it is another
 *     committer, of a JobManager that was started again: parts under their final names are known by size
 *     and checksum.
 * F7  Decisions are carried out in the order in which they were made: before a committer decides it carries
 *     out those that were left, so that none replaces later a newer output.
 *
 * What readers see: a part is complete or not there. Files of a folder cannot be exchanged all at once,
 * though: from COMMIT to the end of publishing new parts take the places of old ones, one by one, and then
 * the old ones that have no successor go. While new and old stand side by side, also after a crash, COMMIT
 * exists, and the new output is complete: what of it is not under its final name is beside COMMIT.
 *
 * One job at a time may write to a folder.
 */
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Committable, SinkCommitter } from '../../api/sink.ts';
import type { JsonObject } from '../../contract/json.ts';
import { localUser } from '../../contract/user.ts';
import {
  commitFile,
  isAbsent,
  publishedName,
  publishedParts,
  reasonOf,
  stagingFolder,
  stagingFolders,
  syncFolder,
} from './layout.ts';
import { arePublished, type Part } from './parts.ts';

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
  const suffix = options['suffix'] as string;
  const staging = stagingFolder(folder, context.jobId, suffix);
  const emptyPart = options['emptyPart'] as string;
  let committed = false;
  return {
    prepare: () => prepare(folder, staging),
    commit: async (committables) => {
      if (committed) return undefined; // F3
      const parts = inOrder(committables as readonly (Committable & Part)[]);
      try {
        await publish({ folder, staging, suffix, emptyPart }, parts);
      } catch (error) {
        throw new Error(`cannot publish in ${folder}: ${reasonOf(error)}`, { cause: error });
      }
      committed = true;
      return undefined;
    },
    abort: async () => {
      // A decision that was made stands (F2).
      if (!(await carryOut(folder, staging))) await remove(staging);
    },
  };
}

/** By subtask. */
function inOrder(parts: readonly Part[]): readonly Part[] {
  return [...parts].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

async function prepare(folder: string, staging: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    for (const left of await stagingFolders(folder)) {
      const wasDecided = await carryOut(folder, left); // F2
      if (!wasDecided && left !== staging) await removeIfDead(left);
    }
    await mkdir(staging, { recursive: true });
  } catch (error) {
    throw new Error(
      `the output folder ${folder} cannot be written by ${localUser().name}: ${reasonOf(error)}`,
      { cause: error },
    );
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
  if (Date.now() - Math.max(...times) > recentMs) await remove(staging);
}

/** Tasks of a lost attempt may still write there. */
async function remove(staging: string): Promise<void> {
  try {
    await rm(staging, { recursive: true, force: true, maxRetries: 5 });
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

interface Target {
  readonly folder: string;
  readonly staging: string;
  readonly suffix: string;
  readonly emptyPart: string;
}

async function publish(target: Target, parts: readonly Part[]): Promise<void> {
  const { folder, staging, suffix } = target;
  for (const left of await stagingFolders(folder)) await carryOut(folder, left); // F2, F7
  const missing = await missingPart(staging, parts);
  if (missing === null) {
    await decide(target, parts);
    await carryOut(folder, staging);
  } else if (await arePublished(folder, suffix, parts)) {
    await remove(staging); // F6
  } else {
    throw new Error(`the part ${missing} is gone`); // F4
  }
}

async function missingPart(staging: string, parts: readonly Part[]): Promise<string | null> {
  for (const { name } of parts) {
    if (!(await exists(join(staging, name)))) return name;
  }
  return null;
}

/** Whatever else goes wrong is no answer: what could not be looked at is not gone. */
async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

async function decide(target: Target, parts: readonly Part[]): Promise<void> {
  const { folder, staging, suffix } = target;
  const names = parts.map(({ name }) => name);
  if (names.length === 0) names.push(await writeEmptyPart(target));
  const decision: Decision = {
    remove: await publishedParts(folder, suffix),
    publish: names.map((name, index) => [name, publishedName(index, suffix)]),
  };
  const undecided = join(staging, 'COMMIT.tmp');
  await writeFile(undecided, JSON.stringify(decision), { flush: true });
  await syncFolder(staging); // F1
  await rename(undecided, commitFile(staging)); // F2
  await syncFolder(staging);
}

/** For a result without records. @returns its name in the staging folder. */
async function writeEmptyPart({ staging, suffix, emptyPart }: Target): Promise<string> {
  await mkdir(staging, { recursive: true }); // it is gone when the result was published before
  const name = `empty${suffix}`;
  await writeFile(join(staging, name), emptyPart, { flush: true });
  return name;
}

/** @returns whether there was a decision to carry out. */
async function carryOut(folder: string, staging: string): Promise<boolean> {
  const decision = await readDecision(staging);
  if (decision === null) return false;
  const published = new Set<string>();
  for (const [, name] of decision.publish) published.add(name);
  for (const [part, name] of decision.publish) {
    await rename(join(staging, part), join(folder, name)).catch((error: unknown) => {
      if (!isAbsent(error)) throw error; // F3
    });
  }
  for (const name of decision.remove) {
    if (!published.has(name)) await rm(join(folder, name), { force: true });
  }
  await syncFolder(folder);
  await remove(staging);
  return true;
}

/** Whatever else goes wrong is no answer: a decision must not be taken for absent (F2). */
async function readDecision(staging: string): Promise<Decision | null> {
  try {
    return JSON.parse(await readFile(commitFile(staging), 'utf8')) as Decision;
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}
