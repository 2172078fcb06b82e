/** The configuration for people and for the record: secrets masked, each value with its origin. */
import type { JsonObject, JsonValue } from '../contract/json.ts';
import { MASK } from '../contract/secrets.ts';
import { nodeAt } from './json-schema.ts';
import { type Path, isTree } from './layer.ts';
import { isSecretValue } from './secret-names.ts';
import type { LoadedConfig } from './load.ts';

export interface ConfigRow {
  /** `taskmanager.slots` */
  readonly path: string;
  readonly value: JsonValue;
  readonly origin: string;
}

/** Every value that is in force, in the order of the schema. */
export function showConfig(loaded: LoadedConfig): ConfigRow[] {
  const rows: ConfigRow[] = [];
  const visit = (value: JsonValue, path: Path): void => {
    const inner = isTree(value) ? Object.entries(value) : [];
    for (const [key, item] of inner) visit(item, [...path, key]);
    const isSection = nodeAt(path).properties !== undefined;
    if (inner.length > 0 || isSection) return;
    rows.push({ path: path.join('.'), value, origin: loaded.originOf(path).text });
  };
  visit(maskedConfig(loaded), []);
  return rows;
}

/** The same as one object, without origins. */
export function maskedConfig({
  parsed,
  secrets,
}: Pick<LoadedConfig, 'parsed' | 'secrets'>): JsonObject {
  const visit = (value: JsonValue, path: Path): JsonValue => {
    if (isSecretValue(value, path, secrets)) return MASK;
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) {
      return value.map((item: JsonValue, index) => visit(item, [...path, index]));
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, visit(item, [...path, key])]),
    );
  };
  return visit(parsed as JsonObject, []) as JsonObject;
}
