/** What a task threw, as a user wants to read it. */
import { createFailure } from '../contract/failure.ts';
import type { FailureInfo } from '../contract/outcome.ts';

export interface FailureOrigin {
  /** `Source: files -> Map (1/2)`; `null`: no task. */
  readonly task: string | null;
  /** The operator of the task's chain; `null`: unknown. */
  readonly operator: string | null;
  /** `taskmanager-0` */
  readonly location: string;
  /** Folder of the application's bundle: source maps name the user's files relative to it. */
  readonly bundleFolder: string | null;
}

/**
 * Describes what was thrown. Positions in the user's files are relative to the project, and the runtime's
 * own frames below the user's last one are left out.
 */
export function describeFailure(thrown: unknown, origin: FailureOrigin): FailureInfo {
  const { task, operator, location, bundleFolder } = origin;
  const text = thrown instanceof Error ? thrown.message || thrown.name : `threw ${inspect(thrown)}`;
  const kind = thrown instanceof Error && thrown.name !== 'Error' ? `${thrown.name}: ` : '';
  const where =
    operator === null || task === null || task.startsWith(`${operator} (`)
      ? ''
      : ` (in '${operator}')`;
  const stack =
    thrown instanceof Error && thrown.stack !== undefined ? userStack(thrown, bundleFolder) : null;
  return createFailure(`${kind}${text}${where}`, { stack, task, location });
}

function inspect(value: unknown): string {
  try {
    return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  } catch {
    return String(value);
  }
}

function userStack(error: Error, bundleFolder: string | null): string {
  const own = shortenStack(error.stack ?? '', bundleFolder);
  const { cause } = error;
  return cause instanceof Error ? `${own}\nCaused by: ${userStack(cause, bundleFolder)}` : own;
}

/** The stack of an error of a bundle in `bundleFolder`, as `describeFailure` tells it. */
export function shortenStack(stack: string, bundleFolder: string | null): string {
  if (bundleFolder === null) return stack;
  const prefix = bundleFolder.endsWith('/') ? bundleFolder : `${bundleFolder}/`;
  const lines = stack.split('\n');
  const isUsers = (line: string) => isFrame(line) && line.includes(prefix);
  const last = lines.findLastIndex(isUsers);
  const kept = last < 0 ? lines : lines.filter((line, index) => index <= last || !isFrame(line));
  return kept.map((line) => (isUsers(line) ? usersFrame(line, prefix) : line)).join('\n');
}

/** V8 names a user's function after the operator that called it. */
function usersFrame(line: string, prefix: string): string {
  return line
    .replace(`file://${prefix}`, '')
    .replace(prefix, '')
    .replace(/at \w+Operator\.fn \((.*)\)$/, 'at $1')
    .replace(/at \w+Operator\./, 'at ');
}

const isFrame = (line: string) => /^\s+at /.test(line);
