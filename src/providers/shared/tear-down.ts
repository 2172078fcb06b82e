/**
 * The order in which every place ends and removes a cluster.
 *
 * D1  The lock is looked at first: who has lost it changes nothing.
 * D2  The record goes last, for it says what else there is to remove: whoever is interrupted before leaves a
 *     cluster that the next `destroy` finds.
 */
import { checkFence } from '../../record/fence.ts';
import type { RecordReader } from '../../record/store.ts';
import type { DestroyOptions } from '../provider.ts';

/** What a place does. Each is idempotent. */
export interface TearDown {
  /** Ends all processes, and removes all but the record. JobManagers are asked first (`jobManagersFirst`). */
  endAll(): Promise<void>;
  removeRecord(): Promise<void>;
}

/** @throws ClusterError `lock-lost` (exit 8), the reason of the signal, or what the place rejects with. */
export async function tearDown(
  record: RecordReader,
  place: TearDown,
  { fence, onRecordGoes, signal }: Omit<DestroyOptions, 'deleteState'>,
): Promise<void> {
  await checkFence(record, fence); // D1
  signal.throwIfAborted();
  await place.endAll();
  signal.throwIfAborted();
  await onRecordGoes?.();
  await place.removeRecord(); // D2
}
