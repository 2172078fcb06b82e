import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RestartConfig } from '../../../../src/contract/runtime-config.ts';
import { createRestartStrategy } from '../../../../src/runtime/jobmanager/scheduler/restart-strategy.ts';

function create(config: RestartConfig, random = 0.5) {
  const time = { now: 1_000_000 };
  const strategy = createRestartStrategy(config, { now: () => time.now, random: () => random });
  /** The delay of a restart, or why there is none, of a failure `ms` after the one before. */
  const failAfter = (ms: number) => {
    time.now += ms;
    const decision = strategy.failed();
    return decision.type === 'restart' ? decision.delayMs : decision.why;
  };
  return { strategy, failAfter };
}

const exponential = {
  strategy: 'exponential-delay',
  initialBackoffMs: 1000,
  maxBackoffMs: 60_000,
  backoffMultiplier: 1.5,
  resetBackoffThresholdMs: 3_600_000,
  jitterFactor: 0.1,
  attemptsBeforeResetBackoff: null,
} as const;

describe('none', () => {
  it('restarts nothing', () => {
    const { failAfter, strategy } = create({ strategy: 'none' });
    expect(failAfter(0)).toBe('restart.strategy is none');
    expect(strategy.description).toBe('Restart deactivated.');
  });
});

describe('fixed-delay', () => {
  it('restarts as often as it is told, however long it lasts', () => {
    const { failAfter, strategy } = create({ strategy: 'fixed-delay', attempts: 2, delayMs: 70 });
    expect([failAfter(0), failAfter(1e9)]).toEqual([70, 70]);
    expect(failAfter(1e9)).toBe('it was restarted 2 times (fixed-delay)');
    expect(strategy.description).toBe('Restart with fixed delay (70 ms). #2 restart attempts.');
  });
});

describe('failure-rate', () => {
  const config = {
    strategy: 'failure-rate',
    maxFailuresPerInterval: 2,
    failureRateIntervalMs: 1000,
    delayMs: 5,
  } as const;

  it('fails with one failure more than allowed in an interval', () => {
    const { failAfter } = create(config);
    expect([failAfter(0), failAfter(500)]).toEqual([5, 5]);
    expect(failAfter(500)).toBe('it failed more than 2 times within 1.0s (failure-rate)');
  });

  it('looks at any interval, not at fixed ones', () => {
    const { failAfter } = create(config);
    expect([failAfter(0), failAfter(900), failAfter(101)]).toEqual([5, 5, 5]);
    expect(failAfter(400)).toMatch(/more than 2 times/); // 900, 1001, 1401
  });

  it('never fails a job that fails rarely enough, and does otherwise', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1500 }), { minLength: 1, maxLength: 30 }),
        (gaps) => {
          const { failAfter } = create(config);
          const times: number[] = [];
          let now = 0;
          for (const gap of gaps) {
            now += gap;
            times.push(now);
            const recent = times.filter((time) => now - time <= config.failureRateIntervalMs);
            const fails = typeof failAfter(gap) === 'string';
            expect(fails).toBe(recent.length > config.maxFailuresPerInterval);
            if (fails) return;
          }
        },
      ),
    );
  });
});

describe('exponential-delay', () => {
  it('waits longer with every failure, up to the maximum', () => {
    const { failAfter } = create({ ...exponential, maxBackoffMs: 3000, backoffMultiplier: 2 });
    expect([0, 1, 1, 1, 1].map(failAfter)).toEqual([1000, 2000, 3000, 3000, 3000]);
  });

  it('begins anew after a time without failures, counted from the restart', () => {
    const { failAfter } = create({ ...exponential, resetBackoffThresholdMs: 10_000 });
    expect(failAfter(0)).toBe(1000);
    expect(failAfter(1000 + 9999)).toBe(1500);
    expect(failAfter(1500 + 10_000)).toBe(1000);
  });

  it('never gives up unless it is told to', () => {
    const { failAfter } = create(exponential);
    for (let i = 0; i < 1000; i++) expect(failAfter(10)).toBeTypeOf('number');
    const limited = create({ ...exponential, attemptsBeforeResetBackoff: 2 });
    expect([limited.failAfter(0), limited.failAfter(1)]).toEqual([1000, 1500]);
    expect(limited.failAfter(1)).toBe(
      'it was restarted 2 times without 1h 00m of peace (exponential-delay)',
    );
  });

  it('strays by at most the jitter, and never over the maximum', () => {
    expect(create({ ...exponential, jitterFactor: 0.2 }, 0).failAfter(0)).toBe(800);
    expect(create({ ...exponential, jitterFactor: 0.2 }, 0.75).failAfter(0)).toBe(1100);
    expect(create({ ...exponential, jitterFactor: 0 }, 0).failAfter(0)).toBe(1000);
    const options = fc.record({
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      jitterFactor: fc.double({ min: 0, max: 1, noNaN: true }),
      failures: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(options, ({ failures, jitterFactor, random }) => {
        const { failAfter } = create({ ...exponential, jitterFactor }, random);
        for (let i = 0; i < failures; i++) {
          const backoff = Math.min(1000 * 1.5 ** i, 60_000);
          const delay = failAfter(1) as number;
          expect(Math.abs(delay - backoff)).toBeLessThanOrEqual(backoff * jitterFactor + 0.5);
          expect(delay).toBeLessThanOrEqual(60_000);
        }
      }),
    );
  });
});
