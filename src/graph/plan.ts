/**
 * Transformations → operators: which take part, under which ids, with which parallelism.
 *
 * L1  Like Flink, only what a sink depends on takes part.
 * L2  Like Flink, an id comes from the uid; without one, from the operator's position in the job and the
 *     ids of what is before it. Neither names nor parallelism count, so rescaling keeps it.
 */
import type { JobDefinition } from '../api/job.ts';
import { defaultMaxParallelism } from '../api/keys.ts';
import type { Transformation } from '../api/transformations.ts';
import { canonicalJson, sha256 } from '../contract/hash.ts';
import { jobError } from './job-error.ts';

/** A transformation that a sink depends on, with what it needs to become an operator. */
export interface PlannedOperator {
  /** 32 hex digits. */
  readonly id: string;
  readonly transformation: Transformation;
  readonly parallelism: number;
  readonly maxParallelism: number;
}

/**
 * @param parallelism of operators that set none.
 * @returns in the order of their creation, which is a topological one.
 * @throws ConfigError naming the job and the operators.
 */
export function planOperators(
  job: JobDefinition,
  all: readonly Transformation[],
  parallelism: number,
): PlannedOperator[] {
  const ids = new Map<Transformation, string>();
  const owners = new Map<string, Transformation>();
  return usedBySinks(job, all).map((transformation, position) => {
    const id = operatorId(transformation, position, ids);
    const other = owners.get(id);
    if (other) {
      throw jobError(
        job,
        'duplicate-uid',
        `'${other.name}' and '${transformation.name}' have the same uid '${transformation.uid}': a uid is unique in a job`,
      );
    }
    owners.set(id, transformation);
    ids.set(transformation, id);
    return { id, transformation, ...scaleOf(job, transformation, parallelism) };
  });
}

/** L1 */
function usedBySinks(job: JobDefinition, all: readonly Transformation[]): Transformation[] {
  const used = new Set<Transformation>();
  const open = all.filter(({ operation }) => operation.kind === 'sink');
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    used.add(next);
    open.push(...next.inputs.map((input) => input.from).filter((from) => !used.has(from)));
  }
  if (used.size === 0) {
    throw jobError(
      job,
      'no-sink',
      'it has no sink, so nothing would be computed: end a stream with sinkTo(…)',
    );
  }
  return all.filter((transformation) => used.has(transformation));
}

/** L2 */
function operatorId(
  { uid, operation, inputs }: Transformation,
  position: number,
  ids: ReadonlyMap<Transformation, string>,
): string {
  const before = inputs.map((input) => [ids.get(input.from), input.partitioner]);
  const named = uid === null ? ['structure', operation.kind, position, before] : ['uid', uid];
  return sha256(canonicalJson(named)).slice(0, 32);
}

function scaleOf(
  job: JobDefinition,
  transformation: Transformation,
  defaultParallelism: number,
): { readonly parallelism: number; readonly maxParallelism: number } {
  const parallelism = transformation.parallelism ?? defaultParallelism;
  const maxParallelism = transformation.maxParallelism ?? defaultMaxParallelism(parallelism);
  if (parallelism <= maxParallelism) return { parallelism, maxParallelism };
  throw jobError(
    job,
    'parallelism-too-high',
    `'${transformation.name}' has parallelism ${parallelism}, above its max parallelism ${maxParallelism}`,
  );
}
