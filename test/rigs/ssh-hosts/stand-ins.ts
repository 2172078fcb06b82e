/**
 * Commands that stand before the system's own in the PATH of a host, and make it look like another: scripts
 * of sh, by name. They change what the system's command says.
 */

/** A clock that is off. Those who read it without `date` see the right time. */
export const clockStandIns = (seconds: number) => ({
  date: script(
    `case " $* " in *' -d'*|*' --date'*|*' -r'*|*' --reference'*) exec /usr/bin/date "$@" ;; esac`,
    `exec /usr/bin/date -d '${seconds} seconds' "$@"`,
  ),
});

/** Another processor: `aarch64`. */
export const machineStandIns = (machine: string) => ({
  uname: script(`/usr/bin/uname "$@" | sed "s/$(/usr/bin/uname -m)/${machine}/g"`),
  arch: script(`echo ${machine}`),
});

/** Another C library: `2.17`. */
export const glibcStandIns = (version: string) => ({
  getconf: script(`/usr/bin/getconf "$@" | sed 's/^glibc .*/glibc ${version}/'`),
  ldd: script(
    `if [ "$1" = --version ]; then echo 'ldd (GNU libc) ${version}'; else exec /usr/bin/ldd "$@"; fi`,
  ),
});

const script = (...lines: readonly string[]) => ['#!/bin/sh', ...lines, ''].join('\n');
