/**
 * Takes jobs in, keeps one JobMaster for each, and brings what TaskManagers report to the right one.
 *
 * D1  A job starts when the journal has it, and its result is told when the journal has that.
 * D2  A repeated submission is the same job, also while the first one is under way.
 * D3  Jobs of earlier JobManagers are shown as the journal has them, until they are started again.
 * D4  A job that the journal has forgotten is forgotten here: a session may run jobs for months.
 */
import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { Split } from '../../../api/source.ts';
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
import type { Logger } from '../../logging/logger.ts';
import type { Clock } from '../../clock.ts';
import type { SlotLoss, SplitRequest, TaskChange, TaskManagerReport } from '../../rpc/protocol.ts';
import { RpcError } from '../../rpc/rpc-error.ts';
import type { BlobStore, CommandResult, JobView, SubmitResult } from '../views/cluster-view.ts';
import type { CreateCoordinators } from '../scheduler/coordinators.ts';
import type { SlotSource } from '../scheduler/job-attempt.ts';
import { JobMaster } from '../scheduler/job-master.ts';
import { JobStatus } from '../scheduler/job-status.ts';
import type { Admission, Journal, Submission } from './journal.ts';
import { outcomeOf, stateOf, viewRecordedJob } from '../views/recorded-job.ts';
import { createRestartStrategy } from '../scheduler/restart-strategy.ts';
import { RestartThrottle } from '../scheduler/restart-throttle.ts';
import type { TaskEvents, TaskManager } from '../resources/resource-manager.ts';
import type { SlotAllocationInfo } from '../resources/slot-manager.ts';

export interface DispatcherOptions {
  readonly slots: SlotSource;
  readonly blobs: Pick<BlobStore, 'find'>;
  readonly createCoordinators: CreateCoordinators;
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
  readonly logger: Logger;
  readonly clock: Clock;
}

const accepted: CommandResult = { type: 'accepted' };

