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
  timedOut: 124,
  interrupted: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
