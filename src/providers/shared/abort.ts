/** Ends waiting with a signal, for what cannot be ended itself (provider.ts, V6). */

/**
 * Waits for a promise no longer than until the signal is aborted. What the promise stands for may go on:
 * this is for work that only looks, or that its owner ends when it is closed.
 * @throws the reason of the signal.
 */
export async function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason as Error);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([aborted.promise, work]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
