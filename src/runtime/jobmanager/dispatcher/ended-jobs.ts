/**
 * What a JobManager remembers of jobs that have ended: what is shown of them, and what they collected until
 * somebody has fetched it. A session may run jobs for months, and `main()` may execute them in a loop, so all
 * of it is bounded:
 *
 * E1  The newest `maxJobs` are remembered.
 * E2  Of the newest, the subtasks are remembered, `maxSubtasks` together; of older ones the vertices alone.
 * E3  What was collected is kept as JSON outside the heap, `maxCollectedBytes` together. What was fetched
 *     goes first, then the oldest. It is not forgotten at once when it was fetched, because an answer may be
 *     lost on its way. The newest job keeps all that it has, however much that is.
 */
import type { JobOutcome } from '../../../contract/outcome.ts';
import type { JobResultResponse } from '../../../contract/fctl-rest.ts';
import type { JsonValue } from '../../../contract/json.ts';
import { formatBytes } from '../../../contract/units.ts';
import type { JobView } from '../views/cluster-view.ts';

export interface EndedJobsOptions {
  /** Default: 1000. */
  readonly maxJobs?: number;
  /** Default: 20 000. */
  readonly maxSubtasks?: number;
  /** Default: 64 MiB. */
  readonly maxCollectedBytes?: number;
}

export interface EndedJob {
  /** Grows with every job that was submitted. */
  readonly submission: number;
  readonly view: JobView;
  readonly outcome: JobOutcome;
  /** By the sink's name. */
  readonly collected: Readonly<Record<string, JsonValue>>;
  /** Why its end is not in the record, so that it may not be told; `null`: it is. */
  readonly notRecorded: Error | null;
}

interface Remembered extends Omit<EndedJob, 'collected'> {
  readonly hasCollected: boolean;
}

export class EndedJobs {
  readonly #maxJobs: number;
  readonly #maxSubtasks: number;
  readonly #maxCollectedBytes: number;
  /** By id, oldest first. */
  readonly #jobs = new Map<string, Remembered>();
  /** Jobs whose subtasks are remembered, oldest first, with how many those are. */
  readonly #subtasks = new Map<string, number>();
  /** JSON by job id; what was fetched comes first, then the oldest. */
  #collected = new Map<string, Buffer>();
  #subtasksInAll = 0;
  #collectedBytes = 0;

  constructor({
    maxJobs = 1000,
    maxSubtasks = 20_000,
    maxCollectedBytes = 64 * 1024 * 1024,
  }: EndedJobsOptions = {}) {
    this.#maxJobs = maxJobs;
    this.#maxSubtasks = maxSubtasks;
    this.#maxCollectedBytes = maxCollectedBytes;
  }

  /** @returns the ids of those that are forgotten for it. */
  add({ collected, ...job }: EndedJob): readonly string[] {
    const { id, vertices } = job.view;
    const hasCollected = Object.keys(collected).length > 0;
    this.#jobs.set(id, { ...job, hasCollected });
    const subtasks = vertices.reduce((sum, vertex) => sum + vertex.subtasks.length, 0);
    this.#subtasks.set(id, subtasks);
    this.#subtasksInAll += subtasks;
    if (hasCollected) {
      const json = Buffer.from(JSON.stringify(collected));
      this.#collected.set(id, json);
      this.#collectedBytes += json.length;
    }
    return this.#forget();
  }

  /** In the order of their end. */
  get all(): readonly Pick<EndedJob, 'submission' | 'view' | 'outcome'>[] {
    return [...this.#jobs.values()];
  }

  get(jobId: string): Pick<EndedJob, 'view' | 'outcome'> | null {
    return this.#jobs.get(jobId) ?? null;
  }

  /**
   * How it ended and what it collected; `null`: no such job.
   * @throws Error when its end could not be recorded.
   */
  result(jobId: string): JobResultResponse | null {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return null;
    if (job.notRecorded !== null) throw job.notRecorded;
    const { hasCollected, outcome } = job;
    if (!hasCollected) return { jobId, outcome, collected: {} };
    const json = this.#collected.get(jobId);
    if (json === undefined) {
      const collectedError =
        `what job '${outcome.name}' collected is gone: a JobManager keeps ${formatBytes(this.#maxCollectedBytes)} ` +
        'of it for all jobs, and others have ended since. Write it to a FileSink instead';
      return { jobId, outcome, collected: {}, collectedError };
    }
    this.#collected = new Map([[jobId, json], ...this.#collected]); // E3
    return { jobId, outcome, collected: JSON.parse(json.toString()) as EndedJob['collected'] };
  }

  #forget(): readonly string[] {
    const forgotten: string[] = [];
    for (const jobId of this.#jobs.keys()) {
      if (this.#jobs.size <= this.#maxJobs) break;
      forgotten.push(jobId);
      this.#jobs.delete(jobId); // E1
      this.#forgetSubtasks(jobId);
      this.#forgetCollected(jobId);
    }
    for (const jobId of this.#subtasks.keys()) {
      if (this.#subtasksInAll <= this.#maxSubtasks || this.#subtasks.size === 1) break;
      this.#forgetSubtasks(jobId); // E2
    }
    for (const jobId of this.#collected.keys()) {
      if (this.#collectedBytes <= this.#maxCollectedBytes || this.#collected.size === 1) break;
      this.#forgetCollected(jobId); // E3
    }
    return forgotten;
  }

  #forgetSubtasks(jobId: string): void {
    this.#subtasksInAll -= this.#subtasks.get(jobId) ?? 0;
    this.#subtasks.delete(jobId);
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    const vertices = job.view.vertices.map((vertex) => ({ ...vertex, subtasks: [] }));
    this.#jobs.set(jobId, { ...job, view: { ...job.view, vertices } });
  }

  #forgetCollected(jobId: string): void {
    this.#collectedBytes -= this.#collected.get(jobId)?.length ?? 0;
    this.#collected.delete(jobId);
  }
}
