/**
 * Takes jobs in, keeps one JobMaster for each, and brings what TaskManagers report to the right one.
 */
import type { Split } from '../../api/source.ts';
import type { JobOutcome } from '../../contract/documents.ts';
import type { JobResultResponse, SubmitJobRequest } from '../../contract/fctl-rest.ts';
import type { NetworkConfig } from '../../contract/runtime-config.ts';
import type { Redactor } from '../../contract/secrets.ts';
import type { JobGraph } from '../../graph/job-graph.ts';
import { findGraphProblems } from '../../graph/validate.ts';
import type { Logger } from '../logging/logger.ts';
import type { Clock } from '../rpc/clock.ts';
import type { SlotLoss, SplitRequest, TaskChange, TaskManagerReport } from '../rpc/protocol.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import type { BlobStore, CommandResult } from './cluster-view.ts';
import type { CreateCoordinators } from './coordinators.ts';
import type { SlotSource } from './job-attempt.ts';
import { JobMaster } from './job-master.ts';
import type { TaskEvents, TaskManager } from './resource-manager.ts';
import type { SlotAllocationInfo } from './slot-manager.ts';

export interface DispatcherOptions {
  readonly slots: SlotSource;
  readonly blobs: Pick<BlobStore, 'find'>;
  readonly createCoordinators: CreateCoordinators;
  /** Relative paths in sources and sinks are relative to this folder. */
  readonly workingDirectory: string;
  readonly network: NetworkConfig;
  readonly slotRequestTimeoutMs: number;
  readonly cancellationTimeoutMs: number;
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
  #closed: string | null = null;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** In the order of their submission. */
  get jobs(): readonly JobMaster[] {
    return [...this.#jobs.values()];
  }

  job(jobId: string): JobMaster | null {
    return this.#jobs.get(jobId) ?? null;
  }

  async submit({ jobId, graph }: SubmitJobRequest): Promise<CommandResult> {
    const invalid = (message: string): CommandResult => ({
      type: 'refused',
      reason: 'invalid',
      message,
    });
    if (typeof jobId !== 'string' || !/^[0-9a-f]{32}$/.test(jobId))
      return invalid('jobId must be 32 hex digits');
    const problems = findGraphProblems(graph);
    if (problems.length > 0) return invalid(`this is no job graph: ${problems.join('; ')}`);
    const jobGraph = graph as unknown as JobGraph;
    const { bundleHash } = jobGraph.code;
    if ((await this.#options.blobs.find(bundleHash)) === null) {
      return invalid(`the application bundle ${bundleHash} is not here: upload it first`);
    }
    if (this.#jobs.has(jobId)) return accepted;
    if (this.#closed !== null)
      return { type: 'refused', reason: 'unavailable', message: this.#closed };
    this.#start(jobId, jobGraph);
    return accepted;
  }

  #start(jobId: string, graph: JobGraph): void {
    const { createCoordinators, logger, workingDirectory } = this.#options;
    const master = new JobMaster({
      ...this.#options,
      jobId,
      graph,
      coordinators: createCoordinators(graph, { jobId, workingDirectory }),
      logger: logger.child({ jobId }),
    });
    this.#jobs.set(jobId, master);
  }

  cancel(jobId: string): CommandResult {
    const job = this.job(jobId);
    if (job === null)
      return { type: 'refused', reason: 'not-found', message: `there is no job ${jobId}` };
    if (job.cancel()) return accepted;
    return {
      type: 'refused',
      reason: 'conflict',
      message: `job ${jobId} has already reached ${job.state}`,
    };
  }

  /** The result, at the latest after `waitMs`; `null`: no such job. */
  async result(jobId: string, waitMs: number): Promise<JobResultResponse | null> {
    const job = this.job(jobId);
    if (job === null) return null;
    let stop!: () => void;
    const late = new Promise<null>((resolve) => {
      stop = this.#options.clock.after(waitMs, () => resolve(null));
    });
    const outcome = await Promise.race([job.ended, late]);
    stop();
    return { jobId, outcome, collected: outcome === null ? {} : job.collected };
  }

  /** Cancels all jobs, takes no more, and waits for all to end. @returns how they ended. */
  async close(why: string): Promise<readonly JobOutcome[]> {
    this.#closed = why;
    for (const job of this.jobs) job.cancel();
    return Promise.all(this.jobs.map((job) => job.ended));
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
    const jobIds = new Set(allocations.map((allocation) => allocation.jobId));
    for (const jobId of jobIds) this.job(jobId)?.taskManagerLost(id, why);
  }

  #known(jobId: string): JobMaster {
    const job = this.job(jobId);
    if (job === null) throw new RpcError('stale', `there is no job ${jobId}`);
    return job;
  }
}
