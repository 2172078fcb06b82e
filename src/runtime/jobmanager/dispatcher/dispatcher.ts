/**
 * Takes jobs in, keeps a JobMaster for each that runs, and brings what TaskManagers report to the right one.
 *
 * D1  A job starts when the journal has it, and its result is told when the journal has that.
 * D2  A repeated submission is the same job, also while the first one is under way. Another job, or the same
 *     one with other arguments, is refused under its id.
 * D3  Jobs of earlier JobManagers are shown as the journal has them, until they are started again.
 * D4  Of a job that has ended its JobMaster goes, with all that ran it: what is remembered is bounded
 *     (ended-jobs.ts).
 *
 * Over the usual length: its methods share the table of jobs.
 */
import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { Split } from '../../../api/source.ts';
import { aborted } from '../../../contract/abort.ts';
import { type JobOutcome, LOST } from '../../../contract/outcome.ts';
import type { RecordedJob } from '../../../record/documents.ts';
import type {
  JobAttemptsResponse,
  JobResultResponse,
  SubmitJobRequest,
} from '../../../contract/fctl-rest.ts';
import type {
  NetworkConfig,
  RestartConfig,
  StorageConfig,
} from '../../../contract/runtime-config.ts';
import type { Redactor } from '../../../contract/secrets.ts';
import { isSharedPath } from '../../../contract/shared-storage.ts';
import { filePathsOf } from '../../../graph/file-paths.ts';
import type { JobGraph } from '../../../graph/job-graph.ts';
import { findGraphProblems } from '../../../graph/validate.ts';
import { LeadershipLostError } from '../../ha/leadership.ts';
import type { Logger } from '../../logging/logger.ts';
import { pause } from '../../../contract/pause.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { SlotLoss, SplitRequest, TaskChange, TaskManagerReport } from '../../rpc/protocol.ts';
import { RpcError } from '../../rpc/rpc-error.ts';
import type {
  BlobStore,
  CommandResult,
  JobView,
  Refused,
  SubmitResult,
} from '../views/cluster-view.ts';
import type { CreateCoordinators } from '../scheduler/coordinators.ts';
import type { SlotSource } from '../scheduler/job-attempt.ts';
import { JobMaster, type JobMasterOptions } from '../scheduler/job-master.ts';
import { JobStatus } from '../scheduler/job-status.ts';
import { EndedJobs, type EndedJobsOptions } from './ended-jobs.ts';
import type { Admission, Journal, Submission } from './journal.ts';
import { outcomeOf, stateOf, viewRecordedJob } from '../views/recorded-job.ts';
import { createRestartStrategy } from '../scheduler/restart-strategy.ts';
import { RestartThrottle } from '../scheduler/restart-throttle.ts';
import type { TaskEvents, TaskManager } from '../resources/resource-manager.ts';
import type { SlotAllocationInfo } from '../resources/slot-manager.ts';
import { locationProblem } from '../../../storage/open.ts';

export interface DispatcherOptions {
  readonly slots: SlotSource;
  readonly blobs: Pick<BlobStore, 'find'>;
  readonly createCoordinators: CreateCoordinators;
  readonly checkLeadership: JobMasterOptions['checkLeadership'];
  readonly journal: Journal;
  /** Relative paths in sources and sinks are relative to this folder. */
  readonly workingDirectory: string;
  readonly network: NetworkConfig;
  readonly storage: StorageConfig;
  readonly slotRequestTimeoutMs: number;
  readonly cancellationTimeoutMs: number;
  readonly restart: RestartConfig;
  /** How many jobs are deployed again at the same time. */
  readonly maxConcurrentRestarts: number;
  /** 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
  /** Learns the secrets of the jobs that are submitted. */
  readonly redactor: Redactor;
  /** 32 hex digits. */
  readonly newId: () => string;
  /** How much of jobs that have ended. Default: as `EndedJobs` says. */
  readonly remember?: EndedJobsOptions;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** A record that cannot be written for a moment, as when too many files are open, loses nothing. */
const recordAttempts = 10;
const recordRetryMs = 1000;

const accepted: CommandResult = { type: 'accepted' };

const refuse = (reason: Refused['reason'], message: string): Refused => ({
  type: 'refused',
  reason,
  message,
});

const accumulatorsAreGone = (name: string) =>
  `the accumulators of job '${name}' are gone: it ended long before its JobManager was restarted`;

/** D2 */
interface KnownSubmission {
  readonly graphHash: string;
  readonly executeIndex: number | null;
  readonly result: Promise<SubmitResult>;
}

interface RunningJob {
  readonly submission: number;
  readonly master: JobMaster;
  /** Aborted when its end may be told (D1): the job is among those that have ended then. */
  readonly over: AbortController;
}

export class Dispatcher implements TaskEvents {
  readonly #options: DispatcherOptions;
  readonly #running = new Map<string, RunningJob>();
  readonly #ended: EndedJobs;
  /** By the id that the client chose (D2). */
  readonly #submissions = new Map<string, KnownSubmission>();
  readonly #restartThrottle: RestartThrottle;
  /** Number of jobs that were started. */
  #started = 0;
  #closed: string | null = null;
  #isAbandoned = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#restartThrottle = new RestartThrottle(options.maxConcurrentRestarts, options.clock);
    this.#ended = new EndedJobs(options.remember);
  }

