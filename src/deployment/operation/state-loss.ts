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
import type { RecordedJob } from '../../record/documents.ts';
import { Role } from '../../contract/process-spec.ts';
import type { Engine } from '../../engines/engine.ts';
import type { Site } from '../site.ts';
import type { Plan } from '../../contract/plan.ts';
import { endedBy } from './plan.ts';
import { type Situation, jobsOn } from './situation.ts';

export interface StateQuestion extends Site {
  readonly engine: Engine;
  readonly mode: 'application' | 'per-job' | 'session';
  readonly plan: Plan;
  readonly situation: Situation;
  /** Only jobs that started before this time, epoch milliseconds, are asked about. */
  readonly startedBefore: number;
}

/** Unknown counts as yes (S1). */
const hasState = ({ vertices }: RecordedJob) => vertices.some((v) => v.stateful !== false);

/** Jobs that the plan would make start again, or end, and that must not without being allowed to. */
async function jobsAtRisk(question: StateQuestion): Promise<readonly RecordedJob[]> {
  const { mode, plan, situation, startedBefore } = question;
  const ended = endedBy(plan.actions, situation.observed);
  const old = situation.jobs.filter((job) => job.startTime < startedBefore);
  if (ended.length === 0 || old.length === 0) return [];
  if (plan.restartsApplication) return mode === 'session' ? old : old.filter(hasState); // S3, S2
  const workers = ended.filter((a) => a.role === Role.taskmanager);
  const busy = workers.filter((a) => !situation.idle.has(a.process)).map((a) => a.process);
  if (busy.length === 0) return [];
  const concerned = await jobsOn(question, plan.clusterId, new Set(busy));
  return old.filter((job) => hasState(job) && (concerned?.has(job.id) ?? true));
}

/**
 * @returns the jobs of which a savepoint has to be taken before anything ends: the engine can.
 * @throws ClusterError (exit 9) naming the jobs whose state would be lost.
 */
export async function refuseStateLoss(question: StateQuestion): Promise<readonly RecordedJob[]> {
  const { engine, mode, plan, situation } = question;
  const jobs = await jobsAtRisk(question);
  if (jobs.length === 0) return [];
  if (engine.savepoints !== null && mode !== 'session' && plan.restartsApplication) return jobs;
  const cause = endedBy(plan.actions, situation.observed)[0]!;
  const names = jobs.map((job) => `'${job.name}'`).join(', ');
  const what =
    mode === 'session' && plan.restartsApplication
      ? `job ${names} of session ${plan.clusterId} would end, and nobody starts it again`
      : `job ${names} of ${plan.clusterId} has state, and would start again from nothing`;
  throw new ClusterError(
    ExitCode.stateWouldBeLost,
    problem({
      code: 'state-would-be-lost',
      message: `${what} (${cause.process}: ${cause.reason})`,
      hint: `cancel it first ('fctl cancel ${plan.clusterId}'), or repeat with --allow-state-loss`,
    }),
  );
}
