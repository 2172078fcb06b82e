/** What user functions of a chain see of their task: one object for all functions of all operators. */
import type { Counter, RuntimeContext } from '../../api/functions.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { ChainHost } from './operator-chain.ts';

class SumCounter implements Counter {
  value = 0;

  add(amount = 1): void {
    this.value += amount;
  }
}

export class ChainRuntimeContext implements RuntimeContext {
  readonly jobId: string;
  readonly taskName: string;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly attempt: number;
  private readonly counters = new Map<string, SumCounter>();

  constructor(host: ChainHost) {
    this.jobId = host.jobId;
    this.taskName = host.taskName;
    this.subtaskIndex = host.subtaskIndex;
    this.parallelism = host.parallelism;
    this.attempt = host.attempt;
  }

  counter(name: string): Counter {
    const existing = this.counters.get(name);
    if (existing !== undefined) return existing;
    const created = new SumCounter();
    this.counters.set(name, created);
    return created;
  }

  /** The counters by name, in order of their creation. */
  accumulators(): Readonly<Record<string, JsonValue>> {
    return Object.fromEntries(
      Array.from(this.counters, ([name, counter]) => [name, counter.value]),
    );
  }
}
