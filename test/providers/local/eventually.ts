import { setTimeout as delay } from 'node:timers/promises';

/** Waits for something that another process does; fails the test when it never happens. */
export async function eventually<T>(probe: () => Promise<T | null | false>): Promise<T> {
  const end = Date.now() + 60_000;
  for (;;) {
    const value = await probe();
    if (value !== null && value !== false) return value;
    if (Date.now() > end) throw new Error('did not happen within 60 s');
    await delay(10);
  }
}
