/** The history of releases, in the cluster's record. */
import {
  ApplicationStatus,
  DocumentName,
  type EndpointDocument,
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

/** Whether the newest run of the cluster was of that release, as far as is known, and succeeded. */
export async function hasSucceeded(store: DocumentStore, release: string): Promise<boolean> {
  const [releases, endpoint, outcome] = await Promise.all([
    store.read<ReleasesDocument>(DocumentName.releases),
    store.read<EndpointDocument>(DocumentName.endpoint),
    store.read<OutcomeDocument>(DocumentName.outcome),
  ]);
  const newest = releases.value?.releases.at(-1);
  // The outcome may be of an earlier run: when this one was interrupted, or was lost.
  return (
    newest?.release === release &&
    newest.status === 'stable' &&
    outcome.value?.status === ApplicationStatus.succeeded &&
    outcome.value.epoch >= (endpoint.value?.epoch ?? 0)
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