  /** Those that run, in the order of their submission. */
  get running(): readonly JobMaster[] {
    return [...this.#running.values()].map(({ master }) => master);
  }

  /** One that runs; `null`: there is none, or it has ended. */
  job(jobId: string): JobMaster | null {
    return this.#running.get(jobId)?.master ?? null;
  }

  /** Jobs of earlier JobManagers, too, in the order of their submission. */
  views(): readonly JobView[] {
    const { journal } = this.#options;
    const now = this.#options.clock.now();
    const past = journal.past.map((job) => this.#viewRecorded(job));
    const own = [
      ...this.#ended.all.map(({ submission, view }) => ({ submission, view: { ...view, now } })),
      ...[...this.#running.values()].map(({ master, submission }) => ({
        submission,
        view: master.view(),
      })),
    ];
    return [
      ...past,
      ...own.toSorted((a, b) => a.submission - b.submission).map(({ view }) => view),
    ];
  }

  /** Of the same jobs, in any order. */
  states(): readonly JobStatus[] {
    const { journal } = this.#options;
    return [
      ...journal.past.map((job) => stateOf(job, journal.mayResume(job))),
      ...this.#ended.all.map(({ view }) => view.state),
      ...this.running.map((job) => job.state),
    ];
  }

  /** `null`: there is no such job, or it is forgotten (D4). */
  view(jobId: string): JobView | null {
    const past = this.#options.journal.pastJob(jobId);
    if (past !== null) return this.#viewRecorded(past);
    const running = this.job(jobId);
    if (running !== null) return running.view();
    const ended = this.#ended.get(jobId);
    return ended && { ...ended.view, now: this.#options.clock.now() };
  }

  /** How one of this JobManager's jobs ends; `null`: there is none, or it is forgotten (D4). */
  async outcome(jobId: string): Promise<JobOutcome | null> {
    return this.job(jobId)?.ended ?? this.#ended.get(jobId)?.outcome ?? null;
  }

  #viewRecorded(job: RecordedJob): JobView {
    const { clock, journal } = this.#options;
    return viewRecordedJob(job, journal.mayResume(job), clock.now());
  }

  /** `null`: no such job. */
  attempts(jobId: string): JobAttemptsResponse | null {
    const view = this.view(jobId);
    const recorded = this.#options.journal.job(jobId);
    if (view === null) return null;
    const state = view.isLost ? LOST : view.state;
    const { name, waitsFor } = view;
    return { jobId, name, state, attempts: recorded?.attempts ?? [], waitsFor };
  }

  /** Takes a job in. Never rejects. */
  async submit(request: SubmitJobRequest): Promise<SubmitResult> {
    const invalid = this.#findInvalid(request);
    if (invalid !== null) return refuse('invalid', invalid);
    const { executeIndex = null, jobId, secrets = [] } = request;
    const graph = request.graph as unknown as JobGraph;
    this.#options.redactor.add(secrets);
    const known = this.#submissions.get(jobId);
    if (known !== undefined) {
      if (known.graphHash === graph.hash && known.executeIndex === executeIndex)
        return known.result;
      return refuse('conflict', `job ${jobId} was submitted already, and is another one`);
    }
    // D2: nothing is awaited between looking and this.
    const result = this.#takeIn({ jobId, graph, executeIndex }, request);
    const submission = { graphHash: graph.hash, executeIndex, result };
    this.#submissions.set(jobId, submission);
    if ((await result).type === 'refused' && this.#submissions.get(jobId) === submission)
      this.#submissions.delete(jobId);
    return result;
  }

  /** `null`: it can be taken in, as far as can be said at once. */
  #findInvalid({ executeIndex = null, graph, jobId, secrets = [] }: SubmitJobRequest) {
    if (executeIndex !== null && !(Number.isSafeInteger(executeIndex) && executeIndex >= 0))
      return 'executeIndex must be a whole number, or null';
    if (typeof jobId !== 'string' || !/^[0-9a-f]{32}$/.test(jobId))
      return 'jobId must be 32 hex digits';
    const problems = findGraphProblems(graph);
    if (problems.length > 0) return `this is no job graph: ${problems.join('; ')}`;
    if (!Array.isArray(secrets) || !secrets.every((value) => typeof value === 'string'))
      return 'secrets must be strings';
    return this.#findUnusable(graph as unknown as JobGraph);
  }

