/**
 * When a JobManager that does not lead yet (503) wants to be asked again, by its `retry-after`.
 * @returns milliseconds; `null`: it does not say so in whole seconds, or its answer is another one.
 */
export const retryAfterMs = (
  status: number,
  retryAfter: string | null | undefined,
): number | null =>
  status === 503 && /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) * 1000 : null;
