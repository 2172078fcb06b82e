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
 * F8  A job that lives is not taken for dead, however long it writes nothing: its committer marks the staging
 *     folder as alive every `aliveEveryMs`, much more often than `recentMs`.
 * F9  Every JobManager that runs a job has a staging folder of its own, by its epoch. A committer makes that
 *     of its own epoch and removes those of older ones of its job; nobody makes one again, neither a writer nor
 *     a commit, so that what a displaced JobManager's attempt writes late finds no place. A committer that
 *     sees the folder of a newer epoch decides nothing and carries out nothing. The newer one makes its folder
 *     before it looks for decisions, and the older one looks for newer folders again after it has decided:
 *     one of the two sees the other.
 *
 * What readers see: a part is complete or not there. Files of a folder cannot be exchanged all at once,
 * though: from COMMIT to the end of publishing new parts take the places of old ones, one by one, and then
 * the old ones that have no successor go. While new and old stand side by side, also after a crash, COMMIT
 * exists, and the new output is complete: what of it is not under its final name is beside COMMIT.
 *
 * One job at a time may write to a folder.
 */
import { join } from 'node:path/posix';
import type { Committable, SinkCommitter } from '../../api/sink.ts';
import type { JsonObject } from '../../contract/json.ts';
import { localUser } from '../../contract/user.ts';
import { type FileSystem, isAbsent } from '../../storage/file-system.ts';
import { absoluteLocation, openFileSystem } from '../../storage/open.ts';
import {
  commitFile,
  epochOf,
  publishedName,
  publishedParts,
  stagingFolder,
  stagingFolders,
  type StagingOwner,
} from './layout.ts';
import { arePublished, type Part, partOf } from './parts.ts';

/** Content of COMMIT. */
interface Decision {
  /** Old parts to remove. */
  readonly remove: readonly string[];
  /** From the name in the staging folder to the final name. */
  readonly publish: readonly (readonly [string, string])[];
}

/** Where a sink publishes. */
interface Target {
  readonly fileSystem: FileSystem;
  readonly folder: string;
  readonly staging: string;
  readonly owner: StagingOwner;
  readonly suffix: string;
  readonly emptyPart: string;
}

/** F8 */
const aliveEveryMs = 600_000;
const recentMs = 3_600_000;

/** @throws StorageError for a path that this version has no file system for. */
export async function createFileCommitter(
  options: JsonObject,
  context: StagingOwner & { readonly workingDirectory: string },
): Promise<SinkCommitter> {
  const location = absoluteLocation(options['path'] as string, context.workingDirectory);
  const { fileSystem, path: folder } = await openFileSystem(location);
  const suffix = options['suffix'] as string;
  const staging = stagingFolder(folder, context, suffix);
  const emptyPart = options['emptyPart'] as string;
  const target: Target = { fileSystem, folder, staging, owner: context, suffix, emptyPart };
  const alive = new AliveMark(target);
  let committed = false;
  return {
    prepare: async () => {
      await prepare(target);
      alive.begin(); // F8
    },
    commit: async (committables) => {
      if (committed) return undefined; // F3
      await alive.end();
      const parts = inOrder(committables as readonly (Committable & Part)[]);
      try {
        await publish(target, parts);
      } catch (error) {
        throw new Error(`cannot publish in ${folder}: ${(error as Error).message}`, {
          cause: error,
        });
      }
      committed = true;
      return undefined;
    },
    abort: async () => {
      await alive.end();
      // A decision that was made stands (F2), and is the newer committer's to carry out when there is one (F9).
      const isDecided = (await hasNewer(target))
        ? (await readDecision(fileSystem, staging)) !== null
        : await carryOut(target, staging);
      if (!isDecided) await fileSystem.delete(staging);
    },
  };
}

/** Tells other jobs that a staging folder in which nothing is written is in use (F8). */
class AliveMark {
  readonly #target: Target;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(target: Target) {
    this.#target = target;
  }

  begin(): void {
    const mark = () => {
      this.#writing = this.#write();
    };
    this.#timer ??= setInterval(mark, aliveEveryMs).unref();
  }

  /** When it resolves nothing is written any more. */
  async end(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#writing;
  }

  /** What goes wrong shows when something else is written there. */
  async #write(): Promise<void> {
    const { fileSystem, staging } = this.#target;
    await fileSystem.replace(join(staging, 'ALIVE'), Buffer.alloc(0)).catch(() => {});
  }
}

