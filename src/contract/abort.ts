/**
 * Waiting that ends with an AbortSignal. `Promise.race` with a promise that lives long keeps every result
 * of the race as long as that promise; these keep nothing once the wait is over.
 */

/**
 * Waits for `step`. Rejects with the signal's reason once that is aborted, also when both happened in the
 * same turn; what becomes of `step` is then nobody's business.
 */
export function abortable<T>(step: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    const settle = (action: () => void) => {
      signal.removeEventListener('abort', abort);
      if (signal.aborted) abort();
      else action();
    };
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    step.then(
      (value) => settle(() => resolve(value)),
      (error: Error) => settle(() => reject(error)),
    );
  });
}

/** Resolves when `signal` is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
