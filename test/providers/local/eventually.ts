import { setTimeout as delay } from 'node:timers/promises';

/** Waits for something that another process does; fails the test when it never happens. */
export async function eventually<T>(probe: () => Promise<T | null | false>): Promise<T> {
  for (let tries = 0; tries < 1000; tries++) {
    const value = await probe();
    if (value !== null && value !== false) return value;
    await delay(10);
  }
  throw new Error('did not happen within 10 s');
}
