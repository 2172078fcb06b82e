/**
 * Writes an outcome for which the disk has no space yet. A JobManager that ended without it would be started
 * again, and run once more what had ended or was cancelled.
 */
import type { Clock } from '../../contract/clock.ts';
import { pause } from '../../contract/pause.ts';
import { isRecordFull } from '../../record/store.ts';
import type { Leadership } from './leadership.ts';

const retryMs = 1000;

export interface PatienceOptions {
  readonly clock: Clock;
  /** Its platform wants it to end: then nothing is waited for. */
  readonly signal: AbortSignal;
  /** Called once, with what is waited for. */
  readonly onWait: (error: Error) => void;
}

/** @throws what `writeOutcome` throws, for want of space only once the signal is aborted. */
export async function writeOutcomePatiently(
  { writeOutcome }: Pick<Leadership, 'writeOutcome'>,
  outcome: Parameters<Leadership['writeOutcome']>[0],
  { clock, onWait, signal }: PatienceOptions,
): Promise<void> {
  for (let told = false; ; told = true) {
    try {
      return await writeOutcome(outcome);
    } catch (error) {
      if (!isRecordFull(error) || signal.aborted) throw error;
      if (!told) onWait(error);
    }
    await pause(clock, retryMs, signal);
  }
}
