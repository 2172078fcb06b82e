/** The history of releases, in the cluster's record. */
import {
  ApplicationStatus,
  DocumentName,
  type OutcomeDocument,
  type ReleaseEntry,
  type ReleasesDocument,
} from '../contract/documents.ts';
import { ClusterError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import type { DocumentStore } from '../providers/provider.ts';

const keptReleases = 20;

/** Adds a release before anything is done for it. */
export async function recordRelease(store: DocumentStore, entry: ReleaseEntry): Promise<void> {
  await change(store, (releases) => [...releases, entry].slice(-keptReleases));
}

/** Says how the newest entry of that release went. */
export async function markRelease(
  store: DocumentStore,
  release: string,
  status: ReleaseEntry['status'],
): Promise<void> {
  await change(store, (releases) => {
    const at = releases.findLastIndex((r) => r.release === release);
    return releases.map((r, index) => (index === at ? { ...r, status } : r));
  });
}

/** Whether the newest run of the cluster was of that release and succeeded. */
export async function hasSucceeded(store: DocumentStore, release: string): Promise<boolean> {
  const [releases, outcome] = await Promise.all([
    store.read<ReleasesDocument>(DocumentName.releases),
    store.read<OutcomeDocument>(DocumentName.outcome),
  ]);
  return (
    releases.value?.releases.at(-1)?.release === release &&
    outcome.value?.status === ApplicationStatus.succeeded
  );
}

async function change(
  store: DocumentStore,
  update: (releases: readonly ReleaseEntry[]) => readonly ReleaseEntry[],
): Promise<void> {
  const { version, value } = await store.read<ReleasesDocument>(DocumentName.releases);
  const document: ReleasesDocument = { releases: update(value?.releases ?? []) };
  // Only the holder of the lock writes here: somebody else means that the lock was lost.
  if ((await store.write(DocumentName.releases, version, document)) === null) {
    throw new ClusterError(
      ExitCode.conflict,
      problem({ code: 'lock-lost', message: 'another deployment of this cluster took over' }),
    );
  }
}
