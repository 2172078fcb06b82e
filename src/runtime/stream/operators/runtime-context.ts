/**
 * What user functions see of their task: an object an operator, for what is its own. Counters are the job's:
 * those of one name are one counter, whichever operator asks.
 */
import type { Counter, DistributedCache, RuntimeContext } from '../../../api/functions.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { MetricGroup } from '../../../api/metrics.ts';
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

/** The named counters of one chain. */
export class Counters {
  private readonly byName = new Map<string, SumCounter>();

  of(name: string): Counter {
    const existing = this.byName.get(name);
    if (existing !== undefined) return existing;
    const created = new SumCounter();
    this.byName.set(name, created);
    return created;
  }

  /** By name, in order of their creation. */
  values(): Readonly<Record<string, JsonValue>> {
    return Object.fromEntries(Array.from(this.byName, ([name, counter]) => [name, counter.value]));
  }
}

export class OperatorContext implements RuntimeContext {
  readonly jobId: string;
  readonly taskName: string;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly attempt: number;
  readonly distributedCache: DistributedCache;
  private readonly counters: Counters;
  private readonly metrics: MetricGroup;

  constructor(host: ChainHost, counters: Counters, metrics: MetricGroup) {
    this.counters = counters;
    this.metrics = metrics;
    this.jobId = host.jobId;
    this.taskName = host.taskName;
    this.subtaskIndex = host.subtaskIndex;
    this.parallelism = host.parallelism;
    this.attempt = host.attempt;
    this.distributedCache = { getFile: (name) => findFile(host.cachedFiles, name) };
  }

  counter(name: string): Counter {
    return this.counters.of(name);
  }

  getMetricGroup(): MetricGroup {
    return this.metrics;
  }
}
