/** Values as text: for `print` and for JSON Lines. */

/** Strings as they are, anything else as JSON. */
export function formatValue(value: unknown): string {
  return typeof value === 'string' ? value : toJson(value);
}

/**
 * JSON with what JSON has no form for: bigint as a number or, beyond 2⁵³, a string; Map as an object; bytes
 * as base64; numbers that are none (NaN, infinities) as text; undefined as null.
 */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value, replacer) as string | undefined;
  return text ?? 'null';
}

/** `this` has the value as it is: a Buffer has become something else before it gets here. */
function replacer(this: Record<string, unknown>, key: string, inner: unknown): unknown {
  if (typeof inner === 'bigint') {
    const number = Number(inner);
    return Number.isSafeInteger(number) ? number : inner.toString();
  }
  if (typeof inner === 'number' && !Number.isFinite(inner)) return String(inner);
  if (inner instanceof Map) return objectOf(inner as Map<string, unknown>);
  const value = this[key];
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : inner;
}

/** A key without a value stays a key. */
const objectOf = (map: ReadonlyMap<string, unknown>): object =>
  Object.fromEntries([...map].map(([key, value]) => [key, value === undefined ? null : value]));
