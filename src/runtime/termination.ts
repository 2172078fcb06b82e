/**
 * What a platform asks of a process by a signal: to be gone soon. Nothing of the cluster is over by that.
 * It may be a reboot, or an engine that is restarted, after which the platform starts the process again.
 */

/** Timers of the runtime alone keep no process alive; this does, until it exits. */
export const stayAlive = (): void => void setInterval(() => {}, 2 ** 30);

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
