/**
 * The fence: nobody changes a cluster under a lock that somebody else has taken over since.
 *
 * Checked where a change happens, immediately before it, by whatever acts there: a provider, the agent of a
 * host, the keeper of a volume.
 */
import { ClusterError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import { DocumentName, type LockDocument } from './documents.ts';
import { readDocument } from './record.ts';
import type { RecordReader } from './store.ts';

/**
 * @param record of the cluster; its lock is read anew.
 * @param fence epoch of the lock that the change belongs to; `null`: it belongs to none.
 * @throws ClusterError `lock-lost` (exit 8) when somebody took a newer lock.
 */
export async function checkFence(record: RecordReader, fence: number | null): Promise<void> {
  if (fence === null) return;
  const { value: lock } = await readDocument(record, DocumentName.lock);
  if (lock !== null && lock.epoch > fence) throw takenOver(lock);
}

/** @param lock that somebody took. */
export const takenOver = ({ holder, message }: LockDocument): ClusterError =>
  lockLost(`${holder} took over the cluster: ${message}`);

/** @param message who has the lock now, as far as that is known. */
export function lockLost(message: string): ClusterError {
  const hint = "'fctl status' shows what is true now";
  const found = problem({ code: 'lock-lost', message, hint });
  return new ClusterError(ExitCode.conflict, found);
}
