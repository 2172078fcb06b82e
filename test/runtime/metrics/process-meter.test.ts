import { describe, expect, it, onTestFinished } from 'vitest';
import { ProcessMeter } from '../../../src/runtime/metrics/process-meter.ts';

function create() {
  let now = 0;
  const meter = new ProcessMeter(() => now);
  onTestFinished(() => meter.close());
  return { meter, pass: (ms: number) => (now += ms) };
}

describe('the meter of the process', () => {
  it('says what this process uses', () => {
    const { meter } = create();
    const used = meter.measure();
    expect(used.rssBytes).toBeGreaterThan(used.heapTotalBytes);
    expect(used.heapTotalBytes).toBeGreaterThanOrEqual(used.heapUsedBytes);
    expect(used.heapLimitBytes).toBeGreaterThan(used.heapTotalBytes);
    expect(used.cpuMs).toBeGreaterThan(0);
  });

  it('keeps the load of a span, however often it is asked for', () => {
    const { meter, pass } = create();
    burn();
    pass(1000);
    const { cpuLoad } = meter.measure();
    expect(cpuLoad).toBeGreaterThan(0);
    burn();
    pass(10);
    expect(meter.measure().cpuLoad).toBe(cpuLoad);
    pass(1000);
    expect(meter.measure().cpuLoad).not.toBe(cpuLoad);
  });

  it('counts garbage collections', async () => {
    const { meter } = create();
    await expect
      .poll(() => {
        for (let i = 0; i < 1e6; i++) junk.push({ i });
        junk.length = 0;
        return meter.measure().gc;
      })
      .toEqual({ count: expect.toSatisfy((n: number) => n > 0), ms: expect.any(Number) });
  });
});

const junk: object[] = [];

/** Uses CPU time that the system notices. */
function burn(): void {
  const { user } = process.cpuUsage();
  while (process.cpuUsage().user - user < 20_000) junk.length = 0;
}
