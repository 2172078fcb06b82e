/**
 * Runs an application's `main()`. Where it runs (beside the JobManager, on a client) only the submitter
 * knows; jobs are compiled here.
 *
 * M1  The application ends after `main()` and after every job it submitted, waited for or not. The failure
 *     of a job is `main()`'s to judge when it asked for the result or cancelled the job, else it is the
 *     application's, which then waits for no other job.
 * M2  A job can only run if its definition is registered: other processes find it by its name.
 * M3  Calls of execute and executeAsync are counted in the order in which they are made, whatever becomes of
 *     them: the n-th of a `main()` that runs again is the n-th of the run before.
 */
import { randomBytes } from 'node:crypto';
import {
  type ApplicationContext,
  type JobDefinition,
  JobExecutionError,
  type JobHandle,
  type JobRegistry,
  type JobResult,
  withSealedJobs,
} from '../api/job.ts';
import { ConfigError, problem } from '../contract/errors.ts';
import type { JobResultResponse } from '../contract/fctl-rest.ts';
import type { JsonObject } from '../contract/json.ts';
import { type BlobUploader, type DeploymentMode, shipCachedFiles } from './cached-files.ts';
import { compileJob } from '../graph/compile.ts';
import type { JobGraph } from '../graph/job-graph.ts';

export interface JobSubmission {
  /** 32 hex digits, of this submission alone. */
  readonly jobId: string;
  readonly graph: JobGraph;
  /** M3, 0-based. */
  readonly executeIndex: number;
}

/** How a job gets to a JobManager. */
export interface JobSubmitter extends BlobUploader {
  /** @returns the job's id: another one when an earlier run of `main()` has submitted the job before. */
  submit(submission: JobSubmission): Promise<string>;
  status(jobId: string): Promise<string>;
  cancel(jobId: string): Promise<void>;
  /** Waits for the end. */
  result(jobId: string): Promise<JobResultResponse>;
}

export interface ApplicationOptions {
  readonly bundleHash: string;
  readonly args: JsonObject;
  /** Default parallelism. */
  readonly parallelism: number;
  readonly submitter: JobSubmitter;
  /** Run this job with the application's arguments, and not `main()`. Default: as the application says. */
  readonly job?: string | null;
  /** End with `main()`: jobs that it does not wait for go on alone. Default: false. */
  readonly detached?: boolean;
  /** Id of the first job that is executed; default: a random one. */
  readonly jobId?: string | null;
  readonly mode: DeploymentMode;
  /** Absolute. Relative paths of cached files are relative to it. */
  readonly workingDirectory: string;
}

/**
 * Why an application cannot be run; empty when it can.
 */
export function findApplicationProblems(exports: object, registry: JobRegistry): string[] {
  const problems = [...registry.problems];
  const hasMain = typeof (exports as { main?: unknown }).main === 'function';
  if (registry.jobs.size === 0 && !hasMain) {
    problems.push(
      'the application defines no job: call defineJob(…) at the top level of its entry',
    );
  }
  if (registry.jobs.size > 1 && !hasMain) {
    const names = [...registry.jobs.keys()].join(', ');
    problems.push(
      `the application defines several jobs (${names}) and no main(): export a main() that says which to run`,
    );
  }
  return problems;
}

/**
 * Runs `main(ctx)`, or the only job where there is none, and waits for every job it submitted.
 * @throws ConfigError when the application cannot be run.
 * @throws what `main` throws; JobExecutionError when a job that nobody waited for did not finish.
 */
export async function runApplication(
  exports: object,
  registry: JobRegistry,
  options: ApplicationOptions,
): Promise<void> {
  const { detached = false, job = null } = options;
  const problems = job === null ? findApplicationProblems(exports, registry) : [];
  if (problems.length > 0) {
    throw new ConfigError(
      problems.map((message) =>
        problem({ code: 'application-invalid', message, path: '/application/entry' }),
      ),
    );
  }
  const submissions: Submissions = new Set();
  const { main } = exports as { main?: (ctx: ApplicationContext) => unknown };
  await withSealedJobs(async () => {
    const argsAt = main && job === null ? null : '/application/args';
    const context = createContext(registry, { ...options, argsAt }, submissions);
    if (main && job === null) await main(context);
    else await context.executeAsync(jobNamed(job, registry), options.args);
  });
  if (detached) return;
  // M1: code of main() that goes on when a job ends may submit another, so the list may grow meanwhile.
  while (submissions.size > 0) {
    const known = [...submissions];
    await Promise.all(known.map(endOf));
    for (const submission of known) submissions.delete(submission);
  }
}

/** Of jobs whose end `main()` has not heard of: it may execute jobs for ever. */
type Submissions = Set<Promise<Submitted | null>>;

/** M1 */
async function endOf(submission: Promise<Submitted | null>): Promise<void> {
  const submitted = await submission;
  await submitted?.ended().catch((error: unknown) => {
    if (!submitted.isLeftToMain()) throw error;
  });
}

