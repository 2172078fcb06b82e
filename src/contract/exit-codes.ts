/** Exit codes of the `fctl` command. They are part of the public interface: scripts branch on them. */
export const ExitCode = {
  done: 0,
  bug: 1,
  usage: 2,
  configInvalid: 3,
  providerNotUsable: 4,
  deploymentFailed: 5,
  jobFailed: 6,
  notFound: 7,
  conflict: 8,
  stateWouldBeLost: 9,
  outputNotWritable: 74,
  timedOut: 124,
  /** Of a verb that runs a command and ends with its code: its own failures, as with env(1) and docker. */
  execFailed: 125,
  // Ended by a signal: 128 and its number.
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
