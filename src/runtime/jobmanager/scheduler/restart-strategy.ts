/**
 * Whether and when a job that failed starts again. One object for each job; the rules are Flink's
 * (`restart-strategy.*`): a failure counts first, then it is decided.
 */
import type { RestartConfig } from '../../../contract/runtime-config.ts';
import { formatDuration } from '../../../contract/units.ts';

export type RestartDecision =
  /** Counted from the failure. */
  | { readonly type: 'restart'; readonly delayMs: number }
  /** `why` is for people. */
  | { readonly type: 'fail'; readonly why: string };

export interface RestartStrategy {
  /** In the words of Flink's REST API. */
  readonly description: string;
  /** Takes a failure in. Consequences of one failure are not told. */
  failed(): RestartDecision;
}

export interface RestartSources {
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
}

type Config<S extends RestartConfig['strategy']> = Extract<RestartConfig, { strategy: S }>;

/** A strategy that has seen no failure yet. */
export function createRestartStrategy(
  config: RestartConfig,
  sources: RestartSources,
): RestartStrategy {
  switch (config.strategy) {
    case 'none':
      return noRestart;
    case 'fixed-delay':
      return fixedDelay(config);
    case 'exponential-delay':
      return exponentialDelay(config, sources);
    case 'failure-rate':
      return failureRate(config, sources);
  }
}

const noRestart: RestartStrategy = {
  description: 'Restart deactivated.',
  failed: () => ({ type: 'fail', why: 'restart.strategy is none' }),
};

function fixedDelay({ attempts, delayMs }: Config<'fixed-delay'>): RestartStrategy {
  let failures = 0;
  return {
    description: `Restart with fixed delay (${delayMs} ms). #${attempts} restart attempts.`,
    failed: () => {
      failures++;
      if (failures <= attempts) return { type: 'restart', delayMs };
      return { type: 'fail', why: `it was restarted ${times(attempts)} (fixed-delay)` };
    },
  };
}

function exponentialDelay(
  config: Config<'exponential-delay'>,
  { now, random }: RestartSources,
): RestartStrategy {
  const { attemptsBeforeResetBackoff, backoffMultiplier, initialBackoffMs, jitterFactor } = config;
  const { maxBackoffMs, resetBackoffThresholdMs } = config;
  let backoffMs = initialBackoffMs;
  let restarts = 0;
  /** When the restart after the last failure was due. */
  let restartAt: number | null = null;
  return {
    description:
      `Restart with exponential delay: starting at ${initialBackoffMs} ms, increasing by ` +
      `${backoffMultiplier}, with maximum ${maxBackoffMs} ms. Delay resets after ` +
      `${resetBackoffThresholdMs} ms with jitter ${jitterFactor}.`,
    failed: () => {
      const at = now();
      if (restartAt === null || at - restartAt >= resetBackoffThresholdMs) {
        backoffMs = initialBackoffMs;
        restarts = 0;
      } else {
        backoffMs = Math.min(backoffMs * backoffMultiplier, maxBackoffMs);
      }
      if (attemptsBeforeResetBackoff !== null && restarts >= attemptsBeforeResetBackoff) {
        const why = `it was restarted ${times(restarts)} without ${formatDuration(resetBackoffThresholdMs)} of peace (exponential-delay)`;
        return { type: 'fail', why };
      }
      restarts++;
      const jitterMs = backoffMs * jitterFactor * (2 * random() - 1);
      const delayMs = Math.min(Math.round(backoffMs + jitterMs), maxBackoffMs);
      restartAt = at + delayMs;
      return { type: 'restart', delayMs };
    },
  };
}

function failureRate(config: Config<'failure-rate'>, { now }: RestartSources): RestartStrategy {
  const { delayMs, failureRateIntervalMs, maxFailuresPerInterval } = config;
  const interval = formatDuration(failureRateIntervalMs);
  /** The newest, oldest first. */
  const failures: number[] = [];
  return {
    description:
      `Failure rate restart with maximum of ${maxFailuresPerInterval} failures within interval ` +
      `${failureRateIntervalMs} ms and fixed delay ${delayMs} ms.`,
    failed: () => {
      const at = now();
      failures.push(at);
      if (failures.length <= maxFailuresPerInterval) return { type: 'restart', delayMs };
      if (failures.length > maxFailuresPerInterval + 1) failures.shift();
      if (at - failures[0]! > failureRateIntervalMs) return { type: 'restart', delayMs };
      const why = `it failed more than ${times(maxFailuresPerInterval)} within ${interval} (failure-rate)`;
      return { type: 'fail', why };
    },
  };
}

const times = (n: number) => (n === 1 ? 'once' : `${n} times`);
