/**
 * How a job of a session ended whose JobManager answers no more: its supervisor starts it again, at another
 * address perhaps, and it knows that the job was lost.
 */
import type { ClusterReply, ClusterRequest } from '../../contract/application-messages.ts';
import { type Clock, systemClock } from '../../contract/clock.ts';
import { pause } from '../../contract/pause.ts';
import { createHttpSubmitter } from '../../application/http-submitter.ts';
import type { ClusterConnection } from '../../providers/provider.ts';

type Place = Pick<ClusterConnection, 'url' | 'token' | 'epoch'>;

/** How long the next JobManager has to come. */
const awaitedMs = 90_000;
const pollMs = 500;

export interface LostResultOptions {
  /** Where the session is led from now; `null`: from nowhere. May reject. */
  readonly locate: () => Promise<Place | null>;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/** Waits for the next JobManager and for what it says. Never rejects. */
export async function findLostResult(
  { executeIndex, type, ...request }: ClusterRequest & { readonly jobId?: string },
  { clock = systemClock, locate, signal }: LostResultOptions,
): Promise<ClusterReply> {
  const lost = (why: string): ClusterReply => ({
    type: 'no-cluster',
    executeIndex,
    message: `the JobManager of the session was lost, and with it perhaps the job: ${why}`,
  });
  if (type !== 'result-wanted' || request.jobId === undefined)
    return lost('sessions make no clusters');
  let why = 'no other one came';
  for (const end = clock.monotonic() + awaitedMs; clock.monotonic() < end && !signal.aborted;) {
    const place = await locate().catch(() => null);
    if (place !== null) {
      const { epoch, token, url: restUrl } = place;
      const submitter = createHttpSubmitter({ restUrl, token, epoch, secrets: [] });
      try {
        const result = await submitter.result(request.jobId);
        return { type: 'result', executeIndex, result };
      } catch (error) {
        why = (error as Error).message;
      } finally {
        submitter.close();
      }
    }
    await pause(clock, pollMs, signal);
  }
  return lost(why);
}
