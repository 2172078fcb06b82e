/** Values as text: for `print` and for JSON Lines. */

/** Strings as they are, anything else as JSON. */
export function formatValue(value: unknown): string {
  return typeof value === 'string' ? value : toJson(value);
}

/** JSON with what JSON has no form for: bigint as a number or, beyond 2⁵³, a string; Map as an object. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'bigint') {
      const number = Number(inner);
      return Number.isSafeInteger(number) ? number : inner.toString();
    }
    if (inner instanceof Map) return Object.fromEntries(inner);
    return inner instanceof Uint8Array ? Buffer.from(inner).toString('base64') : inner;
  });
}
