/** Do the arguments of a job fit their declared type? */
import { distance } from 'fastest-levenshtein';
import { type Misfit, findMisfits } from '../api/check-value.ts';
import type { JobDefinition } from '../api/job.ts';
import { ConfigError, problem } from '../contract/errors.ts';
import type { JsonObject } from '../contract/json.ts';

/**
 * @param at JSON pointer of the arguments in the config; `null`: they do not come from there.
 * @throws ConfigError with every argument that does not fit.
 */
export function checkArguments(job: JobDefinition, args: JsonObject, at: string | null): void {
  const found = job.args === null ? unwanted(args) : findMisfits(job.args, args);
  if (found.length === 0) return;
  throw new ConfigError(
    found.map(({ path, message, unknownField }) =>
      problem({
        code: unknownField ? 'unknown-argument' : 'wrong-argument',
        message: `job '${job.name}'${path === '' ? '' : `, argument ${path}`}: ${message}`,
        path: at === null ? null : `${at}${path}`,
        hint: unknownField ? didYouMean(unknownField.name, unknownField.known) : null,
      }),
    ),
  );
}

function unwanted(args: JsonObject): Misfit[] {
  return Object.keys(args).map((name) => ({
    path: `/${name}`,
    message: 'the job takes no arguments',
    unknownField: { name, known: [] },
  }));
}

function didYouMean(name: string, known: readonly string[]): string | null {
  if (known.length === 0)
    return 'remove it, or declare it: defineJob(name, { args: types.record({ … }) }, …)';
  const [closest] = known
    .map((candidate) => ({
      candidate,
      edits: distance(candidate.toLowerCase(), name.toLowerCase()),
    }))
    .sort((a, b) => a.edits - b.edits);
  if (closest!.edits <= Math.max(2, name.length / 3))
    return `did you mean '${closest!.candidate}'?`;
  return `known are ${known.join(', ')}`;
}
