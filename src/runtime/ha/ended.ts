/** Whether there is anything left to do for a process of a cluster. */
import { readRuns } from '../../record/record.ts';
import type { RecordReader } from '../../record/store.ts';

/** What cannot be read says nothing. */
const runsOf = (record: RecordReader) => readRuns(record).catch(() => null);

/**
 * Whether the cluster's current release has an outcome: then no JobManager comes any more, and one that
 * is started again must not run the application a second time.
 */
export const hasEnded = async (record: RecordReader): Promise<boolean> =>
  (await runsOf(record))?.isReleaseOver ?? false;

/** Whether a deployment was recorded since this epoch began, which is followed by another JobManager. */
export const hasSuccessor = async (record: RecordReader, epoch: number): Promise<boolean> =>
  (await runsOf(record))?.hasSuccessor(epoch) ?? false;
