/** Time as the runtime's life cycles see it, so that tests decide when it passes. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Runs `action` once after `ms`. @returns how to prevent that. */
  after(ms: number, action: () => void): () => void;
}

/** The machine's time. A timer alone does not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, action) => {
    const timer = setTimeout(action, ms).unref();
    return () => clearTimeout(timer);
  },
};
