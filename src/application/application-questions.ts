/** What is asked of an application instead of running it. */
import type { JobRegistry } from '../api/job.ts';
import type { ApplicationEntry } from '../contract/application-messages.ts';
import { ConfigError, problem } from '../contract/errors.ts';
import {
  type ApplicationOptions,
  type JobSubmitter,
  findApplicationProblems,
  runApplication,
} from './application.ts';
import type { JobGraph } from '../graph/job-graph.ts';

/**
 * What may be run of it: its `main()`, which comes first, and each job.
 * @throws ConfigError when nothing may.
 */
export function findEntries(exports: object, registry: JobRegistry): ApplicationEntry[] {
  const hasMain = typeof (exports as { main?: unknown }).main === 'function';
  const jobs = [...registry.jobs.keys()].map((name) => ({ name, job: name }));
  const entries = hasMain ? [{ name: 'main', job: null }, ...jobs] : jobs;
  // Several jobs without a main() are a choice here.
  const problems =
    entries.length > 1 ? registry.problems : findApplicationProblems(exports, registry);
  if (problems.length === 0) return entries;
  throw new ConfigError(
    problems.map((message) => problem({ code: 'application-invalid', message })),
  );
}

/**
 * Runs the application as far as its first `execute`, and no job.
 * @returns that job's graph.
 * @throws ConfigError when it executes none; what `runApplication` throws.
 */
export async function planApplication(
  exports: object,
  registry: JobRegistry,
  options: Omit<ApplicationOptions, 'submitter'>,
): Promise<JobGraph> {
  const planned = Promise.withResolvers<JobGraph>();
  const never = new Promise<never>(() => {});
  const submitter: JobSubmitter = {
    has: async () => true,
    upload: async () => {},
    submit: ({ graph }) => {
      planned.resolve(graph);
      return never;
    },
    status: () => never,
    cancel: () => never,
    result: () => never,
  };
  const ended = runApplication(exports, registry, { ...options, submitter }).then((): never => {
    throw new ConfigError(
      problem({ code: 'no-job', message: 'main() has ended and executed no job' }),
    );
  });
  return Promise.race([planned.promise, ended]);
}
