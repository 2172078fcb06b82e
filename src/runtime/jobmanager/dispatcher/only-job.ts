/**
 * The job of a per-job cluster, whose end is the cluster's.
 *
 * O1  A cluster takes one job. A repeated submission is the same one.
 * O2  No client has to be alive: a cluster whose job does not come in time ends, for the client may have
 *     died before it submitted it; and a job that ended with an earlier JobManager, or was lost with it,
 *     is not waited for again. Whoever sends files that the job needs is alive.
 */
import { ApplicationStatus, type FailureInfo, type JobOutcome } from '../../../contract/outcome.ts';
import { createFailure } from '../../../contract/failure.ts';
import type { SubmitJobRequest } from '../../../contract/fctl-rest.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { SubmitResult } from '../views/cluster-view.ts';
import type { Dispatcher } from './dispatcher.ts';
import { JobStatus } from '../scheduler/job-status.ts';
import type { Journal } from './journal.ts';
import { outcomeOf } from '../views/recorded-job.ts';

export interface OnlyJobOptions {
  readonly dispatcher: Pick<Dispatcher, 'submit' | 'outcome'>;
  readonly journal: Pick<Journal, 'past'>;
  /** Of the JobManager, for failures that are no task's. */
  readonly resourceId: string;
  readonly clock: Clock;
  /** How long the cluster waits for its job. */
  readonly submissionTimeoutMs: number;
  /** Whether somebody sends a file. */
  readonly isUploading: () => boolean;
  readonly ended: (status: ApplicationStatus, error: FailureInfo | null) => void;
}

export class OnlyJob {
  readonly #options: OnlyJobOptions;
  #jobId: string | null = null;
  #stopWaiting: () => void = () => {};

  constructor(options: OnlyJobOptions) {
    this.#options = options;
  }

  /** Waits for the job, unless an earlier JobManager has had it (O2). */
  expect(): void {
    const [earlier] = this.#options.journal.past;
    if (earlier === undefined) this.#wait();
    else this.#ended(outcomeOf(earlier));
  }

  #wait(): void {
    const { clock, ended, isUploading, resourceId: location, submissionTimeoutMs } = this.#options;
    this.#stopWaiting = clock.after(submissionTimeoutMs, () => {
      if (this.#jobId !== null) return;
      if (isUploading()) return this.#wait();
      const message = 'no job was submitted: the client ended too early';
      ended(ApplicationStatus.failed, createFailure(message, { location }));
    });
  }

  async submit(request: SubmitJobRequest): Promise<SubmitResult> {
    const { dispatcher } = this.#options;
    if (this.#jobId !== null && this.#jobId !== request.jobId) {
      const message = `this cluster has its job already: ${this.#jobId}`;
      return { type: 'refused', reason: 'conflict', message }; // O1
    }
    this.#jobId = request.jobId;
    const result = await dispatcher.submit(request);
    if (result.type === 'refused') this.#jobId = null;
    else void dispatcher.outcome(result.jobId).then((outcome) => outcome && this.#ended(outcome));
    return result;
  }

  close(): void {
    this.#stopWaiting();
  }

  #ended({ error, name, state }: JobOutcome): void {
    const { ended } = this.#options;
    const failure = error && { ...error, message: `job '${name}' ${state}: ${error.message}` };
    if (state === JobStatus.finished) ended(ApplicationStatus.succeeded, null);
    else if (state === JobStatus.canceled) ended(ApplicationStatus.canceled, failure);
    else ended(ApplicationStatus.failed, failure);
  }
}
