/**
 * The lines of a cluster's logs that explain a failure: of the run that failed, not of earlier ones, and from
 * where the error begins.
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { Readable } from 'node:stream';
import type { Call } from '../../contract/call.ts';
import { type Problem, problem } from '../../contract/errors.ts';
import type { ObservedProcess, Provider } from '../../providers/provider.ts';
import { jobManagersOf } from '../../providers/shared/job-managers.ts';

const tail = 200;
const shown = 10;
/** A line may hold the body of an answer, or a record. */
const longestLine = 2000;

/**
 * For each process its last errors since it was started last, and what it wrote to stderr, as problems; none
 * when it wrote none.
 */
export async function tailLogs(
  provider: Provider,
  clusterId: ClusterId,
  processes: readonly ObservedProcess[],
): Promise<Problem[]> {
  const found: Problem[] = [];
  for (const { name, startedAt } of processes) {
    const lines = [
      ...(await read(provider, clusterId, name, 'log')).flatMap(errorSince(startedAt ?? 0)),
      ...explanationIn(await read(provider, clusterId, name, 'out')),
    ].slice(-shown);
    if (lines.length === 0) continue;
    const text = lines.map(shortened).join('\n  ');
    found.push(problem({ code: 'log', message: `last lines of ${name}:\n  ${text}` }));
  }
  return found;
}

/** The same for all JobManagers of a cluster; none where the provider does not answer. */
export async function tailJobManagers(
  { provider, signal }: Call & { readonly provider: Provider },
  clusterId: ClusterId,
): Promise<Problem[]> {
  const observed = await provider.observe(clusterId, { signal }).catch(() => null);
  return tailLogs(provider, clusterId, jobManagersOf(observed));
}

async function read(
  provider: Provider,
  clusterId: ClusterId,
  name: string,
  stream: 'log' | 'out',
): Promise<string[]> {
  const signal = AbortSignal.timeout(2000);
  const options = { stream, follow: false, tail, sincePlaced: true, signal };
  const logs: Readable | null = await provider.logs(clusterId, name, options).catch(() => null);
  if (logs === null) return [];
  let text = '';
  for await (const chunk of logs) text += String(chunk);
  return text.split('\n').filter((line) => line !== '');
}

/** The message of a JSON line that tells of trouble; nothing for others, and for those written before. */
const errorSince =
  (startedAt: number) =>
  (line: string): string[] => {
    if (!/"level":"(error|fatal|warn)"/.test(line)) return [];
    const { message, time } = parseLine(line);
    if (typeof time === 'string' && Date.parse(time) < startedAt) return [];
    return [typeof message === 'string' ? message : line];
  };

function parseLine(line: string): { readonly message?: unknown; readonly time?: unknown } {
  try {
    return JSON.parse(line) as object;
  } catch {
    return {};
  }
}

/** The last error with the beginning of its stack, where there is one; else the last lines. */
function explanationIn(lines: readonly string[]): readonly string[] {
  const at = lines.findLastIndex((line) => /^(Uncaught )?\w*(Error|Exception)\b/.test(line));
  return at === -1 ? lines.slice(-shown) : lines.slice(at, at + shown);
}

const shortened = (line: string) =>
  line.length <= longestLine
    ? line
    : `${line.slice(0, longestLine)}… (${line.length - longestLine} characters more)`;
