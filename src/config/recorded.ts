/**
 * The configuration of an earlier release, out of a cluster's record: with today's secrets.
 *
 * Another version of fctl may have recorded it. Keys that this one added get their defaults; keys that
 * it does not have are left out, and named; a value that it does not understand is an error.
 */
import { ClusterError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import { MASK } from '../contract/secrets.ts';
import { explainIssue } from './explain.ts';
import { type Path, type Tree, isTree, pointer } from './layer.ts';
import { resolveConfig } from './resolve.ts';
import type { ResolvedConfig } from './resolved.ts';
import { type ParsedConfig, configSchema } from './schema.ts';
import { isSecretName } from './secret-names.ts';

export interface RestoredConfig {
  readonly config: ResolvedConfig;
  /** JSON pointers of secrets that today's configuration does not have: they are still masked. */
  readonly missing: readonly string[];
  /** JSON pointers of keys that this version of fctl does not have: they are left out. */
  readonly unknown: readonly string[];
}

/**
 * @param recorded with secrets masked.
 * @param today the configuration of now, with its secrets; `null`: there is none.
 * @param folder that relative paths are relative to.
 * @throws ClusterError (exit 8) when this version of fctl does not understand a value of it.
 */
export function restoreConfig(
  recorded: JsonObject,
  today: JsonObject | null,
  folder: string,
): RestoredConfig {
  const secrets = new Set<string>();
  const missing: string[] = [];
  const fill = (value: JsonValue, now: JsonValue | undefined, path: Path): JsonValue => {
    if (value === MASK) {
      secrets.add(pointer(path));
      if (now !== undefined) return now;
      missing.push(pointer(path));
      return value;
    }
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) {
      const list: readonly JsonValue[] = Array.isArray(now) ? now : [];
      return value.map((item: JsonValue, index) => fill(item, list[index], [...path, index]));
    }
    const tree: Tree = isTree(now) ? now : {};
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        fill(item, Object.hasOwn(tree, key) ? tree[key] : undefined, [...path, key]),
      ]),
    );
  };
  const { parsed, unknown } = parse(fill(recorded, today ?? undefined, []));
  return { config: resolveConfig(parsed, folder, secrets), missing, unknown };
}

function parse(values: JsonValue): { parsed: ParsedConfig; unknown: readonly string[] } {
  const { data, error } = configSchema.safeParse(values, { reportInput: true });
  if (data !== undefined) return { parsed: data, unknown: [] };
  const extra = error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => [...(issue.path as Path), key] as Path)
      : [],
  );
  if (extra.length === 0) throw notUnderstood(error.issues.flatMap(explain));
  const left = parse(without(values, extra));
  return { parsed: left.parsed, unknown: [...extra.map(pointer), ...left.unknown] };
}

const explain = (issue: Parameters<typeof explainIssue>[0]) => explainIssue(issue, isSecretName);

/** The same without what is at those paths. */
function without(values: JsonValue, paths: readonly Path[]): JsonValue {
  const gone = new Set(paths.map(pointer));
  const visit = (value: JsonValue, path: Path): JsonValue => {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) {
      return value.map((item: JsonValue, index) => visit(item, [...path, index]));
    }
    const kept = Object.entries(value).filter(([key]) => !gone.has(pointer([...path, key])));
    return Object.fromEntries(kept.map(([key, item]) => [key, visit(item, [...path, key])]));
  };
  return visit(values, []);
}

const notUnderstood = (findings: readonly { message: string; path: Path }[]) =>
  new ClusterError(
    ExitCode.conflict,
    findings.map(({ message, path }) =>
      problem({
        code: 'recorded-by-another-version',
        message: `the configuration that another version of fctl recorded has a value which this one does not understand: ${message}`,
        path: pointer(path),
        hint: "use the version of fctl that deployed it ('fctl releases' shows it), or 'fctl deploy'",
      }),
    ),
  );
