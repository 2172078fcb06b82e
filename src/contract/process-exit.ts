/**
 * How the processes of a cluster end: the exit codes of JobManager and TaskManager. Every platform starts a
 * process again after every code but two: `over` and `noJobManager`.
 */
export const ProcessExit = {
  /** The cluster's current release has its final outcome in the record: there is nothing left to do. */
  over: 0,
  /** It crashed or could not start; its log and stderr say why. */
  failed: 1,
  /**
   * A TaskManager found no JobManager for `taskmanager.registrationTimeout` (EX_UNAVAILABLE): nobody searches
   * for ever. Where a platform cannot leave it at that code, its provider sets `FCTL_ORPHAN_EXIT`.
   */
  noJobManager: 69,
  /** A newer release of the cluster was deployed, and its processes take over (EX_TEMPFAIL). */
  replaced: 75,
  /** Its platform ended it by a signal, also when it had nothing left to do: as a shell tells SIGTERM. */
  terminated: 143,
  /** A slot hung in native code, which only the end of the process ends: Flink's code of a fatal error. */
  fatal: 239,
} as const;
export type ProcessExit = (typeof ProcessExit)[keyof typeof ProcessExit];
