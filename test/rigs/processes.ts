/** Processes of this machine, as /proc tells of them. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface ProcessInfo {
  /** As seen on this machine. */
  readonly pid: number;
  /** The executable, as the process sees its files. */
  readonly exe: string;
  readonly args: string[];
  /** The user that it acts as. */
  readonly uid: number;
}

/**
 * When the process began, in ticks since boot: together with the pid its name for ever. Null: there is none,
 * or only a zombie.
 */
export function birthOf(pid: number): string | null {
  const stat = orNull(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat === null) return null;
  // What precedes is the pid and a name in parentheses, which can be anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return /[ZX]/.test(fields[0]!) ? null : fields[19]!;
}

/** Those that are not of the kernel, and that still run while they are looked at. */
export function processesWhere(isWanted: (pid: number) => boolean): ProcessInfo[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && orNull(() => isWanted(pid)) === true)
    .map((pid) => orNull(() => processInfo(pid)))
    .filter((info) => info !== null);
}

function processInfo(pid: number): ProcessInfo {
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!;
  return {
    pid,
    exe: readlinkSync(`/proc/${pid}/exe`),
    args: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1),
    uid: Number(uid),
  };
}

/**
 * Every file and folder that the process has in use, as it sees them: its executable, what it has mapped
 * (libraries), what it has open, and where it is.
 */
export function filesInUse(pid: number): string[] {
  const folder = `/proc/${pid}`;
  const links = readdirSync(join(folder, 'fd')).map((fd) => join(folder, 'fd', fd));
  const targets = [join(folder, 'exe'), join(folder, 'cwd'), ...links].map((link) =>
    // It may have closed it meanwhile.
    orNull(() => readlinkSync(link)),
  );
  const maps = readFileSync(join(folder, 'maps'), 'utf8').matchAll(/ (\/.*)$/gm);
  const mapped = Array.from(maps, ([, file]) => file!.replaceAll(/\\012/g, '\n'));
  const files = [...targets, ...mapped].filter((file) => file?.startsWith('/') === true);
  return [...new Set(files as string[])].toSorted();
}

/** Ports on which a process of its network listens. */
export function listeningPorts(pid: number): number[] {
  const listening = '0A';
  const sockets = ['tcp', 'tcp6'].flatMap((file) =>
    readFileSync(`/proc/${pid}/net/${file}`, 'utf8').trim().split('\n').slice(1),
  );
  const ports = sockets
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === listening)
    .map(([, local]) => Number.parseInt(local!.split(':')[1]!, 16));
  return [...new Set(ports)].toSorted((a, b) => a - b);
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return null;
    throw error;
  }
}
