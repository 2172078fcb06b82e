import { availableParallelism } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ProcessMeter } from '../../../src/runtime/metrics/process-meter.ts';

function create() {
  let now = 0;
  const clock = { monotonic: () => now, after: () => () => {} };
  const meter = new ProcessMeter(clock);
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

  it('has a load that is a share of all cores', () => {
    const { meter, pass } = create();
    const before = meter.measure().cpuMs;
    burn();
    pass(1000);
    const { cpuLoad, cpuMs } = meter.measure();
    // A little CPU time is used between the creation of the meter and its first look.
    expect(cpuLoad).toBeGreaterThanOrEqual((cpuMs - before) / 1000 / availableParallelism());
    expect(cpuLoad).toBeLessThanOrEqual(cpuMs / 1000 / availableParallelism());
    meter.measure();
    burn();
    pass(1);
    expect(meter.measure().cpuLoad).toBeLessThanOrEqual(1);
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
        const { gcCount, gcMs } = meter.measure();
        return { gcCount, gcMs };
      })
      .toEqual({ gcCount: expect.toSatisfy((n: number) => n > 0), gcMs: expect.any(Number) });
  });
});

const junk: object[] = [];

/** Uses CPU time that the system notices. */
function burn(): void {
  const { user } = process.cpuUsage();
  while (process.cpuUsage().user - user < 20_000) junk.length = 0;
}
