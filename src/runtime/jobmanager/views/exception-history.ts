/**
 * Why the attempts of a job failed. Of every attempt the first failures are kept, its root cause before all,
 * and of the attempts the newest: as many as Flink's `web.exception-history-size`.
 */
import type { FailureInfo } from '../../../contract/outcome.ts';
import type { ExceptionView } from './cluster-view.ts';
import type { Execution } from '../scheduler/execution.ts';

const maxAttempts = 16;
const maxPerAttempt = 16;

export interface AttemptFailure {
  readonly failure: FailureInfo;
  /** The task that failed, when it was one. */
  readonly execution: Execution | null;
  /** Of the job. */
  readonly attempt: number;
  /** Epoch milliseconds. */
  readonly timestamp: number;
}

export class ExceptionHistory {
  /** By attempt; oldest first, as what is in them. */
  readonly #byAttempt = new Map<number, ExceptionView[]>();

  add({ attempt, execution, failure, timestamp }: AttemptFailure): void {
    const exceptions = this.#byAttempt.get(attempt) ?? [];
    this.#byAttempt.set(attempt, exceptions);
    if (exceptions.length < maxPerAttempt) {
      exceptions.push({
        timestamp,
        failure,
        taskManager: execution?.location?.taskManager ?? null,
        host: execution?.location?.host ?? null,
        vertexId: execution?.vertex.id ?? null,
        subtaskIndex: execution?.subtaskIndex ?? null,
        attempt,
      });
    }
    if (this.#byAttempt.size > maxAttempts) {
      const [oldest] = this.#byAttempt.keys();
      this.#byAttempt.delete(oldest!);
    }
  }

  /** Oldest first. */
  get views(): readonly ExceptionView[] {
    return [...this.#byAttempt.values()].flat();
  }

  /** Why that attempt failed; `null`: it did not. */
  rootCause(attempt: number): FailureInfo | null {
    return this.#byAttempt.get(attempt)?.[0]?.failure ?? null;
  }
}
