/**
 * Jobs and applications, as user code defines and runs them.
 *
 * A closure cannot be shipped, so a job is a pure builder that every process runs again from the same
 * bundle: `defineJob` registers it by name when the module is evaluated.
 */
import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { StreamExecutionEnvironment } from './environment.ts';
import type { TypeDescriptor } from './types.ts';

export interface JobDefinition<A = unknown> {
  readonly name: string;
  /** `null`: the job takes no arguments. */
  readonly args: TypeDescriptor<A> | null;
  readonly builder: (env: StreamExecutionEnvironment, args: A) => void;
}

/** Collects the definitions of one bundle while its modules are evaluated. */
export interface JobRegistry {
  readonly jobs: ReadonlyMap<string, JobDefinition<any>>; // oxlint-disable-line typescript/no-explicit-any
  /** Why the definitions cannot be used; empty when they can. */
  readonly problems: readonly string[];
}

interface OpenRegistry {
  readonly jobs: Map<string, JobDefinition<any>>; // oxlint-disable-line typescript/no-explicit-any
  readonly problems: string[];
}

/**
 * The registry of the bundle that is being evaluated. Evaluating a module passes no arguments, so this
 * one variable cannot be avoided; `collectJobs` confines it to the time of one `import`.
 */
let open: OpenRegistry | null = null;

/** Evaluates a bundle by `load` and returns what it defined. One at a time in a thread. */
export async function collectJobs<T>(load: () => Promise<T>): Promise<{ exports: T; registry: JobRegistry }> {
  if (open !== null) throw new Error('another application is being loaded in this thread');
  const registry: OpenRegistry = { jobs: new Map(), problems: [] };
  open = registry;
  try {
    return { exports: await load(), registry };
  } finally {
    open = null;
  }
}

/**
 * Defines a job: a pure builder of a dataflow.
 *
 * @param name of the job; unique in the application.
 * @param options.args type of the builder's second argument; without it the job takes none.
 * @throws Error when it is called later than at the top level of a module, for example in `main()`.
 */
export function defineJob(name: string, builder: (env: StreamExecutionEnvironment) => void): JobDefinition<void>;
export function defineJob<A>(
  name: string,
  options: { readonly args: TypeDescriptor<A> },
  builder: (env: StreamExecutionEnvironment, args: A) => void,
): JobDefinition<A>;
// oxlint-disable typescript/no-explicit-any -- the overloads above say what fits together
export function defineJob(
  name: string,
  second: { readonly args: TypeDescriptor<any> } | ((env: StreamExecutionEnvironment) => void),
  third?: (env: StreamExecutionEnvironment, args: any) => void,
): JobDefinition<any> {
  const job: JobDefinition<any> =
    typeof second === 'function'
      ? { name, args: null, builder: second }
      : { name, args: second.args, builder: third! };
  // Outside of a loader (a unit test that imports the module) there is nothing to register in.
  if (open === null) {
    if (sealed) throw new Error(`job '${name}' is defined too late: define jobs at the top level of a module`);
    return job;
  }
  if (open.jobs.has(name)) open.problems.push(`two jobs have the name '${name}'`);
  open.jobs.set(name, job);
  return job;
}
// oxlint-enable typescript/no-explicit-any

let sealed = false;

/** From now on no job may be defined in this thread: `main()` is about to run. */
export function sealJobs(): void {
  sealed = true;
}

/** What `main()` gets. */
export interface ApplicationContext {
  /** The config's `application.args`. */
  readonly args: JsonObject;
  /** Runs a job and waits for its end. Rejects when it fails or is cancelled. */
  execute<A>(job: JobDefinition<A>, ...args: JobArguments<A>): Promise<JobResult>;
  /** Submits a job and returns at once. */
  executeAsync<A>(job: JobDefinition<A>, ...args: JobArguments<A>): Promise<JobHandle>;
}

type JobArguments<A> = [A] extends [void] ? [] : [args: A];

export interface JobResult {
  readonly jobId: string;
  readonly name: string;
  /** Milliseconds from submission to end. */
  readonly runtimeMs: number;
  /** Counters of user functions, summed over subtasks. */
  readonly accumulators: JsonObject;
  /** Records of the `collect` sink of that name. @throws Error when the job has none. */
  collected<T = JsonValue>(name: string): readonly T[];
}

export interface JobHandle {
  readonly jobId: string;
  readonly name: string;
  /** Flink's job states: `RUNNING`, `FINISHED`, … */
  status(): Promise<string>;
  cancel(): Promise<void>;
  /** Waits for the end. Rejects when the job fails or is cancelled. */
  result(): Promise<JobResult>;
}
