/** Follows an application to its end, and says how it ended: for `deploy` and `attach`. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { type Problem, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { ApplicationStatus } from '../../contract/outcome.ts';
import { formatDuration } from '../../contract/units.ts';
import { followApplication } from '../../deployment/follow.ts';
import type { Site } from '../../deployment/site.ts';
import type { Provider } from '../../providers/provider.ts';
import { memoryProblems } from '../../providers/shared/describe-exit.ts';
import type { OutcomeDocument } from '../../record/documents.ts';
import type { Context } from '../context.ts';
import { endedBy } from '../interruption.ts';
import { describeFailedApplication, describeJobs, describeOutcome } from '../output/jobs.ts';
import type { Progress } from '../output/progress.ts';

interface Follow {
  /** Outcomes of this epoch and below belong to earlier runs. */
  readonly previousEpoch: number;
  /** Whether one that does not end by itself is followed all the same. Default: only until it runs. */
  readonly isEndless?: boolean;
  readonly progress: Progress;
}

/**
 * @returns how it ended; `null`: it does not end by itself.
 * @throws ClusterError that says how to go on, when the user had enough.
 */
export async function follow(
  context: Context,
  site: Site,
  clusterId: ClusterId,
  { progress, ...options }: Follow,
): Promise<OutcomeDocument | null> {
  try {
    return await followApplication(site, clusterId, {
      ...options,
      signal: context.signal,
      onSnapshot: (jobs) => progress.view(() => describeJobs(jobs)),
    });
  } catch (error) {
    if (!context.signal.aborted) throw error;
    throw endedBy(
      context.signal,
      'detached',
      (why) => `${why}: detached, ${clusterId} goes on`,
      `'fctl attach ${clusterId}' follows it again, 'fctl cancel ${clusterId}' ends it`,
    );
  }
}

interface Ended {
  readonly outcome: OutcomeDocument;
  /** Beside the outcome in the answer. */
  readonly data: object;
  /** When somebody began to wait for it. */
  readonly startedAt: number;
}

/** @returns the exit code. */
export async function answerOutcome(
  context: Context,
  provider: Provider,
  clusterId: ClusterId,
  { data, outcome, startedAt }: Ended,
): Promise<ExitCode> {
  const { report } = context;
  const all = { ...data, outcome };
  const { error, status } = outcome;
  const tookMs = Date.now() - startedAt;
  if (status === ApplicationStatus.succeeded) {
    report.result(all, () => describeOutcome(outcome));
    report.message(`Finished in ${formatDuration(tookMs)}.`);
    return ExitCode.done;
  }
  const memory: readonly Problem[] =
    status === ApplicationStatus.failed
      ? memoryProblems(await provider.observe(clusterId, context))
      : [];
  if (!report.options.json) report.result(all, () => describeOutcome(outcome));
  const message = describeFailedApplication(status === ApplicationStatus.canceled, error);
  const failed = problem({ code: `application-${status.toLowerCase()}`, message });
  report.failure([failed, ...memory], all);
  return ExitCode.jobFailed;
}
