/** `fctl logs`: logs of all processes of a cluster, or of one. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Call } from '../../contract/call.ts';
import { ClusterError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { noSuchCluster } from '../../deployment/cancel.ts';
import type { Role } from '../../contract/process-spec.ts';
import { type Provider, isAlive } from '../../providers/provider.ts';
import { type logs as declaration, levels } from '../commands/logs.ts';
import type { Context } from '../context.ts';
import { out } from '../output/style.ts';
import { refuseBeside } from '../options.ts';
import { findTarget } from '../target.ts';
import type { Given } from '../verb.ts';

/** How often a follower looks for processes that came later, and whether any is left. */
const lookMs = 500;

/** What to read. */
interface Request extends Call {
  readonly provider: Provider;
  readonly clusterId: string;
  /** `null`: all. */
  readonly process: string | null;
  /** Of all, only those. `null`: any. */
  readonly role: Role | null;
  readonly host: string | null;
  readonly stream: 'log' | 'out';
  /** `null`: all. */
  readonly tail: number | null;
  /** Index into `levels`. */
  readonly level: number;
  /** Told where what a process printed is shown in place of a log. */
  readonly onNoLog: (process: string) => void;
}

interface Line {
  readonly process: string;
  /** A parsed line of a log, or text. */
  readonly entry: Entry | string;
}

interface Entry {
  readonly time?: unknown;
  readonly level?: string;
  readonly message?: unknown;
}

export async function run(context: Context, given: Given<typeof declaration>): Promise<void> {
  const { report, signal } = context;
  const { host, role, tail } = given;
  const level = given.level === null ? 0 : levels.indexOf(given.level);
  if (given.out) refuseBeside('beside --out', { '--level': given.level !== null });
  const { clusterId, process } = await findTarget(context, given);
  if (process !== null) {
    const said = { '--role': role !== null, '--host': host !== null };
    refuseBeside('beside the name of a process', said);
  }
  const provider = await context.provider();
  if ((await provider.observe(clusterId, context)) === null) throw noSuchCluster(clusterId);
  const stream = given.out ? ('out' as const) : ('log' as const);
  const chosen = { process, role, host };
  const onNoLog = (name: string) =>
    report.message(`${name} has written no log: this is what it printed`);
  const request = { provider, clusterId, ...chosen, stream, tail, level, onNoLog, signal };
  await refuseNobody(request);
  if (given.follow) {
    return follow(request, signal, (line) => report.line(line, () => describe(line)));
  }
  const lines: Line[] = [];
  await readAll(request, signal, (line) => {
    if (report.options.json) lines.push(line);
    else report.line(line, () => describe(line));
  });
  if (report.options.json) report.result({ clusterId, lines }, () => '');
}

/** @throws ClusterError (exit 7) when role and host leave no process. */
async function refuseNobody(request: Request): Promise<void> {
  const { clusterId, host, provider, role } = request;
  if (role === null && host === null) return;
  if ((await processesOf(request)).names.length > 0) return;
  const { processes } = (await provider.observe(clusterId, request)) ?? { processes: [] };
  const hosts = [...new Set(processes.map((p) => p.host).filter((known) => known !== null))];
  const wanted = [
    ...(role === null ? [] : [`of role ${role}`]),
    ...(host === null ? [] : [`on host ${host}`]),
  ];
  throw new ClusterError(
    ExitCode.notFound,
    problem({
      code: 'no-such-process',
      message: `cluster ${clusterId} has no process ${wanted.join(' ')}`,
      hint: hosts.length === 0 ? null : `its hosts are ${hosts.join(', ')}`,
    }),
  );
}

type Show = (line: Line) => void;

async function processesOf(request: Request) {
  const { clusterId, host, process, provider, role } = request;
  const { processes } = (await provider.observe(clusterId, request)) ?? { processes: [] };
  const wanted = processes.filter(
    (p) =>
      (process === null || p.name === process) &&
      (role === null || p.role === role) &&
      (host === null || p.host === host),
  );
  const names = process === null ? wanted.map((p) => p.name).sort() : [process];
  return { names, anyAlive: wanted.some(isAlive) };
}

async function readAll(request: Request, signal: AbortSignal, show: Show): Promise<void> {
  const { names } = await processesOf(request);
  for (const name of names) await (await openLog(request, name, false, signal))?.read(show);
}

/**
 * Prints what is added until none of the processes is left that could write.
 * @throws the reason of the signal.
 */
async function follow(request: Request, signal: AbortSignal, show: Show): Promise<void> {
  const end = new AbortController();
  const ended = AbortSignal.any([signal, end.signal]);
  const readers = new Map<string, Promise<void>>();
  try {
    for (;;) {
      const { names, anyAlive } = await processesOf(request);
      for (const name of names.filter((n) => !readers.has(n))) {
        const log = await openLog(request, name, true, ended);
        if (log === null) continue; // It has written nothing yet.
        const reader = log.read(show);
        reader.catch(() => end.abort());
        readers.set(name, reader);
      }
      if (!anyAlive) return;
      await delay(lookMs, undefined, { signal: ended });
    }
  } finally {
    end.abort();
    await Promise.all(readers.values());
  }
}

/**
 * What a process wrote. One that died before it could write a log has printed why.
 * @returns `null` where there is nothing; one that was asked for by its name has to be there.
 */
async function openLog(request: Request, name: string, follows: boolean, signal: AbortSignal) {
  const { onNoLog, process, stream } = request;
  const log = await openStream(request, { name, stream, follows, signal });
  if (!(log instanceof ClusterError)) return log;
  const printed =
    stream === 'out' || follows
      ? log
      : await openStream(request, { name, stream: 'out', follows, signal });
  if (!(printed instanceof ClusterError)) {
    onNoLog(name);
    return printed;
  }
  if (process === null) return null;
  throw log;
}

interface Wanted {
  readonly name: string;
  readonly stream: 'log' | 'out';
  readonly follows: boolean;
  readonly signal: AbortSignal;
}

/** @returns the error that says so where there is none. */
async function openStream(
  { clusterId, level, provider, tail }: Request,
  { follows, name, signal, stream }: Wanted,
) {
  const options = { stream, follow: follows, tail, signal };
  const log = await provider.logs(clusterId, name, options).catch((error: unknown) => {
    if (error instanceof ClusterError && error.exitCode === ExitCode.notFound) return error;
    throw error;
  });
  if (log instanceof ClusterError) return log;
  const read = async (show: Show): Promise<void> => {
    const tell = (text: string) => {
      const entry = stream === 'out' ? text : (parse(text) ?? text);
      if (!isBelow(level, entry)) show({ process: name, entry });
    };
    let rest = '';
    for await (const chunk of log) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop()!;
      for (const text of lines) tell(text);
    }
    if (rest !== '') tell(rest);
  };
  return { read };
}

function isBelow(level: number, entry: Entry | string): boolean {
  const own = typeof entry === 'string' ? -1 : levels.findIndex((known) => known === entry.level);
  return own >= 0 && own < level;
}

function parse(text: string): Entry | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Entry) : null;
  } catch {
    return null;
  }
}

function describe({ process, entry }: Line): string {
  const name = out.dim(process);
  if (typeof entry === 'string') return `${name} ${entry}`;
  const { time, level, message, ...rest } = entry;
  const more = Object.keys(rest).length === 0 ? '' : ` ${out.dim(JSON.stringify(rest))}`;
  const at = typeof time === 'number' ? new Date(time).toISOString() : String(time);
  return `${name} ${at} ${(level ?? '').toUpperCase()} ${String(message)}${more}`;
}
