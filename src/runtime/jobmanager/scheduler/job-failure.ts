/** What a job is told to have failed of. */
import type { FailureInfo } from '../../../contract/outcome.ts';
import { CoordinatorError } from './coordinators.ts';
import { AttemptError } from './job-attempt.ts';

export function toFailure(error: unknown): FailureInfo {
  if (error instanceof AttemptError || error instanceof CoordinatorError) return error.failure;
  const { message, stack = null } = error instanceof Error ? error : { message: String(error) };
  return { ...jobManagerFailure(message), stack };
}

/** One that is no task's. */
export const jobManagerFailure = (message: string): FailureInfo => ({
  message,
  stack: null,
  task: null,
  location: 'jobmanager',
});

/** Whether it is what the data plane says when a peer is gone. */
export const isConsequence = ({ message }: FailureInfo): boolean =>
  /\bdata connection (to|from) .+ is lost\b/.test(message);
