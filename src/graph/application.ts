/**
 * Runs an application's `main()`: wherever it runs, jobs are compiled here and handed to a submitter.
 */
import { randomBytes } from 'node:crypto';
import {
  type ApplicationContext,
  type JobDefinition,
  type JobHandle,
  type JobRegistry,
  type JobResult,
  sealJobs,
} from '../api/job.ts';
import type { JobOutcome } from '../contract/documents.ts';
import { ConfigError, problem } from '../contract/errors.ts';
import type { JobResultResponse } from '../contract/fctl-rest.ts';
import type { JsonObject } from '../contract/json.ts';
import { compileJob } from './compile.ts';
import type { JobGraph } from './job-graph.ts';

/** How a job gets to a JobManager. */
export interface JobSubmitter {
  submit(jobId: string, graph: JobGraph): Promise<void>;
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
}

/** A job that did not finish. */
export class JobExecutionError extends Error {
  readonly outcome: JobOutcome;

  constructor(outcome: JobOutcome) {
    const how = outcome.state === 'CANCELED' ? 'was cancelled' : 'failed';
    super(`job '${outcome.name}' ${how}${outcome.error ? `: ${outcome.error.message}` : ''}`);
    this.name = 'JobExecutionError';
    this.outcome = outcome;
  }
}

/**
 * Why an application cannot be run; empty when it can.
 */
export function findApplicationProblems(exports: object, registry: JobRegistry): string[] {
  const problems = [...registry.problems];
  const hasMain = typeof (exports as { main?: unknown }).main === 'function';
  if (registry.jobs.size === 0 && !hasMain) {
    problems.push('the application defines no job: call defineJob(…) at the top level of its entry');
  }
  if (registry.jobs.size > 1 && !hasMain) {
    const names = [...registry.jobs.keys()].join(', ');
    problems.push(`the application defines several jobs (${names}) and no main(): export a main() that says which to run`);
  }
  return problems;
}

/**
 * Runs `main(ctx)`, or the only job where there is none, and waits for every job it submitted.
 * @throws what `main` throws; JobExecutionError when a job that nobody waited for did not finish.
 */
export async function runApplication(
  exports: object,
  registry: JobRegistry,
  options: ApplicationOptions,
): Promise<void> {
  const problems = findApplicationProblems(exports, registry);
  if (problems.length > 0) {
    throw new ConfigError(problems.map((message) => problem({ code: 'application-invalid', message, path: '/application/entry' })));
  }
  sealJobs();
  const submitted: JobHandle[] = [];
  const context = createContext(options, submitted);
  const { main } = exports as { main?: (ctx: ApplicationContext) => unknown };
  if (main) await main(context);
  else await context.execute([...registry.jobs.values()][0] as JobDefinition, options.args as never);
  for (const handle of submitted) await handle.result();
}

function createContext(options: ApplicationOptions, submitted: JobHandle[]): ApplicationContext {
  const executeAsync = async (job: JobDefinition, args: unknown): Promise<JobHandle> => {
    const { bundleHash, parallelism, submitter } = options;
    const given = JSON.parse(JSON.stringify(args ?? {})) as JsonObject;
    const { graph } = compileJob(job, given, { bundleHash, parallelism });
    const jobId = randomBytes(16).toString('hex');
    await submitter.submit(jobId, graph);
    const handle = createHandle(jobId, job.name, submitter);
    submitted.push(handle);
    return handle;
  };
  return {
    args: options.args,
    executeAsync: (job, ...args) => executeAsync(job as JobDefinition, args[0]),
    execute: async (job, ...args) => (await executeAsync(job as JobDefinition, args[0])).result(),
  };
}

function createHandle(jobId: string, name: string, submitter: JobSubmitter): JobHandle {
  let result: Promise<JobResult> | undefined;
  return {
    jobId,
    name,
    status: () => submitter.status(jobId),
    cancel: () => submitter.cancel(jobId),
    result: () => (result ??= submitter.result(jobId).then(toResult)),
  };
}

function toResult({ outcome, collected }: JobResultResponse): JobResult {
  if (outcome === null) throw new Error('the job has not ended');
  if (outcome.state !== 'FINISHED') throw new JobExecutionError(outcome);
  return {
    jobId: outcome.id,
    name: outcome.name,
    runtimeMs: outcome.endTime - outcome.startTime,
    accumulators: outcome.accumulators,
    collected: <T>(sink: string) => {
      if (!Object.hasOwn(collected, sink)) {
        throw new Error(`job '${outcome.name}' has no collect sink '${sink}'`);
      }
      return collected[sink] as readonly T[];
    },
  };
}
