/** Entry point of the worker that evaluates an application on the client; see inspect.ts. */
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { NOT_SHIPPED } from '../contract/bundle.ts';
import { FctlError, problem } from '../contract/errors.ts';
import { compileDeterministic } from '../graph/compile.ts';
import { findApplicationProblems } from '../application/application.ts';
import { loadBundle, type LoadedBundle } from '../application/load-bundle.ts';
import type { InspectAnswer, InspectRequest, Inspection } from './inspect-messages.ts';

const request = workerData as InspectRequest;
const report = (message: InspectAnswer) => parentPort!.postMessage(message);

// Nothing is left to do, and yet there is no answer: Node.js would only tell of our own await.
process.once('beforeExit', () => report(invalid('its top-level await waits for ever')));
void answer().then(async (answered) => {
  await Promise.all([process.stdout, process.stderr].map(flushed)); // The caller ends this thread.
  report(answered);
});

const flushed = (stream: NodeJS.WriteStream) =>
  new Promise<void>((resolve) => stream.write('', () => resolve()));

async function answer(): Promise<InspectAnswer> {
  try {
    return inspect(await loadBundle(request.file));
  } catch (error) {
    const { message = String(error), stack = null } = error as { message?: string; stack?: string };
    const cause =
      error instanceof FctlError && error.cause instanceof Error ? error.cause.stack : stack;
    if (!(error instanceof FctlError)) return invalid(message, stack);
    const problems = error.problems.map((p) => ({ ...p, hint: p.hint ?? place(cause ?? null) }));
    return { type: 'invalid', problems, stack: cause ?? null };
  }
}

/** For an application that looks for files beside its modules. */
const onlyImports =
  'files beside a module are not shipped with the application: import them (JSON, or text in a module), or register them with env.registerCachedFile';

function invalid(why: string, stack: string | null = null): InspectAnswer {
  const found = problem({
    code: 'application-failed',
    message: `the application cannot be evaluated: ${why}`,
    path: '/application/entry',
    hint:
      [why.includes(NOT_SHIPPED) ? onlyImports : [], place(stack) ?? []].flat().join('; ') || null,
  });
  return { type: 'invalid', problems: [found], stack };
}

/** Where in the user's files it was thrown: source maps name those relative to the bundle. */
function place(stack: string | null): string | null {
  const folder = `${dirname(request.file)}/`;
  const line = stack?.split('\n').find((text) => /^\s+at /.test(text) && text.includes(folder));
  return line ? line.trim().replace(`file://${folder}`, '').replace(folder, '') : null;
}

function inspect({ exports, registry }: LoadedBundle): InspectAnswer {
  // Whoever names a job needs no main() that says which to run.
  const wrong =
    'job' in request.compile ? registry.problems : findApplicationProblems(exports, registry);
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
