/**
 * What `prune` leaves alone because a deployment may be about to use it: between installing the runtime and
 * the first process that runs with it nothing else says that somebody needs it.
 */

/** A deployment that has installed something uses it within this time. */
const aboutToUseMs = 3_600_000;

/** @param touchedAt when it was made, or last found to be there by whoever is about to use it; in ms. */
export const isRecent = (touchedAt: number, now: number): boolean => now - touchedAt < aboutToUseMs;
