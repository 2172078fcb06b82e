/**
 * `${env:NAME}`, `${file:path}` and `${exec:command}` in strings. Resolved last; what they become is a
 * secret: masked wherever the configuration is shown. `$${env:NAME}` stands for the text itself.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { JsonValue } from '../contract/json.ts';
import type { Finding } from './finding.ts';
import { type Path, type Tree, pointer } from './layer.ts';
import { resolvePath } from './paths.ts';

export interface ReferenceContext {
  /** Relative paths are relative to it, and commands run in it. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether `${exec:…}` may be run; else it is a finding. */
  readonly runsCommands: boolean;
  /** What references became, so that none is read or run twice. */
  readonly known: Map<string, ReferenceResult>;
}

type ReferenceResult = { readonly value: string } | { readonly reason: string };

export interface ResolvedReferences {
  readonly values: Tree;
  /** JSON pointers of values that came out of references. */
  readonly secrets: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

/** Braces within are taken along in pairs, as `awk` has them. */
const reference = /(\$?)\$\{(env|file|exec):((?:[^{}]|\{[^{}]*\})*)\}/g;
const execTimeoutMs = 30_000;

export const hasReference = (value: unknown): boolean =>
  typeof value === 'string' && value.match(reference) !== null;

/**
 * Where one fails, the text stays as it was.
 * @param isWanted others stay as they are. Default: all are.
 */
export function resolveReferences(
  values: Tree,
  context: ReferenceContext,
  isWanted: (path: Path) => boolean = () => true,
): ResolvedReferences {
  const secrets = new Set<string>();
  const findings: Finding[] = [];
  const replace = (text: string, path: Path): string =>
    text.replaceAll(reference, (whole, escape: string, kind: string, what: string) => {
      if (escape !== '') return whole.slice(1);
      secrets.add(pointer(path));
      if (kind === 'exec' && !context.runsCommands) {
        findings.push(commandNotRun(whole, path));
        return whole;
      }
      const result = readOnce(kind, what, context);
      if ('value' in result) return result.value;
      const message = `${whole}: ${result.reason}`;
      findings.push({ code: 'reference-failed', message, path, part: 'value', hint: null });
      return whole;
    });
  const visit = (value: JsonValue, path: Path): JsonValue => {
    if (typeof value === 'string') return isWanted(path) ? replace(value, path) : value;
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) {
      return value.map((item: JsonValue, index) => visit(item, [...path, index]));
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, visit(inner, [...path, key])]),
    );
  };
  return { values: visit(values, []) as Tree, secrets, findings };
}

function commandNotRun(whole: string, path: Path): Finding {
  return {
    code: 'command-not-run',
    message: `${whole} is not resolved: a command of fctl that only looks at clusters runs no command of a config`,
    path,
    part: 'value',
    hint: "use '${env:NAME}' or '${file:PATH}'; for hosts also an SSH agent or a key, which need no reference",
  };
}

function readOnce(kind: string, what: string, context: ReferenceContext): ReferenceResult {
  const name = `${kind}:${what}`;
  const before = context.known.get(name);
  if (before !== undefined) return before;
  let result: ReferenceResult;
  try {
    result = { value: read(kind, what, context) };
  } catch (error) {
    result = { reason: reasonOf(error) };
  }
  context.known.set(name, result);
  return result;
}

function read(kind: string, what: string, { folder, env }: ReferenceContext): string {
  if (kind === 'file') return readFileSync(resolvePath(folder, what), 'utf8').trimEnd();
  if (kind === 'exec') {
    return execFileSync('/bin/sh', ['-c', what], {
      cwd: folder,
      env: { ...env },
      encoding: 'utf8',
      timeout: execTimeoutMs,
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trimEnd();
  }
  const value = env[what];
  if (value === undefined) throw new Error('the environment variable is not set');
  return value;
}

/** The first line of what the system or the command says. */
function reasonOf(error: unknown): string {
  const { code, status, stderr, message } = error as NodeJS.ErrnoException & {
    status?: number | null;
    stderr?: string;
  };
  if (code === 'ENOENT') return 'the file does not exist';
  if (code === 'ETIMEDOUT') return `the command took longer than ${execTimeoutMs / 1000}s`;
  const said = stderr?.trim().split('\n')[0];
  if (said) return said;
  return typeof status === 'number' ? `the command exited with ${status}` : message.split('\n')[0]!;
}
