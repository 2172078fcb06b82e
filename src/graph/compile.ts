/**
 * Job definition + arguments → transformations → chains → JobGraph. (Interface; see the functions below.)
 */
import type { JobDefinition } from '../api/job.ts';
import type { Transformation } from '../api/transformations.ts';
import type { JsonObject } from '../contract/json.ts';
import type { JobGraph } from './job-graph.ts';

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

/**
 * Runs the builder and compiles its result.
 * @throws ConfigError naming the job: arguments of the wrong type, builder that throws, no sink, …
 */
export declare function compileJob(
  job: JobDefinition,
  args: JsonObject,
  options: CompileOptions,
): CompiledJob;
