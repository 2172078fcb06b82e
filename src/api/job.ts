/**
 * Jobs and applications, as user code defines and runs them.
 *
 * A closure cannot be shipped, so a job is a pure builder that every process runs again from the same
 * bundle: `defineJob` registers it by name when the module is evaluated.
 */
import type { JobOutcome } from '../contract/outcome.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { StreamExecutionEnvironment } from './environment.ts';
import { type TypeDescriptor, type TypeShape, describeType } from './types.ts';

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

interface OpenRegistry extends JobRegistry {
  readonly jobs: Map<string, JobDefinition<any>>; // oxlint-disable-line typescript/no-explicit-any
  readonly problems: string[];
}

/**
 * What `defineJob` does at the moment in this thread. Evaluating a module passes no arguments, so a
 * variable of this module cannot be avoided; it is confined to the time of one `import` or one `main()`.
 */
let phase:
  | { readonly kind: 'idle' }
  | { readonly kind: 'loading'; readonly registry: OpenRegistry }
  | { readonly kind: 'sealed' } = { kind: 'idle' };

/** A module is evaluated once, so a bundle that is loaded again finds its jobs here. */
const loaded = new WeakMap<object, JobRegistry>();

/**
 * Evaluates a bundle by `load` and returns what it exports and defined. One at a time in a thread; one
 * bundle after the other works, and so does loading the same one again.
 */
export async function collectJobs<T extends object>(
  load: () => Promise<T>,
): Promise<{ exports: T; registry: JobRegistry }> {
  if (phase.kind === 'loading')
    throw new Error('another application is being loaded in this thread');
  const before = phase;
  const registry: OpenRegistry = { jobs: new Map(), problems: [] };
  phase = { kind: 'loading', registry };
  try {
    const exports = await load();
    const known = loaded.get(exports) ?? registry;
    loaded.set(exports, known);
    return { exports, registry: known };
  } finally {
    phase = before;
  }
}

/** Runs `main()`; until it has ended, no job may be defined in this thread. */
export async function withSealedJobs<T>(run: () => Promise<T>): Promise<T> {
  const before = phase;
  phase = { kind: 'sealed' };
  try {
    return await run();
  } finally {
    phase = before;
  }
}

/**
 * Defines a job: a pure builder of a dataflow.
 *
 * @param name of the job; unique in the application.
 * @param options.args type of the builder's second argument; without it the job takes none. Arguments are
 *   JSON: no `bytes` or `map`. An `int64` travels as text of its digits and arrives as a bigint; in a union it
 *   could be read as another alternative, and is refused.
 * @throws Error when it is called later than at the top level of a module, for example in `main()`.
 * @throws TypeError when what it is called with is no job.
 */
export function defineJob(
  name: string,
  builder: (env: StreamExecutionEnvironment) => void,
): JobDefinition<void>;
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
      : { name, args: second?.args ?? null, builder: third! };
  checkDefinition(job);
  if (phase.kind === 'sealed') {
    throw new Error(
      `job '${name}' is defined too late: define jobs at the top level of a module, so that every process of ` +
        'the cluster finds them there',
    );
  }
  // Outside of a loader (a unit test that imports the module) there is nothing to register in.
  if (phase.kind === 'idle') return job;
  const { jobs, problems } = phase.registry;
  if (jobs.has(name)) problems.push(`two jobs have the name '${name}': give one of them another`);
  else jobs.set(name, job);
  return job;
}
// oxlint-enable typescript/no-explicit-any

const longestName = 200;

function checkDefinition({ name, args, builder }: JobDefinition): void {
  if (typeof name !== 'string' || name.trim() === '' || name.length > longestName) {
    throw new TypeError(`defineJob: the name of a job is a text of 1 to ${longestName} characters`);
  }
  if (typeof builder !== 'function') {
    throw new TypeError(
      `defineJob('${name}'): its last argument is the builder, a function (env, args) => { … }`,
    );
  }
  if (args === null) return;
  if (args.kind !== 'record') {
    throw new TypeError(
      `defineJob('${name}'): the type of its arguments is a record, not ${describeType(args)}`,
    );
  }
  const foreign = findForeignToJson(args);
  if (foreign !== null) {
    throw new TypeError(
      `defineJob('${name}'): arguments are JSON, which has no ${foreign}: use types.string, types.double or types.record`,
    );
  }
}

/** A type that values of JSON cannot have; `null`: there is none. */
function findForeignToJson(type: TypeShape): string | null {
  switch (type.kind) {
    case 'bytes':
    case 'map':
      return type.kind;
    case 'record':
      return (
        Object.values(type.fields)
          .map(findForeignToJson)
          .find((kind) => kind !== null) ?? null
      );
    case 'list':
      return findForeignToJson(type.element);
    case 'optional':
      return findForeignToJson(type.type);
    case 'union':
      if (type.types.some(hasInt64)) return 'int64 in a union';
      return type.types.map(findForeignToJson).find((kind) => kind !== null) ?? null;
    default:
      return null;
  }
}

function hasInt64(type: TypeShape): boolean {
  switch (type.kind) {
    case 'int64':
      return true;
    case 'record':
      return Object.values(type.fields).some(hasInt64);
    case 'list':
      return hasInt64(type.element);
    case 'optional':
      return hasInt64(type.type);
    case 'union':
      return type.types.some(hasInt64);
    default:
      return false;
  }
}

/** What `main()` gets. */
export interface ApplicationContext {
  /** The config's `application.args`. */
  readonly args: JsonObject;
  /** Runs a job and waits for its end. Rejects with a JobExecutionError when it fails or is cancelled. */
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

/** A job that was submitted and did not finish: it failed or was cancelled. */
export class JobExecutionError extends Error {
  readonly outcome: JobOutcome;

  constructor(outcome: JobOutcome) {
    const how = outcome.state === 'CANCELED' ? 'was cancelled' : 'failed';
    const task = outcome.error?.task ? ` in ${outcome.error.task}` : '';
    super(
      `job '${outcome.name}' ${how}${outcome.error ? `${task}: ${outcome.error.message}` : ''}`,
    );
    this.name = 'JobExecutionError';
    this.outcome = outcome;
  }
}
