/** Whether there is anything left to do for a process of a cluster. */
import {
  DocumentName,
  type EndpointDocument,
  type OutcomeDocument,
  type ReleasesDocument,
} from '../../record/documents.ts';
import { isReleaseOver } from '../../record/ended.ts';
import type { RecordReader } from './record.ts';

/**
 * Whether the cluster's current release has an outcome: then no JobManager comes any more, and one that
 * is started again must not run the application a second time.
 */
export async function hasEnded(record: RecordReader): Promise<boolean> {
  const documents = await Promise.all([
    record.read<OutcomeDocument>(DocumentName.outcome),
    record.read<EndpointDocument>(DocumentName.endpoint),
    record.read<ReleasesDocument>(DocumentName.releases),
  ]).catch(() => null); // What cannot be read says nothing.
  if (documents === null) return false;
  const [outcome, endpoint, releases] = documents;
  return isReleaseOver({
    outcome: outcome.value,
    endpoint: endpoint.value,
    releases: releases.value?.releases ?? [],
  });
}

/** Whether a deployment was recorded since this epoch began, which is followed by another JobManager. */
export async function hasSuccessor(record: RecordReader, epoch: number): Promise<boolean> {
  const releases = await record.read<ReleasesDocument>(DocumentName.releases).catch(() => null); // What cannot be read says nothing.
  return (releases?.value?.releases.at(-1)?.afterEpoch ?? -1) >= epoch;
}
