/**
 * Job definition + arguments → transformations → chains → JobGraph.
 *
 * G1  Compiling is pure: the same bundle, job and arguments give the same graph in every process.
 * G2  Operator ids and the graph's hash do not depend on parallelism: rescaling keeps both.
 */
import { createHash } from 'node:crypto';
import { distance } from 'fastest-levenshtein';
import { findMisfits } from '../api/check-value.ts';
import { StreamExecutionEnvironment } from '../api/environment.ts';
import type { JobDefinition } from '../api/job.ts';
import { defaultMaxParallelism } from '../api/keys.ts';
import type { Transformation } from '../api/transformations.ts';
import { ConfigError, type Problem, problem } from '../contract/errors.ts';
import { canonicalJson, sha256 } from '../contract/hash.ts';
import type { JsonObject } from '../contract/json.ts';
import { buildChains } from './chaining.ts';
import { JOB_GRAPH_VERSION, type JobGraph } from './job-graph.ts';

export interface CompileOptions {
  readonly bundleHash: string;
  /** Of operators that set none. */
  readonly parallelism: number;
}

/** A JobGraph with the user functions behind its operators. */
export interface CompiledJob {
  readonly graph: JobGraph;
  /** By `OperatorNode.id`. */
  readonly operators: ReadonlyMap<string, Transformation>;
}

/** A transformation that a sink depends on, with what it needs to become an operator. */
export interface PlannedOperator {
  readonly id: string;
  readonly transformation: Transformation;
  readonly parallelism: number;
  readonly maxParallelism: number;
}

/**
 * Runs the builder and compiles its result.
 * @throws ConfigError naming the job: arguments of the wrong type, builder that throws, no sink, …
 */
export function compileJob(
  job: JobDefinition<any>, // oxlint-disable-line typescript/no-explicit-any
  args: JsonObject,
  options: CompileOptions,
): CompiledJob {
  checkArguments(job, args);
  const built = build(job, args);
  const used = withSinks(job, built.transformations);
  const operators = plan(job, used, built.parallelism ?? options.parallelism);
  const { vertices, edges } = buildChains(operators);
  const sources = used.flatMap(({ operation }) => (operation.kind === 'source' ? [operation.source] : []));
  const graph: JobGraph = {
    version: JOB_GRAPH_VERSION,
    name: job.name,
    boundedness: sources.some((s) => s.boundedness === 'unbounded') ? 'unbounded' : 'bounded',
    code: { bundleHash: options.bundleHash, job: job.name, args },
    vertices,
    edges,
    hash: hashOf(job.name, args, operators),
  };
  return { graph, operators: new Map(operators.map((o) => [o.id, o.transformation])) };
}

function jobError(job: JobDefinition, code: string, message: string, cause?: unknown): ConfigError {
  return new ConfigError(problem({ code, message: `job '${job.name}': ${message}` }), { cause });
}

/** @throws ConfigError with every argument that does not fit. */
export function checkArguments(job: JobDefinition, args: JsonObject): void {
  if (job.args === null) {
    const given = Object.keys(args);
    if (given.length === 0) return;
    throw jobError(job, 'unknown-argument', `takes no arguments, but was given ${given.join(', ')}`);
  }
  const misfits = findMisfits(job.args, args);
  if (misfits.length === 0) return;
  const problems: Problem[] = misfits.map(({ path, message, unknownField }) =>
    problem({
      code: unknownField ? 'unknown-argument' : 'wrong-argument',
      message: `job '${job.name}', argument ${path === '' ? 'object' : path}: ${message}`,
      path: `/application/args${path}`,
      hint: unknownField ? didYouMean(unknownField.name, unknownField.known) : null,
    }),
  );
  throw new ConfigError(problems);
}

function didYouMean(name: string, known: readonly string[]): string | null {
  const close = known.filter((k) => distance(k, name) <= Math.max(2, name.length / 3));
  if (close.length > 0) return `did you mean '${close[0]}'?`;
  return known.length > 0 ? `known are ${known.join(', ')}` : null;
}

