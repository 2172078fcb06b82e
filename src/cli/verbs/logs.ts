/** `fctl logs`: logs of all processes of a cluster, or of one. */
import { setTimeout as delay } from 'node:timers/promises';
import { ClusterError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { noSuchCluster } from '../../deployment/cancel.ts';
import type { logs as declaration } from '../commands/logs.ts';
import type { Context } from '../context.ts';
import { type Line, type TimedLine, describeLine } from '../logs/line.ts';
import { Reorder, merge } from '../logs/merge.ts';
import { type Request, findSources, openLog } from '../logs/source.ts';
import { refuseBeside } from '../options.ts';
import { findTarget } from '../target.ts';
import type { Given } from '../verb.ts';

type LogFlags = Given<typeof declaration>;

/** How often a follower looks for processes that came later, and whether any is left. */
const lookMs = 500;

export async function run(context: Context, given: LogFlags): Promise<void> {
  const { report, signal } = context;
  const { grep, host, level, role, since, tail, until } = given;
  refuseIgnored(given);
  const { clusterId, process } = await findTarget(context, given);
  if (process !== null) {
    const said = { '--role': role !== null, '--host': host !== null };
    refuseBeside('beside the name of a process', said);
  }
  const provider = await context.provider();
  if ((await provider.observe(clusterId, context)) === null) throw noSuchCluster(clusterId);
  const request: Request = {
    provider,
    clusterId,
    process,
    role,
    host,
    stream: given.out ? 'out' : 'log',
    filter: { grep, level, since, until },
    tail,
    isPrevious: given.previous,
    onNoLog: (name) => report.message(`${name} has written no log: this is what it printed`),
    signal,
  };
  await refuseNobody(request);
  const describe = (line: Line) => describeLine(line, given.timestamps);
  const show = ({ at: _at, ...line }: TimedLine) => report.line(line, () => describe(line));
  if (given.follow) return follow(request, signal, show);
  if (report.options.json) return report.spooled({ clusterId }, 'lines', withoutTimes(request));
  for await (const line of readAll(request)) show(line);
}

/** @throws UsageError with every flag that does nothing here. */
function refuseIgnored(given: LogFlags): void {
  if (given.follow) {
    refuseBeside('beside --follow', {
      '--until': given.until !== null,
      '--previous': given.previous,
    });
  }
  if (!given.out) return;
  refuseBeside('beside --out: what processes print has neither levels nor times', {
    '--level': given.level !== null,
    '--since': given.since !== null,
    '--until': given.until !== null,
    '--previous': given.previous,
    '--timestamps': given.timestamps,
  });
}

/** @throws ClusterError (exit 7) when role and host leave no process. */
async function refuseNobody(request: Request): Promise<void> {
  const { clusterId, host, provider, role } = request;
  if (role === null && host === null) return;
  if ((await findSources(request)).processes.length > 0) return;
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

/** What is there now, in the order of time. */
async function* readAll(request: Request): AsyncGenerator<TimedLine> {
  const { processes } = await findSources(request);
  const { signal } = request;
  const logs = await Promise.all(
    processes.map((process) => openLog(request, process, { follows: false, signal })),
  );
  yield* merge(logs.filter((log) => log !== null));
}

async function* withoutTimes(request: Request): AsyncGenerator<Line> {
  for await (const { at: _at, ...line } of readAll(request)) yield line;
}

/**
 * Prints what is added until none of the processes is left that could write.
 * @throws the reason of the signal.
 */
async function follow(
  request: Request,
  signal: AbortSignal,
  show: (line: TimedLine) => void,
): Promise<void> {
  const end = new AbortController();
  const ended = AbortSignal.any([signal, end.signal]);
  const readers = new Map<string, Promise<void>>();
  const ordered = new Reorder(show);
  const read = async (log: AsyncIterable<TimedLine>) => {
    for await (const line of log) ordered.take(line);
  };
  try {
    for (;;) {
      const { anyAlive, processes } = await findSources(request);
      for (const process of processes.filter(({ name }) => !readers.has(name))) {
        const log = await openLog(request, process, { follows: true, signal: ended });
        if (log === null) continue; // It has written nothing yet.
        const reader = read(log);
        reader.catch(() => end.abort());
        readers.set(process.name, reader);
      }
      if (!anyAlive) return;
      await delay(lookMs, undefined, { signal: ended });
    }
  } finally {
    end.abort();
    await Promise.all(readers.values()).finally(() => ordered.flush());
  }
}
