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
  const onSignal = () => {
    if (controller.signal.aborted) exit(ExitCode.interrupted);
    controller.abort(interrupted('interrupted'));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, onSignal);
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
      for (const name of signals) process.off(name, onSignal);
      if (timer) clearTimeout(timer);
    },
  };
}

const interrupted = (message: string) =>
  new ClusterError(ExitCode.interrupted, problem({ code: 'interrupted', message }));

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
  return new ClusterError(
    exitCode === ExitCode.timedOut ? ExitCode.timedOut : ExitCode.interrupted,
    problem({ code, message: describe(problems[0]!.message), hint }),
  );
}
