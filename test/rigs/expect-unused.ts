/** Whoever shares a rig leaves nothing on it. */
import { setTimeout as delay } from 'node:timers/promises';

/** Within this what a test used has left: agents and helpers end a moment after their client is gone. */
const leavingMs = 5_000;

/** @param look what is there, for people. @throws Error that names what stays. */
export async function expectUnused(
  rig: string,
  look: () => Promise<readonly string[]>,
): Promise<void> {
  const end = performance.now() + leavingMs;
  for (;;) {
    const found = await look();
    if (found.length === 0) return;
    if (performance.now() > end)
      throw new Error(`left on the ${rig} that all share: ${found.join(', ')}`);
    await delay(100);
  }
}
