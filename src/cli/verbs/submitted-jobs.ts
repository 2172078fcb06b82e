/** The jobs of a `main()` that runs here: what is known of them, and how they look while they run. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { ApplicationEvent, UploadEvent } from '../../contract/application-messages.ts';
import type { JobOutcome } from '../../contract/outcome.ts';
import type { ClusterApi } from '../../engines/cluster-api.ts';
import { describeJobs } from '../output/jobs.ts';
import type { Progress } from '../output/progress.ts';

const intervalMs = 400;

export interface SubmittedJob {
  readonly clusterId: ClusterId;
  readonly name: string;
  /** `null` before its cluster has taken it. */
  readonly jobId: string | null;
  /** `null` while it runs. */
  readonly outcome: JobOutcome | null;
}

type JobEvent = Exclude<ApplicationEvent, UploadEvent>;

export class SubmittedJobs {
  readonly #progress: Progress;
  /** By execute index. */
  readonly #jobs = new Map<number, SubmittedJob>();
  readonly #apis = new Map<number, ClusterApi>();
  readonly #timer: NodeJS.Timeout;
  #stopped = false;

  constructor(progress: Progress) {
    this.#progress = progress;
    this.#timer = setInterval(() => void this.#look(), intervalMs);
  }

  /** In the order of their `execute`. */
  get all(): readonly SubmittedJob[] {
    return [...this.#jobs].sort(([a], [b]) => a - b).map(([, job]) => job);
  }

  /** Those that have not ended. */
  get open(): readonly SubmittedJob[] {
    return this.all.filter(({ outcome }) => outcome === null);
  }

  expect(executeIndex: number, clusterId: ClusterId, name: string): void {
    this.#jobs.set(executeIndex, { clusterId, name, jobId: null, outcome: null });
  }

  /** How its JobManager is asked. */
  locate(executeIndex: number, api: ClusterApi): void {
    this.#apis.set(executeIndex, api);
  }

  take(event: JobEvent): void {
    const job = this.#jobs.get(event.executeIndex)!;
    const { jobId } = event.type === 'submitted' ? event : job;
    const outcome = event.type === 'ended' ? event.outcome : null;
    this.#jobs.set(event.executeIndex, { ...job, jobId, outcome });
    if (event.type === 'submitted') this.#progress.done(`Submitted ${job.name} (${jobId})`);
  }

  /** Stops showing them. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const running = [...this.#jobs].filter(([, job]) => job.outcome === null);
    const details = await Promise.all(running.map(([index, job]) => this.#details(index, job)));
    const known = details.filter((job) => job !== null);
    if (!this.#stopped && known.length > 0) this.#progress.view(() => describeJobs(known));
  }

  /** A JobManager that does not answer is told by the submission itself. */
  async #details(executeIndex: number, { jobId }: SubmittedJob) {
    const api = this.#apis.get(executeIndex);
    if (api === undefined || jobId === null) return null;
    return api.job(jobId).catch(() => null);
  }
}
