/** The logs of the processes of a cluster, line by line. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { Call } from '../../contract/call.ts';
import { ClusterError } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { Role } from '../../contract/process-spec.ts';
import { type ObservedProcess, type Provider, isAlive } from '../../providers/provider.ts';
import { type Filter, type TimedLine, isWanted, leavesOut, parseEntry, timeOf } from './line.ts';

/** What to read. */
export interface Request extends Call {
  readonly provider: Provider;
  readonly clusterId: ClusterId;
  /** `null`: all. */
  readonly process: string | null;
  /** Of all, only those. `null`: any. */
  readonly role: Role | null;
  readonly host: string | null;
  readonly stream: 'log' | 'out';
  readonly filter: Filter;
  /** Only the last so many wanted lines of each process; `null`: all. */
  readonly tail: number | null;
  /** Only what was written before the latest start of each process. */
  readonly isPrevious: boolean;
  /** Told where what a process printed is shown in place of a log. */
  readonly onNoLog: (process: string) => void;
}

export interface Sources {
  /** Of all processes that are wanted, sorted by name. */
  readonly processes: readonly Pick<ObservedProcess, 'name' | 'startedAt'>[];
  /** Whether one of them may still write. */
  readonly anyAlive: boolean;
}

export async function findSources(request: Request): Promise<Sources> {
  const { clusterId, host, process, provider, role } = request;
  const { processes } = (await provider.observe(clusterId, request)) ?? { processes: [] };
  const wanted = processes.filter(
    (p) =>
      (process === null || p.name === process) &&
      (role === null || p.role === role) &&
      (host === null || p.host === host),
  );
  const all = wanted.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  // One that is gone may have left its log.
  const named = process === null || all.length > 0 ? all : [{ name: process, startedAt: null }];
  return { processes: named, anyAlive: wanted.some(isAlive) };
}

/**
 * What a process wrote, as far as it is wanted. One that died before it could write a log has printed why.
 * @returns `null` where there is nothing; one that was asked for by its name has to be there.
 */
export async function openLog(
  request: Request,
  { name, startedAt }: Sources['processes'][number],
  options: { readonly follows: boolean; readonly signal: AbortSignal },
): Promise<AsyncIterable<TimedLine> | null> {
  const { filter, isPrevious, onNoLog, process, stream, tail } = request;
  const before = isPrevious ? (startedAt ?? 0) - 1 : null;
  const until = before === null ? filter.until : Math.min(before, filter.until ?? before);
  const wanted = { ...filter, until };
  // The lines that count are only known here, once some are left out. Who follows gets what is there.
  const atSource = options.follows || !leavesOut(wanted) ? tail : null;
  const open = (of: 'log' | 'out') => openStream(request, name, { ...options, of, tail: atSource });
  let read = await open(stream);
  if (read instanceof ClusterError && stream === 'log' && !options.follows) {
    const printed = await open('out');
    if (!(printed instanceof ClusterError)) onNoLog(name);
    if (process !== null && printed instanceof ClusterError) throw read;
    read = printed;
  }
  if (read instanceof ClusterError) {
    if (process === null) return null;
    throw read;
  }
  const lines = filtered(linesOf(read.log, { process: name, isLog: read.of === 'log' }), wanted);
  return tail === null || options.follows ? lines : lastOf(lines, tail);
}

interface StreamOptions {
  readonly of: 'log' | 'out';
  readonly follows: boolean;
  readonly tail: number | null;
  readonly signal: AbortSignal;
}

/** @returns the error that says so where there is none. */
async function openStream(
  { clusterId, provider }: Request,
  name: string,
  { follows, of, signal, tail }: StreamOptions,
) {
  try {
    const log = await provider.logs(clusterId, name, { stream: of, follow: follows, tail, signal });
    return { log, of };
  } catch (error) {
    if (error instanceof ClusterError && error.exitCode === ExitCode.notFound) return error;
    throw error;
  }
}

async function* linesOf(
  chunks: AsyncIterable<unknown>,
  { isLog, process }: { readonly isLog: boolean; readonly process: string },
): AsyncGenerator<TimedLine> {
  let at = 0;
  const lineOf = (text: string): TimedLine => {
    const entry = isLog ? parseEntry(text) : text;
    at = timeOf(entry) ?? at;
    return { process, entry, at };
  };
  let rest = '';
  for await (const chunk of chunks) {
    const texts = (rest + String(chunk)).split('\n');
    rest = texts.pop()!;
    for (const text of texts) yield lineOf(text);
  }
  if (rest !== '') yield lineOf(rest);
}

async function* filtered(
  lines: AsyncIterable<TimedLine>,
  filter: Filter,
): AsyncGenerator<TimedLine> {
  for await (const line of lines) if (isWanted(filter, line)) yield line;
}

async function* lastOf(lines: AsyncIterable<TimedLine>, count: number): AsyncGenerator<TimedLine> {
  const last: TimedLine[] = [];
  for await (const line of lines) {
    last.push(line);
    if (last.length > count) last.shift();
  }
  yield* last;
}