export class Dispatcher implements TaskEvents {
  readonly #options: DispatcherOptions;
  readonly #jobs = new Map<string, JobMaster>();
  /** By the id that the client chose (D2). */
  readonly #submissions = new Map<string, Promise<SubmitResult>>();
  /** Resolve when the journal has how they ended (D1). */
  readonly #recorded = new Map<string, Promise<JobOutcome>>();
  readonly #restartThrottle: RestartThrottle;
  /** Number of jobs that were started. */
  #started = 0;
  #closed: string | null = null;
  #isAbandoned = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#restartThrottle = new RestartThrottle(options.maxConcurrentRestarts, options.clock);
  }

  /** In the order of their submission. */
  get jobs(): readonly JobMaster[] {
    return [...this.#jobs.values()];
  }

  job(jobId: string): JobMaster | null {
    return this.#jobs.get(jobId) ?? null;
  }

  /** Jobs of earlier JobManagers, too, in the order of their submission. */
  views(): readonly JobView[] {
    const { journal } = this.#options;
    const past = journal.past.map((job) => this.#viewRecorded(job));
    return [...past, ...this.jobs.map((job) => job.view())];
  }

  /** Of the same jobs. */
  states(): readonly JobStatus[] {
    const { journal } = this.#options;
    const past = journal.past.map((job) => stateOf(job, journal.mayResume(job)));
    return [...past, ...this.jobs.map((job) => job.state)];
  }

  view(jobId: string): JobView | null {
    const past = this.#options.journal.pastJob(jobId);
    return past === null ? (this.job(jobId)?.view() ?? null) : this.#viewRecorded(past);
  }

  #viewRecorded(job: RecordedJob): JobView {
    const { clock, journal } = this.#options;
    return viewRecordedJob(job, journal.mayResume(job), clock.now());
  }

  /** `null`: no such job. */
  attempts(jobId: string): JobAttemptsResponse | null {
    const view = this.view(jobId);
    const recorded = this.#options.journal.job(jobId);
    if (view === null || recorded === null) return null;
    const state = view.isLost ? LOST : view.state;
    const { name, waitsFor } = view;
    return { jobId, name, state, attempts: recorded.attempts, waitsFor };
  }

  /** Takes a job in. Never rejects. */
  async submit(request: SubmitJobRequest): Promise<SubmitResult> {
    const { executeIndex = null, graph, jobId, secrets = [] } = request;
    const invalid = (message: string): SubmitResult => ({
      type: 'refused',
      reason: 'invalid',
      message,
    });
    if (executeIndex !== null && !(Number.isSafeInteger(executeIndex) && executeIndex >= 0))
      return invalid('executeIndex must be a whole number, or null');
    if (typeof jobId !== 'string' || !/^[0-9a-f]{32}$/.test(jobId))
      return invalid('jobId must be 32 hex digits');
    const problems = findGraphProblems(graph);
    if (problems.length > 0) return invalid(`this is no job graph: ${problems.join('; ')}`);
    const jobGraph = graph as unknown as JobGraph;
    const unshared = this.#findUnshared(jobGraph);
    if (unshared !== null) return invalid(unshared);
    const { bundleHash } = jobGraph.code;
    if ((await this.#options.blobs.find(bundleHash)) === null) {
      return invalid(`the application bundle ${bundleHash} is not here: upload it first`);
    }
    if (!Array.isArray(secrets) || !secrets.every((value) => typeof value === 'string'))
      return invalid('secrets must be strings');
    this.#options.redactor.add(secrets);
    const known = this.#submissions.get(jobId); // D2
    if (known !== undefined) return known;
    const folder = await this.#workingDirectory(request);
    const submission = this.#admit({ jobId, graph: jobGraph, executeIndex }, folder);
    this.#submissions.set(jobId, submission);
    const result = await submission;
    if (result.type === 'refused') this.#submissions.delete(jobId);
    return result;
  }

  /** Why its paths cannot be used; `null`: they can. */
  #findUnshared(graph: JobGraph): string | null {
    const { scope, shared } = this.#options.storage;
    if (scope !== 'separate') return null;
    const found = filePathsOf(graph).filter(({ path }) => !isSharedPath(path, shared));
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
    const refuse = (reason: 'conflict' | 'unavailable', message: string): SubmitResult => ({
      type: 'refused',
      reason,
      message,
    });
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
    const { clock, createCoordinators, journal, logger, random, restart } = this.#options;
    const master = new JobMaster({
      ...this.#options,
      jobId,
      graph,
      workingDirectory,
      firstAttempt: attempt,
      submission: this.#started++,
      createCoordinators: () => createCoordinators(graph, { jobId, workingDirectory }),
      restartStrategy: createRestartStrategy(restart, { now: () => clock.now(), random }),
      restartThrottle: this.#restartThrottle,
      recordRestart: (next, failedAt) => journal.restarted(jobId, next, failedAt),
      logger: logger.child({ jobId }),
    });
    this.#jobs.set(jobId, master);
    const recorded = master.ended.then(async (outcome) => {
      await journal.ended(outcome, master.collected);
      this.#forget();
      return outcome;
    });
    recorded.catch((error: unknown) => {
      logger.error('how the job ended cannot be recorded', { jobId, error });
    });
    this.#recorded.set(jobId, recorded);
  }

  /** D4 */
  #forget(): void {
    for (const jobId of this.#jobs.keys()) {
      if (this.#options.journal.job(jobId) !== null) continue;
      this.#jobs.delete(jobId);
      this.#recorded.delete(jobId);
      this.#submissions.delete(jobId);
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
      const error = collectedError === null ? {} : { collectedError };
      return { jobId, outcome: outcomeOf(past), collected, ...error };
    }
    const job = this.job(jobId);
    if (job === null && past === null) return null;
    let stop!: () => void;
    const late = new Promise<null>((resolve) => {
      stop = clock.after(waitMs, () => resolve(null));
    });
    const outcome = await Promise.race([this.#recorded.get(jobId) ?? late, late]);
    stop();
    return { jobId, outcome, collected: outcome === null ? {} : (job?.collected ?? {}) };
  }

  /**
   * Cancels all jobs, takes no more, and waits for all to end.
   * @returns how they ended, those of earlier JobManagers included.
   */
  async close(why: string): Promise<readonly JobOutcome[]> {
    this.#closed = why;
    for (const job of this.jobs) job.cancel();
    const ended = await Promise.all(this.jobs.map((job) => job.ended));
    await Promise.allSettled(this.#recorded.values()); // what failed is logged, and in the outcome now
    return [...this.#options.journal.past.map(outcomeOf), ...ended];
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

  reported(report: TaskManagerReport): void {
    for (const job of this.#jobs.values()) job.reported(report);
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
