/** Whether a run of a cluster is over, by what its record says. */
import type { EndpointDocument, OutcomeDocument, ReleaseEntry } from './documents.ts';

export interface RunRecord {
  readonly outcome: Pick<OutcomeDocument, 'epoch'> | null;
  readonly endpoint: Pick<EndpointDocument, 'epoch'> | null;
  readonly releases: readonly Pick<ReleaseEntry, 'afterEpoch'>[];
}

/** Whether the newest JobManager wrote how it ended, be it of the current release or of an earlier one. */
export const hasOutcome = ({ endpoint, outcome }: Omit<RunRecord, 'releases'>): boolean =>
  outcome !== null && outcome.epoch >= (endpoint?.epoch ?? 0);

/**
 * Whether the cluster's current release has an outcome. A new deployment is in the record before its
 * processes start, so that the outcome of the run before is never taken for this one's.
 */
export const isReleaseOver = ({ releases, ...run }: RunRecord): boolean =>
  hasOutcome(run) && run.outcome!.epoch > (releases.at(-1)?.afterEpoch ?? Infinity);
