/** What a job is told to have failed of. */
import { createFailure } from '../../../contract/failure.ts';
import type { FailureInfo } from '../../../contract/outcome.ts';
import { CoordinatorError } from './coordinators.ts';
import { AttemptError } from './job-attempt.ts';

export function toFailure(error: unknown): FailureInfo {
  if (error instanceof AttemptError || error instanceof CoordinatorError) return error.failure;
  const { message, stack = null } = error instanceof Error ? error : { message: String(error) };
  return createFailure(message, { stack, location: 'jobmanager' });
}
