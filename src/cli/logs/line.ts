/** Lines of logs: what they say, which of them are wanted, and how they look. */
import { levels } from '../commands/logs.ts';
import { out } from '../output/style.ts';
import { localTime } from '../output/times.ts';

export interface Line {
  readonly process: string;
  /** A parsed line of a log, or text. */
  readonly entry: Entry | string;
}

export interface Entry {
  readonly time?: unknown;
  readonly level?: string;
  readonly message?: unknown;
}

/** A line, and when it was written: that of the line before where it does not say so. */
export interface TimedLine extends Line {
  readonly at: number;
}

export function parseEntry(text: string): Entry | string {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Entry) : text;
  } catch {
    return text;
  }
}

/** Milliseconds since 1970; `null`: it does not say when it was written. */
export function timeOf(entry: Entry | string): number | null {
  if (typeof entry === 'string') return null;
  const { time } = entry;
  if (typeof time === 'number') return time;
  const parsed = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return Number.isNaN(parsed) ? null : parsed;
}

/** Which lines are wanted. `null`: any. */
export interface Filter {
  readonly level: (typeof levels)[number] | null;
  /** Milliseconds since 1970, both included. */
  readonly since: number | null;
  readonly until: number | null;
  readonly grep: RegExp | null;
}

/** Whether a filter leaves anything out. */
export const leavesOut = (filter: Filter): boolean =>
  Object.values(filter).some((wanted) => wanted !== null);

/** A line that does not say its level is wanted at every level: it belongs to one that does. */
export function isWanted({ grep, level, since, until }: Filter, { at, entry }: TimedLine): boolean {
  if (level !== null && typeof entry !== 'string') {
    const own = levels.findIndex((known) => known === entry.level);
    if (own >= 0 && own < levels.indexOf(level)) return false;
  }
  if (since !== null && at < since) return false;
  if (until !== null && at > until) return false;
  return grep === null || textsOf(entry).some((text) => grep.test(text));
}

/** What is searched: message and fields, without time and level. */
function textsOf(entry: Entry | string): string[] {
  if (typeof entry === 'string') return [entry];
  const { level: _level, message, time: _time, ...rest } = entry;
  return [String(message), JSON.stringify(rest)];
}

/** @param exact prints times in UTC, as they are in the log; otherwise those of here. */
export function describeLine({ process, entry }: Line, exact: boolean): string {
  const name = out.dim(process);
  if (typeof entry === 'string') return `${name} ${entry}`;
  const { time, level, message, ...rest } = entry;
  const more = Object.keys(rest).length === 0 ? '' : ` ${out.dim(JSON.stringify(rest))}`;
  const at = timeOf(entry);
  const milliseconds = at === null ? '' : `.${String(Math.floor(at) % 1000).padStart(3, '0')}`;
  const local = at === null ? String(time) : localTime(at) + milliseconds;
  const when = exact && at !== null ? new Date(at).toISOString() : local;
  return `${name} ${when} ${(level ?? '').toUpperCase()} ${String(message)}${more}`;
}
