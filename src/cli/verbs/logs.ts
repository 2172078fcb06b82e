/** `fctl logs`: logs of all processes of a cluster, or of one. */
import { UsageError, problem } from '../../contract/errors.ts';
import { noSuchCluster } from '../../deployment/cancel.ts';
import type { Provider } from '../../providers/provider.ts';
import type { CommonOptions, Context } from '../context.ts';
import { out } from '../output/style.ts';

interface LogFlags extends CommonOptions {
  readonly follow?: boolean;
  readonly tail?: string;
  readonly out?: boolean;
  readonly level?: string;
}

const levels = ['debug', 'info', 'warn', 'error'];

interface Line {
  readonly process: string;
  readonly text: string;
}

export async function run(
  context: Context<LogFlags>,
  named: string | undefined,
  processName: string | undefined,
): Promise<void> {
  const clusterId = await context.clusterId(named);
  const provider = await context.provider();
  const observed = await provider.inspect(clusterId);
  if (observed === null) throw noSuchCluster(clusterId);
  const names = processName === undefined ? await logNames(provider, clusterId) : [processName];
  const minimum = minimumLevel(context.options.level);
  const show = (line: Line) => print(context, line, minimum);
  if (context.options.follow) {
    await Promise.all(names.map((name) => read(context, provider, clusterId, name, show)));
    return;
  }
  for (const name of names) await read(context, provider, clusterId, name, show);
}

async function logNames(provider: Provider, clusterId: string): Promise<string[]> {
  const observed = await provider.inspect(clusterId);
  return (observed?.processes ?? []).map((p) => p.name).sort();
}

function minimumLevel(level: string | undefined): number {
  if (level === undefined) return 0;
  const at = levels.indexOf(level);
  if (at >= 0) return at;
  throw new UsageError(
    problem({
      code: 'unknown-level',
      message: `'${level}' is not a level`,
      hint: `one of ${levels.join(', ')}`,
    }),
  );
}

async function read(
  context: Context<LogFlags>,
  provider: Provider,
  clusterId: string,
  name: string,
  show: (line: Line) => void,
): Promise<void> {
  const { options, signal } = context;
  const tail = options.tail === undefined ? null : Number(options.tail);
  if (tail !== null && !(Number.isInteger(tail) && tail >= 0)) {
    throw new UsageError(
      problem({ code: 'not-a-number', message: `--tail ${options.tail} is not a number` }),
    );
  }
  const stream = await provider.logs(clusterId, name, {
    stream: options.out ? 'out' : 'log',
    follow: options.follow ?? false,
    tail,
    signal,
  });
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop()!;
    for (const text of lines) show({ process: name, text });
  }
  if (rest !== '') show({ process: name, text: rest });
}

interface Entry {
  readonly time?: unknown;
  readonly level?: string;
  readonly message?: unknown;
}

function parse(text: string): Entry | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Entry) : null;
  } catch {
    return null;
  }
}

function print({ options, report }: Context<LogFlags>, line: Line, minimum: number): void {
  const entry = options.out ? null : parse(line.text);
  if (entry?.level !== undefined && levels.indexOf(entry.level) < minimum) return;
  report.result({ process: line.process, entry: entry ?? line.text }, () => {
    const process = out.dim(line.process);
    if (entry === null) return `${process} ${line.text}`;
    const { time, level, message, ...rest } = entry;
    const more = Object.keys(rest).length === 0 ? '' : ` ${out.dim(JSON.stringify(rest))}`;
    const at = typeof time === 'number' ? new Date(time).toISOString() : String(time);
    return `${process} ${at} ${(level ?? '').toUpperCase()} ${String(message)}${more}`;
  });
}
