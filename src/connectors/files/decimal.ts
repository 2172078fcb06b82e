/** Exact decimal numbers: an integer of any length, and how many of its digits are behind the point. Pure. */

/** `-0.29`; all digits of the scale are there. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return String(unscaled * 10n ** BigInt(-scale));
  const isNegative = unscaled < 0n;
  const digits = String(isNegative ? -unscaled : unscaled).padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${isNegative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** The double that is written with the same digits; `undefined`: there is none, it would be rounded. */
export function decimalDouble(unscaled: bigint, scale: number): number | undefined {
  const value = Number(decimalText(unscaled, scale));
  // A double keeps any 15 digits.
  if (unscaled < 1_000_000_000_000_000n && unscaled > -1_000_000_000_000_000n) return value;
  return isWrittenAs(value, unscaled, scale) ? value : undefined;
}

function isWrittenAs(value: number, unscaled: bigint, scale: number): boolean {
  const parts = /^(-?\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (parts === null) return false;
  const [, whole, fraction = '', exponent = '0'] = parts;
  // whole.fraction × 10^exponent = digits × 10^-places
  const digits = BigInt(whole! + fraction);
  const places = fraction.length - Number(exponent);
  const most = Math.max(places, scale, 0);
  return digits * 10n ** BigInt(most - places) === unscaled * 10n ** BigInt(most - scale);
}

/** Two's complement, the highest byte first. */
export function bigEndian(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
}
