/**
 * The environment that processes of a cluster begin with, before what their spec says.
 *
 * N1  It is small and declared. The shell of whoever deploys decides nothing: not by NODE_OPTIONS, a proxy
 *     or a time zone, and its secrets reach no process. Two clients give a cluster the same processes.
 * N2  Time zone and language are equal on all machines, whatever those are set to: a date that is printed
 *     does not depend on which of them a subtask ran on. `environment` of the spec wins.
 */

/** N2. Of every process, on every place. */
export const fixedEnvironment: Readonly<Record<string, string>> = { LANG: 'C.UTF-8', TZ: 'UTC' };

/** What says where a user and a machine have their things. */
const ofTheMachine = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR'] as const;

/** @param environment of whoever starts processes on a machine: its user's. */
export function baseEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const own = ofTheMachine.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(own), ...fixedEnvironment };
}
