/**
 * Ctrl-C, SIGTERM and `--timeout` as one AbortSignal.
 *
 * The first signal asks the verb to end where it can be continued; the second ends the process at once.
 */
import { ClusterError, UsageError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import { parseDurationMs } from '../contract/units.ts';

export interface Interruption {
  readonly signal: AbortSignal;
  /** What ended the verb where somebody was asked; `null`: nothing did. */
  readonly refusal: ClusterError | null;
  /** Somebody who was asked does not want to go on: the same as Ctrl-C at any other time. */
  refuse(): ClusterError;
  /** Stops listening, so that the process can end. */
  dispose(): void;
}

/**
 * @param timeout a duration, or `null`.
 * @param exit ends the process at once.
 * @throws UsageError when the timeout is no duration.
 */
export function interruption(timeout: string | null, exit: (code: number) => void): Interruption {
  const controller = new AbortController();
  let refusal: ClusterError | null = null;
  const onSignal = (name: keyof typeof signals) => {
    if (controller.signal.aborted) exit(signals[name]);
    controller.abort(interrupted('interrupted', signals[name]));
  };
  for (const name of names) process.on(name, onSignal);
  const timer = timeout === null ? null : startTimer(timeout, controller);
  return {
    signal: controller.signal,
    get refusal() {
      return refusal;
    },
    refuse: () => {
      refusal ??= interrupted('interrupted at a question');
      controller.abort(refusal);
      return refusal;
    },
    dispose: () => {
      for (const name of names) process.off(name, onSignal);
      if (timer) clearTimeout(timer);
    },
  };
}

const signals = {
  SIGINT: ExitCode.interrupted,
  SIGTERM: ExitCode.terminated,
  SIGHUP: ExitCode.hungUp,
} as const;
const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type SignalCode = (typeof signals)[keyof typeof signals];

const interrupted = (message: string, exitCode: SignalCode = ExitCode.interrupted) =>
  new ClusterError(exitCode, problem({ code: 'interrupted', message }));

function startTimer(timeout: string, controller: AbortController): NodeJS.Timeout {
  const ms = parseDurationMs(timeout);
  if (ms === null) {
    throw new UsageError(
      problem({
        code: 'not-a-duration',
        message: `--timeout ${timeout} is not a duration`,
        hint: "for example '30s' or '5m'",
      }),
    );
  }
  return setTimeout(() => {
    const message = `not finished within --timeout ${timeout}`;
    controller.abort(new ClusterError(ExitCode.timedOut, problem({ code: 'timed-out', message })));
  }, ms).unref();
}

/**
 * What a verb says when the signal ended it.
 * @param describe makes the message of what ended it: `interrupted`, `not finished within --timeout 5m`.
 */
export function endedBy(
  signal: AbortSignal,
  code: string,
  describe: (why: string) => string,
  hint: string | null,
): ClusterError {
  const { exitCode, problems } = signal.reason as ClusterError;
  const isSignal = exitCode === ExitCode.terminated || exitCode === ExitCode.hungUp;
  return new ClusterError(
    exitCode === ExitCode.timedOut || isSignal ? exitCode : ExitCode.interrupted,
    problem({ code, message: describe(problems[0]!.message), hint }),
  );
}
