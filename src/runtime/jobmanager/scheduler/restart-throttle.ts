/**
 * How many jobs are being deployed again at the same time. When a TaskManager is lost, or a JobManager comes
 * back, all of their jobs start at once: each lists its inputs, prepares its outputs, loads its bundle. This
 * lets a few do so, and the others wait in the order they came.
 *
 * T1  At most `maxConcurrent` places are taken.
 * T2  A place is given to the one that has waited longest.
 * T3  Who leaves gives back a place, or gives up waiting for one; leaving twice is leaving once.
 * T4  A turn ends after a while: a job whose tasks hang while they open holds nobody up.
 */
import type { Clock } from '../../../contract/clock.ts';

/** T4 */
const maxTurnMs = 60_000;

export interface RestartPlace {
  /** Resolves when it is its turn; never, when it leaves before. */
  readonly admitted: Promise<void>;
  /** How many come before it; `null`: it waits no more. */
  readonly ahead: number | null;
  /** T3 */
  leave(): void;
}

export class RestartThrottle {
  readonly maxConcurrent: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  readonly #clock: Pick<Clock, 'after'>;

  /** @param maxConcurrent at least 1. */
  constructor(maxConcurrent: number, clock: Pick<Clock, 'after'>) {
    this.maxConcurrent = maxConcurrent;
    this.#clock = clock;
  }

  enter(): RestartPlace {
    let state: 'waiting' | 'admitted' | 'left' = 'waiting';
    let admit!: () => void;
    let stopTurn = () => {};
    const waiting = this.#waiting;
    const leave = () => {
      stopTurn();
      if (state === 'waiting') waiting.splice(waiting.indexOf(admit), 1);
      if (state === 'admitted') this.#taken--;
      state = 'left';
      this.#admit();
    };
    const admitted = new Promise<void>((resolve) => {
      admit = () => {
        state = 'admitted';
        stopTurn = this.#clock.after(maxTurnMs, leave); // T4
        resolve();
      };
    });
    waiting.push(admit);
    this.#admit();
    return {
      admitted,
      get ahead() {
        return state === 'waiting' ? waiting.indexOf(admit) : null;
      },
      leave,
    };
  }

  #admit(): void {
    while (this.#taken < this.maxConcurrent) {
      const next = this.#waiting.shift(); // T2
      if (next === undefined) return;
      this.#taken++; // T1
      next();
    }
  }
}
