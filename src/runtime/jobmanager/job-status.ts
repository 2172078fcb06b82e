/** Flink's job states and which may follow which. */

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
 * Legal transitions, as Flink's JobStatus and Execution graph have them. A job waits for its slots in
 * `CREATED`; `RESTARTING`, `SUSPENDED` and `RECONCILING` are entered by nobody yet.
 */
export const jobTransitions: Readonly<Record<JobStatus, readonly JobStatus[]>> = {
  [S.initializing]: [S.created, S.failing, S.cancelling],
  [S.created]: [S.running, S.failing, S.cancelling],
  [S.running]: [S.finished, S.failing, S.cancelling],
  [S.failing]: [S.failed],
  [S.cancelling]: [S.canceled, S.failing],
  [S.failed]: [],
  [S.canceled]: [],
  [S.finished]: [],
  [S.restarting]: [],
  [S.suspended]: [],
  [S.reconciling]: [],
};

export const isTerminalJobStatus = (status: JobStatus): boolean =>
  status === S.finished || status === S.failed || status === S.canceled;
