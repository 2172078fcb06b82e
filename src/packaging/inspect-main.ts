/** Entry point of the worker that evaluates an application on the client; see inspect.ts. */
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { NOT_SHIPPED } from '../contract/bundle.ts';
import { ConfigError, FctlError, problem } from '../contract/errors.ts';
import type { JsonObject } from '../contract/json.ts';
import type { JobDefinition } from '../api/job.ts';
import type { JobGraph } from '../graph/job-graph.ts';
import { type MainPlan, planMain } from '../application/plan-main.ts';
import { compileDeterministic } from '../graph/compile.ts';
import { findApplicationProblems } from '../application/application.ts';
import { findEntries } from '../application/application-questions.ts';
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
    return await inspect(await loadBundle(request.file));
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

async function inspect(loaded: LoadedBundle): Promise<InspectAnswer> {
  const { exports, registry } = loaded;
  if ('jobs' in request.compile && request.compile.jobs === 'none') {
    const entries = findEntries(exports, registry);
    const jobs = entries.flatMap(({ job }) => job ?? []);
    const hasMain = jobs.length < entries.length;
    return { type: 'inspected', inspection: { jobs, hasMain, graphs: [], incomplete: null } };
  }
  // Whoever names a job needs no main() that says which to run.
  const namesJob =
    'job' in request.compile ||
    ('executed' in request.compile && request.compile.executed !== null);
  const wrong = namesJob ? registry.problems : findApplicationProblems(exports, registry);
  if (wrong.length > 0) {
    const problems = wrong.map((message) =>
      problem({ code: 'application-invalid', message, path: '/application/entry' }),
    );
    return { type: 'invalid', problems, stack: null };
  }
  const jobs = [...registry.jobs.keys()];
  const hasMain = typeof (exports as { main?: unknown }).main === 'function';
  const { compile } = request;
  if ('executed' in compile && hasMain) {
    const plan = await executed(loaded, compile.executed);
    return { type: 'inspected', inspection: { jobs, hasMain, ...plan } };
  }
  const graphs = wanted(jobs, hasMain).map((name) =>
    compiled(registry.jobs.get(name)!, request.args, '/application/args'),
  );
  const inspection: Inspection = { jobs, hasMain, graphs, incomplete: null };
  return { type: 'inspected', inspection };
}

function compiled(job: JobDefinition, args: JsonObject, argsAt: string | null): JobGraph {
  const { bundleHash, parallelism } = request;
  return compileDeterministic(job, args, { bundleHash, parallelism, argsAt }).graph;
}

/** A `main()` that waits for something else than its jobs waits for a cluster. */
const mainTimeoutMs = 10_000;

/** What `main()` executes, or only jobs of a name. @throws ConfigError when it executes none. */
async function executed(loaded: LoadedBundle, name: string | null): Promise<MainPlan> {
  const { registry } = loaded;
  const names = [...registry.jobs.keys()];
  const hint = `name a job and give its own arguments: --job ${name ?? names[0] ?? 'NAME'} --args '{…}'`;
  const plan = await planMain(loaded, { ...request, timeoutMs: mainTimeoutMs }).catch(
    (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      const message = `main() failed before it executed a job: ${why}`;
      throw new ConfigError(problem({ code: 'main-failed', message, hint }), { cause: error });
    },
  );
  const graphs = plan.graphs.filter((graph) => name === null || graph.name === name);
  if (graphs.length === 0) {
    const what = name === null ? 'no job' : `no job '${name}'`;
    const why = plan.incomplete === null ? ' with these arguments' : `: ${plan.incomplete}`;
    const message = `main() executes ${what}${why}`;
    throw new ConfigError(problem({ code: 'not-executed', message, hint }));
  }
  // Builders that make another graph each time are refused where all jobs are compiled.
  for (const { code, name: job } of graphs) compiled(registry.jobs.get(job)!, code.args, null);
  return { graphs, incomplete: plan.incomplete };
}

function wanted(jobs: readonly string[], hasMain: boolean): readonly string[] {
  const { compile } = request;
  if ('jobs' in compile) return hasMain ? [] : jobs;
  const name = 'job' in compile ? compile.job : compile.executed;
  if (name === null) return jobs;
  if (jobs.includes(name)) return [name];
  throw new Error(`it defines no job '${name}'; it defines ${jobs.join(', ')}`);
}