/** By subtask. */
function inOrder(parts: readonly Part[]): readonly Part[] {
  return [...parts].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

async function prepare(target: Target): Promise<void> {
  const { fileSystem, folder, staging } = target;
  try {
    const there = await fileSystem.stat(folder);
    if (there !== null && there.kind !== 'folder') throw new Error('it is not a folder');
    await fileSystem.createFolder(folder);
    await refuseWhenDisplaced(target);
    await carryOut(target, staging); // F2
    await fileSystem.createFolder(staging); // F9: before others are looked at
    for (const left of await stagingFolders(fileSystem, folder)) {
      if (left !== staging) await putInOrder(target, left);
    }
  } catch (error) {
    throw new Error(
      `the output folder ${folder} cannot be written by ${localUser().name}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** F9 */
const ageOf = ({ owner, suffix }: Target, staging: string): 'older' | 'newer' | null => {
  const epoch = epochOf(staging, owner.jobId, suffix);
  if (epoch === null || epoch === owner.epoch) return null;
  return epoch < owner.epoch ? 'older' : 'newer';
};

/** F9 */
async function hasNewer(target: Target): Promise<boolean> {
  const all = await stagingFolders(target.fileSystem, target.folder);
  return all.some((staging) => ageOf(target, staging) === 'newer');
}

/** F9 */
async function refuseWhenDisplaced(target: Target): Promise<void> {
  if (await hasNewer(target)) throw new Error('another JobManager has taken the job over');
}

/** What another committer left (F2), or has no use for any more (F9). */
async function putInOrder(target: Target, left: string): Promise<void> {
  if (await carryOut(target, left)) return;
  if (ageOf(target, left) === 'older') await target.fileSystem.delete(left);
  else await removeIfDead(target.fileSystem, left);
}

/**
 * A staging folder without a decision is of a job that was killed, unless somebody wrote to it lately (F8).
 * That a file grows does not change the time of its folder.
 */
async function removeIfDead(fileSystem: FileSystem, staging: string): Promise<void> {
  const there = await fileSystem.stat(staging);
  if (there === null) return; // its job has just ended
  const times = (await fileSystem.list(staging)).map(({ modifiedMs }) => modifiedMs);
  if (Date.now() - Math.max(there.modifiedMs, ...times) > recentMs) {
    await fileSystem.delete(staging);
  }
}

async function publish(target: Target, parts: readonly Part[]): Promise<void> {
  const { fileSystem, folder, staging, suffix } = target;
  await refuseWhenDisplaced(target);
  for (const left of await stagingFolders(fileSystem, folder)) await carryOut(target, left); // F2, F7
  const missing = await missingPart(target, parts);
  if (missing === null) {
    await decide(target, parts);
    await refuseWhenDisplaced(target); // F9
    await carryOut(target, staging);
  } else if (await arePublished(fileSystem, folder, suffix, orEmpty(target, parts))) {
    await fileSystem.delete(staging); // F6
  } else {
    throw new Error(`${missing} is gone`); // F4
  }
}

/** What is published of a result. */
const orEmpty = (target: Target, parts: readonly Part[]): readonly Part[] =>
  parts.length > 0 ? parts : [partOf(emptyName(target), Buffer.from(target.emptyPart))];

/** What is missing to publish a result, for people. A result without records needs the folder (F9). */
async function missingPart(
  { fileSystem, staging }: Target,
  parts: readonly Part[],
): Promise<string | null> {
  if (parts.length === 0 && (await fileSystem.stat(staging)) === null)
    return `the folder ${staging}`;
  for (const { name } of parts) {
    if ((await fileSystem.stat(join(staging, name))) === null) return `the part ${name}`;
  }
  return null;
}

async function decide(target: Target, parts: readonly Part[]): Promise<void> {
  const { fileSystem, folder, staging, suffix } = target;
  const names = parts.map(({ name }) => name);
  if (names.length === 0) names.push(await writeEmptyPart(target));
  const decision: Decision = {
    remove: await publishedParts(fileSystem, folder, suffix),
    publish: names.map((name, index) => [name, publishedName(index, suffix)]),
  };
  await fileSystem.syncFolder(staging); // F1
  await fileSystem.replace(commitFile(staging), Buffer.from(JSON.stringify(decision))); // F2
}

/** For a result without records. @returns its name in the staging folder. */
async function writeEmptyPart(target: Target): Promise<string> {
  const { emptyPart, fileSystem, staging } = target;
  const name = emptyName(target);
  await fileSystem.replace(join(staging, name), Buffer.from(emptyPart));
  return name;
}

const emptyName = ({ suffix }: Target) => `empty${suffix}`;

/** @returns whether there was a decision to carry out. */
async function carryOut({ fileSystem, folder }: Target, staging: string): Promise<boolean> {
  const decision = await readDecision(fileSystem, staging);
  if (decision === null) return false;
  const published = new Set<string>();
  for (const [, name] of decision.publish) published.add(name);
  for (const [part, name] of decision.publish) {
    await fileSystem.rename(join(staging, part), join(folder, name)).catch((error: unknown) => {
      if (!isAbsent(error)) throw error; // F3
    });
  }
  for (const name of decision.remove) {
    if (!published.has(name)) await fileSystem.delete(join(folder, name));
  }
  await fileSystem.syncFolder(folder);
  await fileSystem.delete(staging);
  return true;
}

/** Whatever else goes wrong is no answer: a decision must not be taken for absent (F2). */
async function readDecision(fileSystem: FileSystem, staging: string): Promise<Decision | null> {
  try {
    return JSON.parse((await fileSystem.read(commitFile(staging))).toString()) as Decision;
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}
