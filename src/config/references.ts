/**
 * `${env:NAME}`, `${file:path}` and `${exec:command}` in strings. Resolved last; what they become is a
 * secret: masked wherever the configuration is shown, never written to disk.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { JsonValue } from '../contract/json.ts';
import { type Path, type Tree, pointer } from './layer.ts';

export interface ResolvedReferences {
  readonly values: Tree;
  /** JSON pointers of values that came out of references. */
  readonly secrets: ReadonlySet<string>;
  readonly failures: readonly { readonly path: Path; readonly message: string }[];
}

const reference = /\$\{(env|file|exec):([^}]*)\}/g;
const execTimeoutMs = 30_000;

export function resolveReferences(
  values: Tree,
  context: { folder: string; env: Readonly<Record<string, string | undefined>> },
): ResolvedReferences {
  const secrets = new Set<string>();
  const failures: { path: Path; message: string }[] = [];
  const visit = (value: JsonValue, path: Path): JsonValue => {
    if (typeof value === 'string') {
      return value.replaceAll(reference, (_match, kind: string, what: string) => {
        secrets.add(pointer(path));
        try {
          return read(kind, what, context);
        } catch (error) {
          failures.push({
            path,
            message: `\${${kind}:${what}}: ${(error as Error).message.split('\n')[0]}`,
          });
          return '';
        }
      });
    }
    if (Array.isArray(value))
      return value.map((item, index) => visit(item as JsonValue, [...path, index]));
    if (value !== null && typeof value === 'object') {
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [key, visit(inner, [...path, key])]),
      );
    }
    return value;
  };
  return { values: visit(values, []) as Tree, secrets, failures };
}

function read(
  kind: string,
  what: string,
  { folder, env }: { folder: string; env: Readonly<Record<string, string | undefined>> },
): string {
  if (kind === 'file') return readFileSync(resolve(folder, what), 'utf8').trimEnd();
  if (kind === 'exec') {
    const options = { cwd: folder, encoding: 'utf8', timeout: execTimeoutMs } as const;
    return execFileSync('/bin/sh', ['-c', what], {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trimEnd();
  }
  const value = env[what];
  if (value === undefined) throw new Error('the environment variable is not set');
  return value;
}
