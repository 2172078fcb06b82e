/**
 * Asynchronous operations that are asked for over REST: triggered, then asked about by the id of the
 * request until they are complete.
 *
 * O1  The same id asked for again is the same operation: nothing is triggered twice.
 * O2  What is complete is remembered for five minutes, as by Flink, and so are at most 1000 operations.
 */
import type { Clock } from '../../../contract/clock.ts';

const rememberedMs = 5 * 60_000;
const maxRemembered = 1000;

export const OperationType = {
  savepoint: 'savepoint',
  checkpoint: 'checkpoint',
  savepointDisposal: 'savepoint-disposal',
  datasetDeletion: 'dataset-deletion',
} as const;
export type OperationType = (typeof OperationType)[keyof typeof OperationType];

export interface OperationKey {
  readonly type: OperationType;
  /** Job that it is about; `null`: none. */
  readonly jobId: string | null;
  /** 32 hex digits. */
  readonly triggerId: string;
}

/** How it ended. All that there are end at once: there are no checkpoints yet. */
export type OperationOutcome =
  | { readonly type: 'done' }
  | {
      readonly type: 'failed';
      /** As Java knows the exception: Flink's clients show it. */
      readonly javaClass: string;
      readonly message: string;
    };

interface Operation {
  readonly outcome: OperationOutcome;
  /** By the monotonic clock. */
  readonly completed: number;
}

export class Operations {
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #operations = new Map<string, Operation>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param run called unless there is such an operation already (O1). */
  trigger(key: OperationKey, run: () => OperationOutcome): void {
    this.#forget(maxRemembered - 1);
    const name = nameOf(key);
    if (this.#operations.has(name)) return;
    this.#operations.set(name, { outcome: run(), completed: this.#clock.monotonic() });
  }

  /** `null`: there is none. */
  outcome(key: OperationKey): OperationOutcome | null {
    this.#forget(maxRemembered);
    return this.#operations.get(nameOf(key))?.outcome ?? null;
  }

  /** O2 */
  #forget(most: number): void {
    const now = this.#clock.monotonic();
    for (const [name, { completed }] of this.#operations) {
      if (completed + rememberedMs > now && this.#operations.size <= most) return;
      this.#operations.delete(name);
    }
  }
}

const nameOf = ({ jobId, triggerId, type }: OperationKey) => `${type}/${jobId ?? ''}/${triggerId}`;
