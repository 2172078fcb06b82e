import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noTaskMetrics } from '../../../src/contract/metrics/task-metrics.ts';
import { MetricsWindow } from '../../../src/runtime/metrics/recent-metrics.ts';

/** A task that has been busy for a third of its life and reads 50 records a second. */
const after = (ms: number) => ({
  ...noTaskMetrics,
  recordsIn: ms / 20,
  busyMs: ms / 3,
  idleMs: ms / 3,
  backPressuredMs: ms / 3,
});

describe('the window of metrics', () => {
  it('knows nothing before the first report', () => {
    expect(new MetricsWindow(0).recent).toMatchObject({ ms: 0, recordsIn: 0 });
  });

  it('begins where the task began', () => {
    const window = new MetricsWindow(1000);
    window.add(after(600), 1600);
    expect(window.recent).toMatchObject({ ms: 600, recordsIn: 30, busyMs: 200 });
  });

  it('forgets what is older than ten seconds', () => {
    const window = new MetricsWindow(0);
    const busy = { ...noTaskMetrics, recordsIn: 1_000_000, busyMs: 5000 };
    window.add(busy, 5000);
    for (let time = 6000; time <= 60_000; time += 1000) {
      window.add({ ...busy, idleMs: time - 5000 }, time);
    }
    expect(window.recent).toMatchObject({ ms: 10_000, recordsIn: 0, busyMs: 0, idleMs: 10_000 });
  });

  it('gives the same rate however reports are late', () => {
    const lates = fc.array(fc.nat(1500), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(lates, (late) => {
        const window = new MetricsWindow(0);
        let arrived = 0;
        for (const [index, delay] of late.entries()) {
          const written = (index + 1) * 1000;
          arrived = Math.max(arrived, written + delay);
          window.add(after(written), arrived);
        }
        const { ms, recordsIn } = window.recent;
        expect(recordsIn / ms).toBeCloseTo(0.05);
      }),
    );
  });
});
