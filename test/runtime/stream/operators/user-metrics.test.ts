import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTaskCounters } from '../../../../src/contract/metrics/task-metrics.ts';
import type { Distribution } from '../../../../src/contract/metrics/user-metrics.ts';
import { UserMetrics } from '../../../../src/runtime/stream/operators/user-metrics.ts';

function create() {
  let now = 0;
  const counters = createTaskCounters();
  const metrics = new UserMetrics({ monotonic: () => now }, counters);
  const group = metrics.group('id', 'Map');
  const values = () =>
    Object.fromEntries(
      metrics
        .read()
        .map(({ groups, name, value }) => [
          [...groups.map((g) => (g.value === null ? g.name : `${g.name}=${g.value}`)), name].join(
            '.',
          ),
          value,
        ]),
    );
  return { metrics, group, counters, values, pass: (ms: number) => (now += ms) };
}

describe('metrics of user code', () => {
  it('are one under one name, in each group and operator', () => {
    const { group, metrics, values } = create();
    group.counter('seen').inc();
    group.counter('seen').inc(4);
    group.counter('seen').dec();
    expect(group.counter('seen').getCount()).toBe(4);
    group.addGroup('shop', 'a').counter('seen').inc(10);
    group.addGroup('shop', 'a').counter('seen').inc(1);
    group.addGroup('shop').counter('seen').inc(20);
    expect(values()).toEqual({ seen: 4, 'shop=a.seen': 11, 'shop.seen': 20 });
    metrics.group('other', 'Map').counter('seen').inc();
    expect(metrics.read().map(({ operatorId, value }) => [operatorId, value])).toContainEqual([
      'other',
      1,
    ]);
  });

  it('of one name are of one kind', () => {
    const { group } = create();
    group.counter('a');
    expect(() => group.meter('a')).toThrow(
      "the operator 'Map' has a counter 'a' already: give the meter another name",
    );
    expect(group.addGroup('b').meter('a').getCount()).toBe(0);
  });

  it.each(['', undefined, 7])('have a name: not %j', (name) => {
    const { group } = create();
    expect(() => group.counter(name as string)).toThrow('a counter has a name');
    expect(() => group.addGroup(name as string)).toThrow('a group of metrics has a name');
  });

  it('that are gauges have no value while there is none', () => {
    const { group, values } = create();
    const gauges: [string, () => unknown][] = [
      ['number', () => 7],
      ['bigint', () => 7n],
      ['boolean', () => true],
      ['text', () => '7'],
      ['nothing', () => undefined],
      [
        'failing',
        () => {
          throw new Error('no');
        },
      ],
    ];
    for (const [name, value] of gauges) group.gauge(name, value as () => number);
    expect(values()).toEqual({ number: 7, bigint: 7, boolean: 1 });
    group.gauge('failing', () => 1);
    expect(values()).toMatchObject({ failing: 1 });
  });

  it('that are meters tell events a second of the last ten', () => {
    const { group, pass, values } = create();
    const meter = group.meter('rate');
    expect(values()).toEqual({ rate: 0 });
    for (let second = 0; second < 30; second++) {
      meter.markEvent(second < 15 ? 100 : 10);
      pass(1000);
      values();
    }
    expect(values()['rate']).toBeCloseTo(10);
    expect(meter.getCount()).toBe(1650);
  });

  it('that are histograms tell how the last 1024 values are distributed', () => {
    const { group, values } = create();
    const histogram = group.histogram('size');
    expect(values()).toEqual({});
    for (let i = 0; i < 500; i++) histogram.update(1e9);
    for (let i = 1; i <= 1024; i++) histogram.update(1025 - i);
    const told = values()['size'] as Distribution;
    expect(told).toMatchObject({ count: 1524, min: 1, max: 1024, mean: 512.5 });
    expect(told.stddev).toBeCloseTo(295.75, 1);
    expect(told.quantiles).toEqual({
      '0.5': 513,
      '0.75': 769,
      '0.9': 922,
      '0.95': 973,
      '0.98': 1004,
      '0.99': 1014,
      '0.999': 1023,
    });
  });

  it('that are histograms have quantiles that are values, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 50 }), (all) => {
        const { group, values } = create();
        for (const value of all) group.histogram('h').update(value);
        const { max, min, quantiles } = values()['h'] as Distribution;
        const told = [min, ...Object.values(quantiles), max];
        expect(told).toEqual(told.toSorted((a, b) => a - b));
        for (const value of told) expect(all.some((one) => one === value)).toBe(true);
      }),
    );
  });

  it('are at most so many, however many are made, and it is told how many are not', () => {
    const { counters, group, metrics } = create();
    for (let i = 0; i < 1000; i++) group.addGroup('key', String(i)).counter('seen').inc();
    expect(metrics.read()).toHaveLength(500);
    expect(counters.untoldMetrics).toBe(500);
    const untold = group.counter('more');
    untold.inc(3);
    expect(untold.getCount()).toBe(3);
  });
});
