/** The history of releases, in the cluster's record. */
import { ApplicationStatus } from '../contract/outcome.ts';
import type { RestoreEntry } from '../contract/restore.ts';
import {
  DocumentName,
  type ReleaseEntry,
  ReleaseStatus,
  type ReleasesDocument,
} from '../record/documents.ts';
import { readDocument, readRuns } from '../record/record.ts';
import { ClusterError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import { type RecordStore, newestThatFit } from '../record/store.ts';

/** So many can be returned to. */
const keptReleases = 20;

/** Oldest first. */
export async function readReleases(store: RecordStore): Promise<readonly ReleaseEntry[]> {
  const { value } = await readDocument(store, DocumentName.releases);
  return value?.releases ?? [];
}

/** Adds a release before anything is done for it. @returns it with its number. */
export async function recordRelease(
  store: RecordStore,
  entry: Omit<ReleaseEntry, 'number'>,
): Promise<ReleaseEntry> {
  let added: ReleaseEntry | null = null;
  await change(store, (releases) => {
    added = { ...entry, number: (releases.at(-1)?.number ?? 0) + 1 };
    return [...releases, added].slice(-keptReleases);
  });
  return added!;
}

/** Says how an entry went. */
export const markRelease = (
  store: RecordStore,
  number: number,
  status: ReleaseStatus,
): Promise<void> => amend(store, number, { status });

/** Says what its jobs are restored from. */
export const markRestore = (
  store: RecordStore,
  number: number,
  restore: readonly RestoreEntry[],
): Promise<void> => amend(store, number, { restore });

/** Says which epochs were before it. */
export const markEpoch = (store: RecordStore, number: number, afterEpoch: number): Promise<void> =>
  amend(store, number, { afterEpoch });

async function amend(
  store: RecordStore,
  number: number,
  fields: Partial<ReleaseEntry>,
): Promise<void> {
  await change(store, (releases) =>
    releases.map((r) => (r.number === number ? { ...r, ...fields } : r)),
  );
}

/**
 * Where a rollback goes to without being told: the newest stable release before the current one that is
 * another one. `null`: there is none.
 */
export function previousStable(releases: readonly ReleaseEntry[]): ReleaseEntry | null {
  const current = releases.at(-1);
  return (
    releases
      .slice(0, -1)
      .findLast((r) => r.status === ReleaseStatus.stable && r.release !== current?.release) ?? null
  );
}

/**
 * Where a rollback that was interrupted was going to: whoever repeats it means the same, and not the release
 * that it left. `null`: the last operation was no rollback, or came to its end.
 */
export function interruptedRollback(releases: readonly ReleaseEntry[]): ReleaseEntry | null {
  const last = releases.at(-1);
  return last?.cause === 'rollback' && last.status === ReleaseStatus.intended ? last : null;
}

/**
 * A release by its number or the beginning of its hash; of several entries of one hash the newest.
 * @throws ClusterError (exit 7) when there is none, or several are meant.
 */
export function findRelease(releases: readonly ReleaseEntry[], wanted: string): ReleaseEntry {
  const numbered = releases.find((r) => String(r.number) === wanted);
  const named = releases.filter((r) => wanted.length >= 4 && r.release.startsWith(wanted));
  const hashes = new Set(named.map((r) => r.release));
  const found = numbered ?? (hashes.size === 1 ? named.at(-1) : undefined);
  if (found !== undefined) return found;
  const known = releases.map((r) => `${r.number} (${r.release})`).join(', ');
  throw new ClusterError(
    ExitCode.notFound,
    problem({
      code: 'no-such-release',
      message:
        hashes.size > 1
          ? `several releases begin with ${wanted}: ${[...hashes].join(', ')}`
          : `there is no release ${wanted}`,
      hint: releases.length === 0 ? 'none is recorded' : `recorded are ${known}`,
    }),
  );
}

/** Whether the newest run of the cluster was of that release, as far as is known, and succeeded. */
export async function hasSucceeded(store: RecordStore, release: string): Promise<boolean> {
  const { currentRelease, isOver, outcome } = await readRuns(store);
  // The outcome may be of an earlier run: when this one was interrupted, or was lost.
  return (
    currentRelease?.release === release &&
    currentRelease.status === ReleaseStatus.stable &&
    isOver &&
    outcome?.status === ApplicationStatus.succeeded
  );
}

async function change(
  store: RecordStore,
  update: (releases: readonly ReleaseEntry[]) => readonly ReleaseEntry[],
): Promise<void> {
  const { version, value } = await readDocument(store, DocumentName.releases);
  const releases = newestThatFit(update(value?.releases ?? []), store.maxBytes);
  const document: ReleasesDocument = { releases };
  // Only the holder of the lock writes here: somebody else means that the lock was lost.
  if ((await store.write(DocumentName.releases, document, version)) === null) {
    throw new ClusterError(
      ExitCode.conflict,
      problem({ code: 'lock-lost', message: 'another deployment of this cluster took over' }),
    );
  }
}
