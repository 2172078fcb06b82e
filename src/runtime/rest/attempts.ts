/** Counts wrong tokens, each client's apart: so many at once, then one now and then. */
import type { Clock } from '../../contract/clock.ts';

const burst = 20;
const msPerAttempt = 1000;
/** More clients than these share what is left: the one that was quiet for longest is forgotten. */
const maxClients = 1000;

export class Attempts {
  readonly #clock: Clock;
  /** When a client has all its attempts again: epoch milliseconds. */
  readonly #restored = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one. @returns seconds until the next one is taken; 0: this one is. */
  fail(client: string): number {
    const now = this.#clock.now();
    const restored = Math.max(now, this.#restored.get(client) ?? 0);
    const waitMs = restored + msPerAttempt - burst * msPerAttempt - now;
    this.#restored.delete(client); // to the end of the order of insertion
    // One that is refused costs nothing more.
    this.#restored.set(client, waitMs > 0 ? restored : restored + msPerAttempt);
    if (this.#restored.size > maxClients) {
      this.#restored.delete(this.#restored.keys().next().value!);
    }
    return waitMs > 0 ? Math.ceil(waitMs / 1000) : 0;
  }
}
