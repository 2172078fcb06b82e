/**
 * What an application's `main()` would execute, found by running it where there is no cluster: each job that it
 * executes is compiled and counts as finished at once, with no results. So what depends on results may be missing.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JobResultResponse } from '../contract/fctl-rest.ts';
import type { JsonObject } from '../contract/json.ts';
import type { JobGraph } from '../graph/job-graph.ts';
import { type JobSubmission, type JobSubmitter, runApplication } from './application.ts';
import type { LoadedBundle } from './load-bundle.ts';

export interface MainPlan {
  /** In the order in which they would be executed. */
  readonly graphs: readonly JobGraph[];
  /** Why there may be more; `null`: `main()` has ended. */
  readonly incomplete: string | null;
}

export interface PlanOptions {
  readonly bundleHash: string;
  readonly args: JsonObject;
  readonly parallelism: number;
  /** Absolute. Relative paths of cached files are relative to it. */
  readonly workingDirectory: string;
  /** A `main()` that has not ended then is told from. */
  readonly timeoutMs: number;
}

/** A `main()` may execute jobs for ever. */
const mostJobs = 100;

/** @throws what `main()` throws before it has executed a job. */
export async function planMain(
  { exports, registry }: LoadedBundle,
  { timeoutMs, ...options }: PlanOptions,
): Promise<MainPlan> {
  const submitter = new RecordingSubmitter();
  const running = runApplication(exports, registry, { ...options, submitter, mode: 'application' });
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<string>((resolve) => {
    const why = `main() did not end within ${timeoutMs / 1000} s`;
    timer = setTimeout(resolve, timeoutMs, why);
  });
  try {
    const incomplete = await Promise.race([
      running.then(
        () => null,
        (error: unknown) => {
          if (submitter.graphs.length === 0) throw error;
          return `main() failed without results of its jobs: ${(error as Error).message}`;
        },
      ),
      submitter.full,
      tooLong,
    ]);
    return { graphs: submitter.graphs, incomplete };
  } finally {
    clearTimeout(timer);
  }
}

class RecordingSubmitter implements JobSubmitter {
  /** By job id, in the order of their submission. */
  readonly #submitted = new Map<string, JobGraph>();
  readonly full: Promise<string>;
  #isFull!: (why: string) => void;

  constructor() {
    this.full = new Promise((resolve) => {
      this.#isFull = resolve;
    });
  }

  get graphs(): readonly JobGraph[] {
    return [...this.#submitted.values()];
  }

  async submit({ graph, jobId }: JobSubmission): Promise<string> {
    await nextTurn(); // a loop of jobs lets the timer come
    this.#submitted.set(jobId, graph);
    if (this.#submitted.size < mostJobs) return jobId;
    this.#isFull(`main() executes more than ${mostJobs} jobs`);
    return new Promise(() => {});
  }

  status = async (): Promise<string> => 'FINISHED';
  cancel = async (): Promise<void> => {};
  has = async (): Promise<boolean> => true;
  upload = async (): Promise<void> => {};

  async result(jobId: string): Promise<JobResultResponse> {
    const graph = this.#submitted.get(jobId)!;
    const sinks = graph.vertices
      .flatMap(({ operators }) => operators)
      .flatMap(({ committer }) => (committer?.kind === 'collect' ? [committer.options] : []));
    return {
      jobId,
      outcome: {
        id: jobId,
        name: graph.name,
        state: 'FINISHED',
        startTime: 0,
        endTime: 0,
        error: null,
        accumulators: {},
        vertices: [],
      },
      collected: Object.fromEntries(sinks.map((options) => [options['name'] as string, []])),
    };
  }
}
