/**
 * Job definition + arguments → transformations → operators → chains → JobGraph.
 *
 * G1  Compiling is pure: the same bundle, job and arguments give the same graph in every process.
 * G2  Operator ids and the graph's hash do not depend on parallelism: rescaling keeps both.
 */
import { StreamExecutionEnvironment } from '../api/environment.ts';
import type { JobDefinition } from '../api/job.ts';
import type { Transformation } from '../api/transformations.ts';
import type { JsonObject } from '../contract/json.ts';
import { type ArgumentValues, argumentsAsJson, readArguments } from './arguments.ts';
import { buildChains } from './chaining.ts';
import { type OperatorPrint, describeDifference, hashOf, printOperators } from './fingerprint.ts';
import { jobError } from './job-error.ts';
import { JOB_GRAPH_VERSION, type JobGraph } from './job-graph.ts';
import { planOperators } from './plan.ts';

export interface CompileOptions {
  readonly bundleHash: string;
  /** Of operators that set none. */
  readonly parallelism: number;
  /** JSON pointer of the arguments in the config, for errors; `null`: they come from `main()`. */
  readonly argsAt?: string | null;
}

/** A JobGraph with the user functions behind its operators. */
export interface CompiledJob {
  readonly graph: JobGraph;
  /** By `OperatorNode.id`. */
  readonly operators: ReadonlyMap<string, Transformation>;
  /** Paths of the files that it registers, by name. They are not in the graph yet. */
  readonly cachedFiles: ReadonlyMap<string, string>;
}

// oxlint-disable typescript/no-explicit-any -- jobs of all types of arguments; those are checked here

/**
 * Runs the builder and compiles its result.
 * @throws ConfigError naming the job: arguments of the wrong type, builder that throws, no sink, …
 */
export function compileJob(
  job: JobDefinition<any>,
  args: JsonObject,
  options: CompileOptions,
): CompiledJob {
  return compile(job, args, options).compiled;
}

/**
 * Compiles twice and compares (G1).
 * @throws ConfigError that names what differs: the builder is not deterministic.
 */
export function compileDeterministic(
  job: JobDefinition<any>,
  args: JsonObject,
  options: CompileOptions,
): CompiledJob {
  const first = compile(job, args, options);
  const second = compile(job, args, options);
  const difference = describeDifference(first.prints, second.prints);
  if (difference === null) return first.compiled;
  throw jobError(
    job,
    'not-deterministic',
    `its builder makes another graph each time (${difference}), but every process of the cluster runs it again: ` +
      'it must depend on its arguments alone, not on random numbers, the clock, the environment or files',
  );
}

function compile(
  job: JobDefinition<any>,
  given: JsonObject,
  { bundleHash, parallelism, argsAt = '/application/args' }: CompileOptions,
): { readonly compiled: CompiledJob; readonly prints: readonly OperatorPrint[] } {
  const values = readArguments(job, given, argsAt);
  const args = argumentsAsJson(values);
  const built = build(job, values);
  const operators = planOperators(job, built.transformations, built.parallelism ?? parallelism);
  const prints = printOperators(operators);
  const graph: JobGraph = {
    version: JOB_GRAPH_VERSION,
    name: job.name,
    boundedness: operators.some((o) => isUnbounded(o.transformation)) ? 'unbounded' : 'bounded',
    code: { bundleHash, job: job.name, args, parallelism },
    ...buildChains(job, operators),
    hash: hashOf(job.name, args, prints, [...built.cachedFiles.keys()]), // G2
  };
  return {
    compiled: {
      graph,
      operators: new Map(operators.map((o) => [o.id, o.transformation])),
      cachedFiles: built.cachedFiles,
    },
    prints,
  };
}

function isUnbounded({ operation }: Transformation): boolean {
  return operation.kind === 'source' && operation.source.boundedness === 'unbounded';
}

function build(job: JobDefinition<any>, args: ArgumentValues) {
  const env = new StreamExecutionEnvironment();
  let returned: unknown;
  try {
    // A copy: a builder that changes its arguments must not change the graph's.
    returned = (job.builder as (env: StreamExecutionEnvironment, args: unknown) => unknown)(
      env,
      job.args === null ? undefined : structuredClone(args),
    );
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw jobError(job, 'builder-failed', `its builder threw: ${message}`, error);
  }
  const then = (returned as { then?: unknown } | null | undefined)?.then;
  if (typeof then === 'function') {
    Promise.resolve(returned).catch(() => {}); // What it was about is told below.
    throw jobError(
      job,
      'builder-async',
      'its builder is asynchronous, but must have built all when it returns',
    );
  }
  return env.close();
}
