/** Values that must be shown nowhere: what stands in their place, and who puts it there. */
import type { JsonObject, JsonValue } from './json.ts';

/** What stands in the place of a secret. */
export const MASK = '******';

/** A shorter value is masked where it is expected only: in other text it would hit half of all words. */
const minLength = 4;

/** Masks secrets in text. More may become known while it is in use. */
export class Redactor {
  readonly #values = new Set<string>();
  /** As they stand in plain text and in JSON, longest first. */
  #forms: readonly string[] = [];

  constructor(values: readonly string[] = []) {
    this.add(values);
  }

  get values(): readonly string[] {
    return [...this.#values];
  }

  add(values: readonly string[]): void {
    for (const value of values) if (value.length >= minLength) this.#values.add(value);
    const forms = new Set(this.values.flatMap((v) => [v, JSON.stringify(v).slice(1, -1)]));
    this.#forms = [...forms].sort((a, b) => b.length - a.length);
  }

  /** The text without any secret. */
  mask(text: string): string {
    return this.#forms.reduce((masked, form) => masked.replaceAll(form, MASK), text);
  }

  /** The same for bytes, which are returned as they are where there is nothing to mask. */
  maskBytes(bytes: Uint8Array): string | Uint8Array {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.#forms.some((form) => buffer.includes(form)) ? this.mask(buffer.toString()) : bytes;
  }

  /** The same for a JSON value, its keys included. */
  maskJson<T>(value: T): T {
    if (this.#forms.length === 0) return value;
    return JSON.parse(this.mask(JSON.stringify(value))) as T;
  }
}

/** Secret arguments by their JSON pointer: what an application's secret file holds. */
export type SecretArguments = Readonly<Record<string, string>>;

/** Splits arguments into what may be seen and what may not. */
export function splitSecrets(
  args: JsonObject,
  pointers: readonly string[],
): { masked: JsonObject; secrets: SecretArguments } {
  const secrets: Record<string, string> = {};
  const isSecret = new Set(pointers);
  const masked = mapStrings(args, '', (text, pointer) => {
    if (!isSecret.has(pointer)) return text;
    secrets[pointer] = text;
    return MASK;
  });
  return { masked: masked as JsonObject, secrets };
}

/** The arguments as they were before `splitSecrets`. */
export function joinSecrets(masked: JsonObject, secrets: SecretArguments): JsonObject {
  return mapStrings(masked, '', (text, pointer) => secrets[pointer] ?? text) as JsonObject;
}

function mapStrings(
  value: JsonValue,
  pointer: string,
  change: (text: string, pointer: string) => string,
): JsonValue {
  if (typeof value === 'string') return change(value, pointer);
  if (value === null || typeof value !== 'object') return value;
  const below = (inner: JsonValue, key: string | number) =>
    mapStrings(inner, `${pointer}/${escapePointer(String(key))}`, change);
  if (Array.isArray(value)) return value.map((item: JsonValue, index) => below(item, index));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, below(inner, key)]));
}

/** RFC 6901 */
const escapePointer = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1');