function build(job: JobDefinition, args: JsonObject) {
  const env = new StreamExecutionEnvironment();
  let returned: unknown;
  try {
    returned = (job.builder as (env: StreamExecutionEnvironment, args: unknown) => unknown)(env, args);
  } catch (error) {
    throw jobError(job, 'builder-failed', `its builder threw: ${(error as Error)?.message ?? String(error)}`, error);
  }
  if (returned instanceof Promise) {
    returned.catch(() => {});
    throw jobError(job, 'builder-async', 'its builder is asynchronous; a builder must return before the job is compiled');
  }
  return env.close();
}

/** Like Flink, only what a sink depends on becomes part of the job. */
function withSinks(job: JobDefinition, all: readonly Transformation[]): Transformation[] {
  const used = new Set<Transformation>();
  const visit = (transformation: Transformation): void => {
    if (used.has(transformation)) return;
    used.add(transformation);
    for (const input of transformation.inputs) visit(input.from);
  };
  for (const transformation of all) if (transformation.operation.kind === 'sink') visit(transformation);
  if (used.size === 0) throw jobError(job, 'no-sink', 'it has no sink: nothing would be computed. Add sinkTo(…)');
  return all.filter((transformation) => used.has(transformation));
}

function plan(job: JobDefinition, used: readonly Transformation[], parallelism: number): PlannedOperator[] {
  const ids = new Map<Transformation, string>();
  const taken = new Map<string, Transformation>();
  return used.map((transformation, position) => {
    const { uid, operation, inputs } = transformation;
    const structure = [operation.kind, position, inputs.map((input) => [ids.get(input.from), input.partitioner])];
    // G2: neither names nor parallelism.
    const id = digest(uid === null ? ['structure', structure] : ['uid', uid]);
    const other = taken.get(id);
    if (other) {
      throw jobError(job, 'duplicate-uid', `'${other.name}' and '${transformation.name}' have the same uid '${uid}'`);
    }
    taken.set(id, transformation);
    ids.set(transformation, id);
    const own = transformation.parallelism ?? parallelism;
    const maxParallelism = transformation.maxParallelism ?? defaultMaxParallelism(own);
    if (own > maxParallelism) {
      throw jobError(
        job,
        'parallelism-too-high',
        `'${transformation.name}' has parallelism ${own}, above its max parallelism ${maxParallelism}`,
      );
    }
    return { id, transformation, parallelism: own, maxParallelism };
  });
}

/** 32 hex digits, as Flink's operator ids. */
function digest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 32);
}

function hashOf(name: string, args: JsonObject, operators: readonly PlannedOperator[]): string {
  const idOf = new Map(operators.map((o) => [o.transformation, o.id]));
  const nodes = operators.map(({ id, transformation: t }) => ({
    id,
    name: t.name,
    kind: t.operation.kind,
    window: t.operation.kind === 'window' ? [t.operation.assigner, t.operation.allowedLatenessMs] : null,
    type: t.outputType,
    enumerator: t.operation.kind === 'source' ? t.operation.source.enumerator : null,
    committer: t.operation.kind === 'sink' ? t.operation.sink.committer : null,
    inputs: t.inputs.map((i) => [idOf.get(i.from), i.partitioner, i.key?.type ?? null]),
  }));
  return sha256(canonicalJson({ name, args, nodes })); // G2
}

/**
 * Compiles twice and compares.
 * @throws ConfigError that names what differs: the builder is not deterministic.
 */
export function compileDeterministic(
  job: JobDefinition<any>, // oxlint-disable-line typescript/no-explicit-any
  args: JsonObject,
  options: CompileOptions,
): CompiledJob {
  const first = compileJob(job, args, options);
  const second = compileJob(job, args, options);
  if (first.graph.hash === second.graph.hash) return first;
  throw jobError(
    job,
    'not-deterministic',
    `its builder makes another graph each time (${difference(first.graph, second.graph)}); ` +
      'a builder must depend on its arguments only: no random numbers, no clock, no environment',
  );
}

function difference(a: JobGraph, b: JobGraph): string {
  const names = (graph: JobGraph) => graph.vertices.flatMap((v) => v.operators);
  const [left, right] = [names(a), names(b)];
  if (left.length !== right.length) return `${left.length} operators, then ${right.length}`;
  const at = left.findIndex((node, i) => canonicalJson(node) !== canonicalJson(right[i]));
  return at < 0 ? 'the wiring differs' : `operator '${left[at]!.name}', then '${right[at]!.name}'`;
}
