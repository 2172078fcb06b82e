/** What of the outcomes of jobs goes into that of their cluster. Pure. */
import type { JobOutcome } from '../../../contract/outcome.ts';

/** Of all jobs together, as JSON: the record takes 256 KiB a document on some platforms. */
const maxJobsBytes = 192 * 1024;

const sizeOf = (job: JobOutcome) => Buffer.byteLength(JSON.stringify(job));

/**
 * The newest jobs, in their order, as far as the record has room for them. The newest is always there, if
 * need be without its accumulators.
 */
export function newestThatFit(jobs: readonly JobOutcome[]): readonly JobOutcome[] {
  let left = maxJobsBytes;
  const kept: JobOutcome[] = [];
  for (const job of jobs.toReversed()) {
    const isNewest = kept.length === 0;
    const fitting = isNewest && sizeOf(job) > left ? { ...job, accumulators: {} } : job;
    left -= sizeOf(fitting);
    if (left < 0 && !isNewest) break;
    kept.push(fitting);
  }
  return kept.toReversed();
}
