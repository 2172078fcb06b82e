/** The configuration for people and for the record: secrets masked, each value with its origin. */
import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { LoadedConfig } from './load.ts';
import { type Path, pointer } from './layer.ts';

export interface ConfigRow {
  /** `taskmanager.slots` */
  readonly path: string;
  readonly value: JsonValue;
  readonly origin: string;
}

const mask = '******';
const secretName = /password|secret|token|passphrase|credential/i;

function isSecret(path: Path, secrets: ReadonlySet<string>): boolean {
  // `security.auth: token` is no secret, `args.apiToken` may be one.
  return (
    secrets.has(pointer(path)) ||
    (path[0] === 'application' && secretName.test(String(path.at(-1))))
  );
}

/** Every value that is in force, in the order of the schema. */
export function showConfig({ parsed, originOf, secrets }: LoadedConfig): ConfigRow[] {
  const { environments: _overlays, ...shown } = parsed;
  const rows: ConfigRow[] = [];
  const visit = (value: JsonValue, path: Path): void => {
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      for (const [key, inner] of Object.entries(value)) visit(inner, [...path, key]);
      return;
    }
    const masked = isSecret(path, secrets) ? mask : value;
    rows.push({ path: path.join('.'), value: masked, origin: originOf(path).text });
  };
  visit(shown as JsonObject, []);
  return rows;
}

/** The same as one object, without origins. */
export function maskedConfig(loaded: LoadedConfig): JsonObject {
  const { environments: _overlays, ...shown } = loaded.parsed;
  const visit = (value: JsonValue, path: Path): JsonValue => {
    if (isSecret(path, loaded.secrets)) return mask;
    if (Array.isArray(value))
      return value.map((item, index) => visit(item as JsonValue, [...path, index]));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, visit(inner, [...path, key])]),
    );
  };
  return visit(shown as JsonObject, []) as JsonObject;
}
