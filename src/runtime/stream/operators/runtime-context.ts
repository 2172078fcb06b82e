/** What user functions of a chain see of their task: one object for all functions of all operators. */
import type { Counter, DistributedCache, RuntimeContext } from '../../../api/functions.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { ChainHost } from './operator-chain.ts';

class SumCounter implements Counter {
  value = 0;

  add(amount = 1): void {
    this.value += amount;
  }
}

function findFile(files: Readonly<Record<string, string>>, name: string): string {
  const file = Object.hasOwn(files, name) ? files[name] : undefined;
  if (file !== undefined) return file;
  const names = Object.keys(files).join(', ');
  throw new Error(
    `the job has no cached file '${name}'${names === '' ? '' : `, only ${names}`}: register it in the job's ` +
      `builder, env.registerCachedFile(path, '${name}')`,
  );
}

export class ChainRuntimeContext implements RuntimeContext {
  readonly jobId: string;
  readonly taskName: string;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly attempt: number;
  readonly distributedCache: DistributedCache;
  private readonly counters = new Map<string, SumCounter>();

  constructor(host: ChainHost) {
    this.jobId = host.jobId;
    this.taskName = host.taskName;
    this.subtaskIndex = host.subtaskIndex;
    this.parallelism = host.parallelism;
    this.attempt = host.attempt;
    this.distributedCache = { getFile: (name) => findFile(host.cachedFiles, name) };
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
