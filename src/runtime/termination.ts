/**
 * What a platform asks of a process by a signal: to be gone soon. Nothing of the cluster is over by that.
 * It may be a reboot, or an engine that is restarted, after which the platform starts the process again.
 */

/** As a shell tells SIGTERM. Not 0: that is the end, and whoever starts crashed processes again would not. */
export const TERMINATED = 143;

/** Calls back for the first signal that asks for the end; from now on signals end nothing by themselves. */
export function onTermination(terminate: (signal: NodeJS.Signals) => void): void {
  let isTold = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!isTold) terminate(signal);
      isTold = true;
    });
  }
}
