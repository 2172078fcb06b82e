/** Refuses what a deployment does after it lost its lock. */
import type { LockDocument } from './documents.ts';
import { ClusterError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';

/**
 * Called where an action happens, immediately before it.
 * @param lock of the cluster's record, as it is now.
 * @param fence epoch of the lock that the action belongs to.
 * @throws ClusterError (exit 8) when somebody took a newer lock.
 */
export function checkFence(lock: LockDocument | null, fence: number): void {
  if (lock === null || lock.epoch <= fence) return;
  throw new ClusterError(
    ExitCode.conflict,
    problem({
      code: 'lock-lost',
      message: `${lock.holder} took over the cluster: ${lock.message}`,
      hint: "'fctl status' shows what is true now",
    }),
  );
}
