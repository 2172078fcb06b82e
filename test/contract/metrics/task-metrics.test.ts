import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  mergeTaskMetrics,
  noTaskMetrics,
  type TaskMetrics,
  taskMetricRows,
  taskMetricsOf,
} from '../../../src/contract/metrics/task-metrics.ts';

const metrics: fc.Arbitrary<TaskMetrics> = fc
  .record(
    Object.fromEntries(
      taskMetricRows.map(({ kind, name }) => [
        name,
        kind === 'counter' ? fc.nat() : fc.option(fc.integer()),
      ]),
    ),
  )
  .map((values) => values as TaskMetrics);

describe('the metrics of several subtasks', () => {
  it('are the same in whatever order and groups they are merged', () => {
    fc.assert(
      fc.property(fc.array(metrics, { minLength: 1 }), fc.nat(), (all, at) => {
        const whole = mergeTaskMetrics(all);
        expect(mergeTaskMetrics(all.toReversed())).toEqual(whole);
        const [left, right] = [all.slice(0, at % all.length), all.slice(at % all.length)];
        const groups = [left, right].filter((group) => group.length > 0);
        expect(mergeTaskMetrics(groups.map(mergeTaskMetrics))).toEqual(whole);
      }),
    );
  });

  it('are summed up; a gauge is the lowest, and not known while one of them does not know it', () => {
    const one = { ...noTaskMetrics, recordsIn: 3, watermark: 70 };
    expect(mergeTaskMetrics([one, { ...one, watermark: 50 }])).toMatchObject({
      recordsIn: 6,
      watermark: 50,
    });
    expect(mergeTaskMetrics([one, noTaskMetrics])).toMatchObject({ recordsIn: 3, watermark: null });
    expect(mergeTaskMetrics([])).toEqual(noTaskMetrics);
  });
});

describe('metrics of an earlier or a later version', () => {
  it('are filled up, and what is no metric is left out', () => {
    const values = { recordsIn: 7, name: 'v', unheardOf: 1 };
    expect(taskMetricsOf(values)).toEqual({ ...noTaskMetrics, recordsIn: 7 });
  });
});