interface Submitted {
  readonly handle: JobHandle;
  /** Rejects when the job fails or is cancelled. */
  ended(): Promise<unknown>;
  /** Whether `main()` asked how the job ended, or ended it. */
  isLeftToMain(): boolean;
}

/** @param name `null`: the only one. */
function jobNamed(name: string | null, registry: JobRegistry): JobDefinition<JsonObject> {
  const [only] = registry.jobs.values();
  if (name === null) return only!;
  const job = registry.jobs.get(name);
  if (job) return job;
  const names = [...registry.jobs.keys()].join(', ');
  const message = `the application defines no job '${name}'; it defines ${names}`;
  throw new ConfigError(problem({ code: 'no-such-job', message }));
}

function createContext(
  registry: JobRegistry,
  options: ApplicationOptions & { readonly argsAt: string | null },
  submissions: Submissions,
): ApplicationContext {
  let executed = 0;
  const submit = async (
    job: JobDefinition,
    args: unknown,
    executeIndex: number,
    heard: () => void,
  ): Promise<Submitted> => {
    checkRegistered(job, registry);
    const { bundleHash, parallelism, argsAt, submitter } = options;
    const compiled = compileJob(job, toJson(job, args), { bundleHash, parallelism, argsAt });
    const cachedFiles = await shipCachedFiles(job, compiled.cachedFiles, options, submitter);
    const graph: JobGraph =
      cachedFiles === null ? compiled.graph : { ...compiled.graph, cachedFiles };
    const wanted = executeIndex === 0 ? (options.jobId ?? null) : null;
    const chosen = wanted ?? randomBytes(16).toString('hex');
    const jobId = await submitter.submit({ jobId: chosen, graph, executeIndex });
    return createHandle(jobId, job.name, submitter, heard);
  };
  const executeAsync = (job: JobDefinition, args: unknown): Promise<JobHandle> => {
    const heard = () => void submissions.delete(kept);
    const submission = submit(job, args, executed++, heard); // M3
    // It fails where it was called.
    const kept: Promise<Submitted | null> = submission.catch(() => {
      heard();
      return null;
    });
    submissions.add(kept);
    return submission.then(({ handle }) => handle);
  };
  return {
    args: options.args,
    executeAsync: (job, ...args) => executeAsync(job as JobDefinition, args[0]),
    execute: async (job, ...args) => (await executeAsync(job as JobDefinition, args[0])).result(),
  };
}

/** M2 */
function checkRegistered(job: JobDefinition, registry: JobRegistry): void {
  if (registry.jobs.get(job?.name) === job) return;
  const names = [...registry.jobs.keys()].join(', ');
  throw new ConfigError(
    problem({
      code: 'job-not-defined',
      message: `execute needs a job that defineJob(…) made at the top level of the application${names === '' ? '' : `: ${names}`}`,
    }),
  );
}

/** As the arguments arrive in the other processes. Absent fields stay absent. */
function toJson(job: JobDefinition, args: unknown): JsonObject {
  try {
    // The job's declaration makes a bigint of the digits again.
    const digits = (_name: string, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value;
    return JSON.parse(JSON.stringify(args ?? {}, digits)) as JsonObject;
  } catch (error) {
    const message = `job '${job.name}': its arguments are not JSON: ${(error as Error).message}`;
    throw new ConfigError(problem({ code: 'wrong-argument', message }), { cause: error });
  }
}

/** @param heard called when `main()` has heard how the job ended. */
function createHandle(
  jobId: string,
  name: string,
  submitter: JobSubmitter,
  heard: () => void,
): Submitted {
  let result: Promise<JobResult> | undefined;
  let isLeftToMain = false;
  const ended = () => (result ??= submitter.result(jobId).then(toResult));
  const handle: JobHandle = {
    jobId,
    name,
    status: () => submitter.status(jobId),
    cancel: () => {
      isLeftToMain = true;
      return submitter.cancel(jobId);
    },
    result: () => {
      isLeftToMain = true;
      const end = ended();
      end.then(heard, heard);
      return end;
    },
  };
  return { handle, ended, isLeftToMain: () => isLeftToMain };
}

function toResult(response: JobResultResponse): JobResult {
  const { accumulatorsError, collected, collectedError, outcome } = response;
  if (outcome === null) throw new Error('the job has not ended');
  if (outcome.state !== 'FINISHED') throw new JobExecutionError(outcome);
  return {
    jobId: outcome.id,
    name: outcome.name,
    runtimeMs: outcome.endTime - outcome.startTime,
    get accumulators() {
      if (accumulatorsError !== undefined) throw new Error(accumulatorsError);
      return outcome.accumulators;
    },
    collected: <T>(sink: string) => {
      if (collectedError !== undefined) throw new Error(collectedError);
      if (!Object.hasOwn(collected, sink)) {
        throw new Error(`job '${outcome.name}' has no collect sink '${sink}'`);
      }
      return collected[sink] as readonly T[];
    },
  };
}
