/**
 * The metrics that functions of one chain have made.
 *
 * U1  Counting is an addition; everything else is done when the task reports.
 * U2  A function that makes metrics without end costs no more than `limit` of them: what it makes then counts for
 *     itself and is told nowhere. How many there are of those is a metric.
 */
import type { Histogram, Meter, MetricCounter, MetricGroup } from '../../../api/metrics.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { TaskCounters } from '../../../contract/metrics/task-metrics.ts';
import {
  type Distribution,
  quantileNames,
  type UserMetric,
} from '../../../contract/metrics/user-metrics.ts';

/** U2. Of a chain. */
const limit = 500;
/** Rates are of about so long. */
const windowMs = 10_000;
/** A distribution is of so many values. */
const windowSize = 1024;

type Kind = UserMetric['kind'];

interface Reading {
  readonly kind: Kind;
  /** `null`: there is no value. */
  read(): UserMetric['value'] | null;
}

class CounterMetric implements MetricCounter, Reading {
  readonly kind = 'counter';
  private count = 0;

  inc(by = 1): void {
    this.count += by;
  }

  dec(by = 1): void {
    this.count -= by;
  }

  getCount(): number {
    return this.count;
  }

  /** User code may have counted by something else. */
  read(): number {
    return Number(this.count);
  }
}

class GaugeMetric implements Reading {
  readonly kind = 'gauge';
  value: () => unknown = () => null;

  read(): number | null {
    try {
      const value = this.value();
      return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
        ? Number(value)
        : null;
    } catch {
      return null;
    }
  }
}

class MeterMetric implements Meter, Reading {
  readonly kind = 'meter';
  private count = 0;
  /** Oldest first; only the first may be older than the window. */
  private readonly looks: { readonly time: number; readonly count: number }[];

  private readonly clock: Pick<Clock, 'monotonic'>;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.clock = clock;
    this.looks = [{ time: clock.monotonic(), count: 0 }];
  }

  markEvent(count = 1): void {
    this.count += count;
  }

  getCount(): number {
    return this.count;
  }

  read(): number {
    const time = this.clock.monotonic();
    this.looks.push({ time, count: this.count });
    while (this.looks.length > 2 && this.looks[1]!.time <= time - windowMs) this.looks.shift();
    const first = this.looks[0]!;
    const ms = time - first.time;
    return ms > 0 ? ((this.count - first.count) / ms) * 1000 : 0;
  }
}

class HistogramMetric implements Histogram, Reading {
  readonly kind = 'histogram';
  private count = 0;
  private readonly last = new Float64Array(windowSize);

  update(value: number): void {
    this.last[this.count++ % windowSize] = value;
  }

  getCount(): number {
    return this.count;
  }

  read(): Distribution | null {
    const values = this.last.slice(0, Math.min(this.count, windowSize)).sort();
    if (values.length === 0) return null;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const at = (share: number) =>
      values[Math.min(values.length - 1, Math.floor(share * values.length))]!;
    return {
      count: this.count,
      min: values[0]!,
      max: values.at(-1)!,
      mean,
      stddev: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0,
      quantiles: Object.fromEntries(
        Object.keys(quantileNames).map((share) => [share, at(Number(share))]),
      ),
    };
  }
}

interface Owner {
  readonly operatorId: string;
  readonly operatorName: string;
}

type Groups = UserMetric['groups'];

/** All of a chain. */
export class UserMetrics {
  private readonly known = new Map<
    string,
    Owner & { groups: Groups; name: string; metric: Reading }
  >();

  private readonly clock: Pick<Clock, 'monotonic'>;
  private readonly counters: TaskCounters;

  constructor(clock: Pick<Clock, 'monotonic'>, counters: TaskCounters) {
    this.clock = clock;
    this.counters = counters;
  }

  /** The group of one operator. */
  group(operatorId: string, operatorName: string): MetricGroup {
    return this.groupOf({ operatorId, operatorName }, []);
  }

  /** Those that have a value. */
  read(): UserMetric[] {
    return Array.from(this.known.values()).flatMap(({ metric, ...named }) => {
      const value = metric.read();
      return value === null ? [] : [{ ...named, kind: metric.kind, value }];
    });
  }

  private groupOf(owner: Owner, groups: Groups): MetricGroup {
    const find = <M extends Reading>(name: string, kind: M['kind'], create: () => M): M =>
      this.find(owner, groups, name, kind, create);
    const within = new Map<string, MetricGroup>();
    return {
      counter: (name) => find(name, 'counter', () => new CounterMetric()),
      meter: (name) => find(name, 'meter', () => new MeterMetric(this.clock)),
      histogram: (name) => find(name, 'histogram', () => new HistogramMetric()),
      gauge: (name, value) => {
        find(name, 'gauge', () => new GaugeMetric()).value = value;
      },
      addGroup: (name, value) => {
        checkName(name, 'group of metrics');
        const key = JSON.stringify([name, value ?? null]);
        const group = within.get(key);
        if (group !== undefined) return group;
        const made = this.groupOf(owner, [...groups, { name, value: value ?? null }]);
        if (within.size < limit) within.set(key, made); // U2
        return made;
      },
    };
  }

  private find<M extends Reading>(
    owner: Owner,
    groups: Groups,
    name: string,
    kind: M['kind'],
    create: () => M,
  ): M {
    checkName(name, kind);
    const key = JSON.stringify([owner.operatorId, groups, name]);
    const entry = this.known.get(key);
    if (entry === undefined) {
      const metric = create();
      if (this.known.size < limit) this.known.set(key, { ...owner, groups, name, metric });
      else this.counters.untoldMetrics++; // U2
      return metric;
    }
    if (entry.metric.kind === kind) return entry.metric as M;
    throw new Error(
      `the operator '${owner.operatorName}' has a ${entry.metric.kind} '${name}' already: give the ${kind} another ` +
        'name, or a group of its own',
    );
  }
}

function checkName(name: unknown, what: string): void {
  if (typeof name === 'string' && name !== '') return;
  throw new Error(`a ${what} has a name: text that is not empty`);
}
