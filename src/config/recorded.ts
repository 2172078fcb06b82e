/** The configuration of an earlier release, out of a cluster's record: with today's secrets. */
import type { JsonObject, JsonValue } from '../contract/json.ts';
import { MASK } from '../contract/secrets.ts';
import { type Path, pointer } from './layer.ts';
import { resolveConfig } from './resolve.ts';
import type { ResolvedConfig } from './resolved.ts';
import { configSchema } from './schema.ts';

export interface RestoredConfig {
  readonly config: ResolvedConfig;
  /** JSON pointers of secrets that today's configuration does not have: they are still masked. */
  readonly missing: readonly string[];
}

/**
 * @param recorded with secrets masked; keys that this version of fctl added are not in it.
 * @param today the configuration of now, with its secrets; `null`: there is none.
 * @param folder that relative paths are relative to.
 * @throws Error when this version of fctl cannot read it.
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
      if (typeof now === 'string' && now !== MASK) return now;
      missing.push(pointer(path));
      return value;
    }
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) {
      const list: readonly JsonValue[] = Array.isArray(now) ? now : [];
      return value.map((item: JsonValue, index) => fill(item, list[index], [...path, index]));
    }
    const tree: JsonObject =
      now !== undefined && now !== null && typeof now === 'object' && !Array.isArray(now)
        ? (now as JsonObject)
        : {};
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        fill(item, Object.hasOwn(tree, key) ? tree[key] : undefined, [...path, key]),
      ]),
    );
  };
  const parsed = configSchema.parse(fill(recorded, today ?? undefined, []));
  return { config: resolveConfig(parsed, folder, secrets), missing };
}