  async #takeIn(submission: Submission, request: SubmitJobRequest): Promise<SubmitResult> {
    const { bundleHash } = submission.graph.code;
    if ((await this.#options.blobs.find(bundleHash)) === null)
      return refuse('invalid', `the application bundle ${bundleHash} is not here: upload it first`);
    return this.#admit(submission, await this.#workingDirectory(request));
  }

  /** Why its paths cannot be used; `null`: they can. */
  #findUnusable(graph: JobGraph): string | null {
    const paths = filePathsOf(graph);
    for (const { operator, path, use } of paths) {
      const why = locationProblem(path);
      if (why !== null) return `the ${use} '${path}' of '${operator}' ${why}`;
    }
    const { scope, shared } = this.#options.storage;
    if (scope !== 'separate') return null;
    const found = paths.filter(({ path }) => !isSharedPath(path, shared));
    if (found.length === 0) return null;
    const named = found.map(({ operator, path, use }) => `the ${use} '${path}' of '${operator}'`);
    return (
      `${named.join(', ')} would be another one in each process of this cluster: ` +
      "put it below a path that all of them see, and name that in 'storage.shared'"
    );
  }

  /** The client's, where this machine has it. */
  async #workingDirectory({ workingDirectory }: SubmitJobRequest): Promise<string> {
    if (typeof workingDirectory === 'string' && isAbsolute(workingDirectory)) {
      const found = await stat(workingDirectory).catch(() => null);
      if (found?.isDirectory()) return workingDirectory;
    }
    return this.#options.workingDirectory;
  }

  async #admit(submission: Submission, workingDirectory: string): Promise<SubmitResult> {
    const { journal, logger } = this.#options;
    if (this.#closed !== null) return refuse('unavailable', this.#closed);
    let admission: Admission;
    try {
      admission = await journal.admit(submission); // D1
    } catch (error) {
      const message = `the job cannot be recorded: ${(error as Error).message}`;
      logger.error(message, { error });
      return refuse('unavailable', message);
    }
    if (admission.type === 'refused') return refuse('conflict', admission.message);
    if (admission.type === 'ended') return { type: 'accepted', jobId: admission.job.id };
    if (this.#closed !== null) return refuse('unavailable', this.#closed);
    this.#start(admission.jobId, submission.graph, admission.attempt, workingDirectory);
    return { type: 'accepted', jobId: admission.jobId };
  }

  #start(jobId: string, graph: JobGraph, attempt: number, workingDirectory: string): void {
    const { clock, createCoordinators, journal, logger, random, restart, slots } = this.#options;
    const submission = this.#started++;
    const master = new JobMaster({
      ...this.#options,
      jobId,
      graph,
      workingDirectory,
      firstAttempt: attempt,
      submission,
      createCoordinators: () =>
        createCoordinators(graph, { jobId, epoch: slots.epoch, workingDirectory }),
      restartStrategy: createRestartStrategy(restart, { now: () => clock.monotonic(), random }),
      restartThrottle: this.#restartThrottle,
      recordRestart: (next, failedAt) => journal.restarted(jobId, next, failedAt),
      logger: logger.child({ jobId }),
    });
    const job = { submission, master, over: new AbortController() };
    this.#running.set(jobId, job);
    void master.ended.then((outcome) => this.#jobEnded(job, outcome));
  }

  /** D1, D4 */
  async #jobEnded({ master, over, submission }: RunningJob, outcome: JobOutcome): Promise<void> {
    const { collected, jobId } = master;
    const notRecorded = await this.#record(master, outcome);
    this.#running.delete(jobId);
    const ended = { submission, view: master.view(), outcome, collected, notRecorded };
    for (const forgotten of this.#ended.add(ended)) this.#submissions.delete(forgotten);
    over.abort();
  }

  /** D1. @returns why the record does not have it in the end; `null`: it has. */
  async #record(master: JobMaster, outcome: JobOutcome): Promise<Error | null> {
    const { clock, journal, logger } = this.#options;
    const { collected, jobId } = master;
    for (let attempt = 1; ; attempt++) {
      try {
        await journal.ended(outcome, collected);
        return null;
      } catch (error) {
        logger.error('how the job ended cannot be recorded', { jobId, attempt, error });
        if (error instanceof LeadershipLostError || attempt === recordAttempts)
          return error as Error;
        await pause(clock, recordRetryMs, new AbortController().signal);
      }
    }
  }

  cancel(jobId: string): CommandResult {
    if (this.job(jobId)?.cancel() === true) return accepted;
    const view = this.view(jobId);
    if (view === null)
      return { type: 'refused', reason: 'not-found', message: `there is no job ${jobId}` };
    const state = view.isLost ? LOST : view.state;
    const message =
      state === JobStatus.suspended
        ? `job ${jobId} does not run before main() has come to it again: cancel the application`
        : `job ${jobId} has already reached ${state}`;
    return { type: 'refused', reason: 'conflict', message };
  }

  /**
   * The result, at the latest after `waitMs`; `null`: no such job. Rejects when the record cannot be
   * written.
   */
  async result(jobId: string, waitMs: number): Promise<JobResultResponse | null> {
    const { clock, journal } = this.#options;
    const past = journal.pastJob(jobId);
    if (past !== null && !journal.mayResume(past)) {
      const { collected, collectedError } = past;
      const errors = {
        ...(collectedError !== null && { collectedError }),
        ...(journal.isForgotten(jobId) && { accumulatorsError: accumulatorsAreGone(past.name) }),
      };
      return { jobId, outcome: outcomeOf(past), collected, ...errors };
    }
    const running = this.#running.get(jobId);
    if (running !== undefined) await pause(clock, waitMs, running.over.signal);
    const ended = this.#ended.result(jobId);
    if (ended !== null) return ended;
    return running === undefined && past === null ? null : { jobId, outcome: null, collected: {} };
  }

  /**
   * Cancels all jobs, takes no more, and waits for all to end.
   * @returns how those ended that had not before.
   */
  async close(why: string): Promise<readonly JobOutcome[]> {
    this.#closed = why;
    const running = [...this.#running.values()];
    for (const { master } of running) master.cancel();
    // One whose end cannot be recorded has an outcome all the same, and what failed is in the log.
    await Promise.all(running.map(({ over }) => aborted(over.signal)));
    const ids = new Set(running.map(({ master }) => master.jobId));
    return this.outcomes().filter(({ id }) => ids.has(id));
  }

  /** How jobs ended that are remembered, those of earlier JobManagers included, in the order of submission. */
  outcomes(): readonly JobOutcome[] {
    const ended = this.#ended.all.toSorted((a, b) => a.submission - b.submission);
    return [...this.#options.journal.past.map(outcomeOf), ...ended.map(({ outcome }) => outcome)];
  }

  /** The JobManager goes away, and its jobs are the next one's: to lose TaskManagers now is no failure. */
  abandon(why: string): void {
    this.#closed = why;
    this.#isAbandoned = true;
  }

  taskChanged(from: string, change: TaskChange): void {
    this.#known(change.jobId).taskChanged(from, change);
  }

  async requestSplit(from: string, request: SplitRequest): Promise<Split | null> {
    return this.#known(request.jobId).requestSplit(from, request);
  }

  slotLost(from: string, loss: SlotLoss): void {
    this.#known(loss.jobId).slotLost(from, loss);
  }

  reported(from: string, report: TaskManagerReport): void {
    const allocations = this.#options.slots.slots.allocationsOf(from);
    const jobIds = new Set(allocations.map((allocation) => allocation.jobId));
    for (const jobId of jobIds) this.job(jobId)?.reported(from, report);
  }

  taskManagerLost(
    { id }: TaskManager,
    allocations: readonly SlotAllocationInfo[],
    why: string,
  ): void {
    if (this.#isAbandoned) return;
    const jobIds = new Set(allocations.map((allocation) => allocation.jobId));
    for (const jobId of jobIds) this.job(jobId)?.taskManagerLost(id, why);
  }

  #known(jobId: string): JobMaster {
    const job = this.job(jobId);
    if (job === null) throw new RpcError('stale', `there is no job ${jobId}`);
    return job;
  }
}
