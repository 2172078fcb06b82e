/** Notices that another JobManager leads. */
import type { Logger } from '../logging/logger.ts';
import type { Clock } from '../../contract/clock.ts';
import { type Leadership, LeadershipLostError } from './leadership.ts';

export interface WatchOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly intervalMs: number;
  /** Called at most once; nothing is watched from then on. */
  readonly onLost: (error: LeadershipLostError) => void;
}

/** @returns ends it. */
export function watchLeadership(
  leadership: Leadership,
  { clock, intervalMs, logger, onLost }: WatchOptions,
): () => void {
  let stopped = false;
  let cancel = () => {};
  const wait = () => {
    cancel = clock.after(intervalMs, () => void check());
  };
  const check = async () => {
    try {
      await leadership.check();
    } catch (error) {
      if (stopped) return;
      if (error instanceof LeadershipLostError) return onLost(error);
      logger.warn('the record cannot be read', { error });
    }
    if (!stopped) wait();
  };
  wait();
  return () => {
    stopped = true;
    cancel();
  };
}
