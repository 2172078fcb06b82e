import { describe, expect, it } from 'vitest';
import { aggregatedMetrics } from '../../../../src/runtime/rest/answers/aggregated-metrics.ts';
import { recording } from '../../../reference/flink-rest/recordings.ts';

interface Aggregated {
  readonly id: string;
  readonly min: number;
  readonly max: number;
}

const recorded = (name: string) => recording('running', name).response.body as Aggregated[];

describe('metrics of several subtasks', () => {
  it('are aggregated as by Flink', () => {
    // Two subtasks: the smaller value is the one's, the larger the other's.
    const flinks = recorded('vertex0-subtasks-metrics-values');
    const subtasks = (['min', 'max'] as const).map((which) =>
      Object.fromEntries(flinks.map((metric) => [metric.id, String(metric[which])])),
    );
    const get = flinks.map(({ id }) => id);
    expect(flinks.length).toBeGreaterThan(5);
    expect(aggregatedMetrics(subtasks, get, null)).toEqual(flinks);
  });

  it('are aggregated as asked', () => {
    const all = [{ uptime: '10' }, { uptime: '30' }];
    expect(aggregatedMetrics(all, ['uptime'], new Set(['sum', 'max'] as const))).toEqual([
      { id: 'uptime', max: 30, sum: 40 },
    ]);
  });

  it('are listed by name, once, when none is asked for', () => {
    expect(aggregatedMetrics([{ a: '1' }, { a: '2', b: '3' }], null, null)).toEqual([
      { id: 'a' },
      { id: 'b' },
    ]);
  });

  it('are left out when nobody has them, or they are no numbers', () => {
    const all = [{ path: 'n/a', a: '1' }, { path: 'n/a' }];
    expect(aggregatedMetrics(all, ['path', 'none', '__proto__', 'a', 'a'], null)).toEqual([
      { id: 'a', min: 1, max: 1, avg: 1, sum: 1, skew: 0 },
    ]);
  });
});
