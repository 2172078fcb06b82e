/**
 * State is not lost silently: which running jobs a plan would make start again, and whether that may be.
 *
 * S1  What runs says whether it has state: the jobs of the record, not the code that is about to come.
 * S2  A job without state may start again by itself: its source begins where its definition says, as it
 *     did the first time.
 * S3  Nobody runs the `main()` of a session's job again: one whose JobManager ends is over, state or not.
 */
import { ClusterError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { Plan } from '../../contract/plan.ts';
import { type ClusterSpec, Role } from '../../contract/process-spec.ts';
import type { Engine } from '../../engines/engine.ts';
import type { RecordedJob, ReleaseEntry } from '../../record/documents.ts';
import type { Site } from '../site.ts';
import { endedBy } from './plan.ts';
import { type Situation, jobsOn } from './situation.ts';

export interface StateQuestion extends Site {
  readonly engine: Engine;
  /** What is wanted. */
  readonly spec: ClusterSpec;
  readonly plan: Plan;
  readonly situation: Situation;
  /** The earlier release that is returned to; `null`: this is no rollback. */
  readonly returnsTo: ReleaseEntry | null;
  /** Only jobs that started before this time, epoch milliseconds, are asked about. */
  readonly startedBefore: number;
}

/** Unknown counts as yes (S1). */
export const hasState = ({ vertices }: RecordedJob): boolean =>
  vertices.some((v) => v.stateful !== false);

/** Jobs that the plan would make start again, or end, and that must not without being allowed to. */
async function jobsAtRisk(question: StateQuestion): Promise<readonly RecordedJob[]> {
  const { plan, situation, spec, startedBefore } = question;
  const ended = endedBy(plan.actions, situation.observed);
  const old = situation.jobs.filter((job) => job.startTime < startedBefore);
  if (ended.length === 0 || old.length === 0) return [];
  if (plan.restartsApplication) return spec.mode === 'session' ? old : old.filter(hasState); // S3, S2
  const workers = ended.filter((a) => a.role === Role.taskmanager);
  const busy = workers.filter((a) => !situation.idle.has(a.process)).map((a) => a.process);
  if (busy.length === 0) return [];
  const concerned = await jobsOn(question, plan.clusterId, new Set(busy));
  return old.filter((job) => hasState(job) && (concerned?.has(job.id) ?? true));
}

/** What would be lost where nobody can restore it, in words, one a job. */
export async function lossWithoutState(question: StateQuestion): Promise<readonly string[]> {
  const { plan, situation, spec } = question;
  const jobs = await jobsAtRisk(question);
  const cause = endedBy(plan.actions, situation.observed)[0];
  const what =
    spec.mode === 'session' && plan.restartsApplication
      ? `of session ${plan.clusterId} would end, and nobody starts it again`
      : `of ${plan.clusterId} has state, and would start again from nothing`;
  return jobs.map(({ name }) => `job '${name}' ${what} (${cause!.process}: ${cause!.reason})`);
}

/** @throws ClusterError (exit 9) naming the jobs whose state would be lost. */
export function refuseStateLoss({ clusterId, stateLoss }: Plan): void {
  if (stateLoss.length === 0) return;
  throw new ClusterError(
    ExitCode.stateWouldBeLost,
    stateLoss.map((message) =>
      problem({
        code: 'state-would-be-lost',
        message,
        hint: `cancel it first ('fctl cancel ${clusterId}'), or repeat with --allow-state-loss`,
      }),
    ),
  );
}
