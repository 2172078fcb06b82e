/**
 * The operating system's processes, as far as the local provider needs them.
 *
 * T1  A pid is never trusted alone: a process is its pid together with its start time and the boot.
 * T2  A zombie is gone: it holds no memory, port or file and cannot be ended.
 */
import { type ClusterId, isClusterId } from '../../contract/cluster-id.ts';
import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { ProcessEnvironment } from '../../contract/environment.ts';

const run = promisify(execFile);
const isLinux = process.platform === 'linux';

let bootId: Promise<string> | undefined;

function readBootId(): Promise<string> {
  bootId ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then((text) => text.trim());
  return bootId;
}

/** Names a running process beyond reuse of its pid; `null` when there is none or it is a zombie. */
export async function identifyProcess(pid: number): Promise<string | null> {
  return isLinux ? identifyOnLinux(pid) : identifyByPs(pid);
}

async function identifyOnLinux(pid: number): Promise<string | null> {
  const fields = await statOf(pid);
  if (fields === null || fields[0] === 'Z' || fields[0] === 'X') return null; // T2
  return `${await readBootId()}/${fields[19]}`;
}

/** proc(5), from the third field on: the state is the first of these, the start time the 20th. */
async function statOf(pid: number): Promise<string[] | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The command before stands in parentheses and may hold anything.
  return stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Whether a signal or a debugger suspended a process: it is there, and does nothing until it is continued. */
export async function isSuspended(pid: number): Promise<boolean> {
  const state = isLinux ? (await statOf(pid))?.[0] : await stateByPs(pid);
  return state === 'T' || state === 't';
}

async function stateByPs(pid: number): Promise<string | undefined> {
  const result = await run('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => null);
  return result?.stdout.trim()[0];
}

async function identifyByPs(pid: number): Promise<string | null> {
  const result = await run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]).catch(() => null);
  const text = result?.stdout.trim() ?? '';
  return text === '' || text.startsWith('Z') ? null : text.split(/\s+/).slice(1).join(' ');
}

/** A process that carries our marks in its environment. */
export interface MarkedProcess {
  readonly pid: number;
  readonly clusterId: ClusterId;
  /** `FCTL_PROCESS_DIR`: the folder of the cluster's process that it is, or descends from. */
  readonly processDir: string;
}

/** All processes of this user that fctl started, or that those started. */
export async function findMarkedProcesses(): Promise<MarkedProcess[]> {
  const environments = isLinux ? await environmentsOnLinux() : await environmentsByPs();
  const found: MarkedProcess[] = [];
  for (const { pid, variables } of environments) {
    const processDir = variables.get(ProcessEnvironment.processDir);
    const clusterId = variables.get(ProcessEnvironment.clusterId);
    if (processDir && isClusterId(clusterId)) found.push({ pid, clusterId, processDir });
  }
  return found;
}

interface ProcessVariables {
  readonly pid: number;
  readonly variables: ReadonlyMap<string, string>;
}

function parseVariables(entries: readonly string[]): Map<string, string> {
  return new Map(
    entries.flatMap((entry) => {
      const at = entry.indexOf('=');
      return at > 0 ? [[entry.slice(0, at), entry.slice(at + 1)] as const] : [];
    }),
  );
}

async function environmentsOnLinux(): Promise<ProcessVariables[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(
    pids.map(async (name) => {
      // Empty for zombies and kernel threads, refused for other users' processes.
      const text = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
      if (!text.includes(ProcessEnvironment.processDir)) return null;
      return { pid: Number(name), variables: parseVariables(text.split('\0')) };
    }),
  );
  return all.filter((entry) => entry !== null);
}

async function environmentsByPs(): Promise<ProcessVariables[]> {
  const { stdout } = await run('ps', ['-Eww', '-axo', 'pid=,command='], { maxBuffer: 64 << 20 });
  return stdout.split('\n').flatMap((line) => {
    if (!line.includes(ProcessEnvironment.processDir)) return [];
    const [pid, ...words] = line.trim().split(/\s+/);
    return [{ pid: Number(pid), variables: parseVariables(words) }];
  });
}

/** Sends a signal; a process that is gone is none of our business. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
