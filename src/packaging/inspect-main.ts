/** Entry point of the worker that evaluates an application on the client; see inspect.ts. */
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { FctlError, problem } from '../contract/errors.ts';
import { compileDeterministic } from '../graph/compile.ts';
import { findApplicationProblems } from '../graph/application.ts';
import { loadBundle, type LoadedBundle } from '../graph/load-bundle.ts';
import type { InspectAnswer, InspectRequest, Inspection } from './inspect-messages.ts';

const request = workerData as InspectRequest;
parentPort!.postMessage(await answer());

async function answer(): Promise<InspectAnswer> {
  try {
    return inspect(await loadBundle(request.file));
  } catch (error) {
    const { message = String(error), stack = null } = error as { message?: string; stack?: string };
    const cause =
      error instanceof FctlError && error.cause instanceof Error ? error.cause.stack : stack;
    const problems =
      error instanceof FctlError
        ? error.problems.map((p) => ({ ...p, hint: p.hint ?? place(cause ?? null) }))
        : [
            problem({
              code: 'application-failed',
              message: `the application cannot be evaluated: ${message}`,
              path: '/application/entry',
              hint: place(stack),
            }),
          ];
    return { type: 'invalid', problems, stack: cause ?? null };
  }
}

/** Where in the user's files it was thrown: source maps name those relative to the bundle. */
function place(stack: string | null): string | null {
  const folder = `${dirname(request.file)}/`;
  const line = stack?.split('\n').find((text) => /^\s+at /.test(text) && text.includes(folder));
  return line ? line.trim().replace(`file://${folder}`, '').replace(folder, '') : null;
}

function inspect({ exports, registry }: LoadedBundle): InspectAnswer {
  const wrong = findApplicationProblems(exports, registry);
  if (wrong.length > 0) {
    const problems = wrong.map((message) =>
      problem({ code: 'application-invalid', message, path: '/application/entry' }),
    );
    return { type: 'invalid', problems, stack: null };
  }
  const jobs = [...registry.jobs.keys()];
  const hasMain = typeof (exports as { main?: unknown }).main === 'function';
  const graphs = wanted(jobs, hasMain).map((name) => {
    const job = registry.jobs.get(name)!;
    const { args, bundleHash, parallelism } = request;
    return compileDeterministic(job, args, { bundleHash, parallelism, argsAt: '/application/args' })
      .graph;
  });
  const inspection: Inspection = { jobs, hasMain, graphs };
  return { type: 'inspected', inspection };
}

function wanted(jobs: readonly string[], hasMain: boolean): readonly string[] {
  const { compile } = request;
  if ('job' in compile) {
    if (jobs.includes(compile.job)) return [compile.job];
    throw new Error(`it defines no job '${compile.job}'; it defines ${jobs.join(', ')}`);
  }
  return compile.jobs === 'all' || !hasMain ? jobs : [];
}
