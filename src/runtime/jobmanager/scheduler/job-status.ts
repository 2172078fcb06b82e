/** Flink's job states and which may follow which. */
import { createStateMachine, type StateMachine } from './state-machine.ts';

export const JobStatus = {
  initializing: 'INITIALIZING',
  created: 'CREATED',
  running: 'RUNNING',
  failing: 'FAILING',
  failed: 'FAILED',
  cancelling: 'CANCELLING',
  canceled: 'CANCELED',
  finished: 'FINISHED',
  restarting: 'RESTARTING',
  suspended: 'SUSPENDED',
  reconciling: 'RECONCILING',
} as const;
export type JobStatus = (typeof JobStatus)[keyof typeof JobStatus];

const S = JobStatus;

/**
 * Legal transitions, as Flink's DefaultScheduler makes them: a job is `RUNNING` while its tasks wait for
 * slots, and `RESTARTING` from its failure until slots are asked for again. `SUSPENDED` and `RECONCILING`
 * are entered by nobody yet. Other than Flink's, a job that fails stays so when it is cancelled meanwhile:
 * the root cause is what the user wants to know.
 */
export const jobTransitions: Readonly<Record<JobStatus, readonly JobStatus[]>> = {
  [S.initializing]: [S.created, S.failing, S.cancelling],
  [S.created]: [S.running, S.failing, S.cancelling],
  [S.running]: [S.finished, S.failing, S.cancelling, S.restarting],
  [S.failing]: [S.failed],
  [S.cancelling]: [S.canceled],
  [S.failed]: [],
  [S.canceled]: [],
  [S.finished]: [],
  [S.restarting]: [S.running, S.failing, S.cancelling],
  [S.suspended]: [],
  [S.reconciling]: [],
};

export const isTerminalJobStatus = (status: JobStatus): boolean =>
  status === S.finished || status === S.failed || status === S.canceled;

export const allJobStatuses: readonly JobStatus[] = Object.values(JobStatus);

/** The life of one job, from `INITIALIZING`. */
export function createJobStateMachine(now: () => number): StateMachine<JobStatus> {
  return createStateMachine('job', jobTransitions, JobStatus.initializing, now);
}
