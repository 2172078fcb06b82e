/** What is wrong with a job, as its author sees it. */
import type { JobDefinition } from '../api/job.ts';
import { ConfigError, problem } from '../contract/errors.ts';

export function jobError(
  job: JobDefinition,
  code: string,
  message: string,
  cause?: unknown,
): ConfigError {
  const options = cause === undefined ? undefined : { cause };
  return new ConfigError(problem({ code, message: `job '${job.name}': ${message}` }), options);
}
