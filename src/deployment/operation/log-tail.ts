/** The lines of a cluster's logs that explain a failure. */
import type { Readable } from 'node:stream';
import { type Problem, problem } from '../../contract/errors.ts';
import type { Provider } from '../../providers/provider.ts';

const tail = 200;
const shown = 10;

/** For each process its last errors and what it wrote to stderr, as problems; none when it wrote none. */
export async function tailLogs(
  provider: Provider,
  clusterId: string,
  processes: readonly string[],
): Promise<Problem[]> {
  const found: Problem[] = [];
  for (const name of processes) {
    const lines = [
      ...(await read(provider, clusterId, name, 'log')).filter(isError).map(message),
      ...(await read(provider, clusterId, name, 'out')),
    ].slice(-shown);
    if (lines.length === 0) continue;
    found.push(
      problem({ code: 'log', message: `last lines of ${name}:\n  ${lines.join('\n  ')}` }),
    );
  }
  return found;
}

async function read(
  provider: Provider,
  clusterId: string,
  name: string,
  stream: 'log' | 'out',
): Promise<string[]> {
  const signal = AbortSignal.timeout(2000);
  const options = { stream, follow: false, tail, signal };
  const logs: Readable | null = await provider.logs(clusterId, name, options).catch(() => null);
  if (logs === null) return [];
  let text = '';
  for await (const chunk of logs) text += String(chunk);
  return text.split('\n').filter((line) => line !== '');
}

const isError = (line: string) => /"level":"(error|fatal|warn)"/.test(line);

function message(line: string): string {
  try {
    const parsed = JSON.parse(line) as { message?: unknown };
    return typeof parsed.message === 'string' ? parsed.message : line;
  } catch {
    return line;
  }
}
