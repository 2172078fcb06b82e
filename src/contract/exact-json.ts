/**
 * Values that people write, read without losing a digit: a number that would be written otherwise than it was
 * (`01234`, `1.10`, `1234567890123456789`, `1e3`) stays the text that it is. Whoever declares a number for it gets
 * the number; see graph/arguments.ts.
 */
import type { JsonValue } from './json.ts';

/**
 * Whether nothing of a number's text is lost. Above 2⁵³ a double is printed with digits that it does not have
 * (1234567890123456800 is …768), so that whole numbers there are never exact.
 */
export const isExactNumber = (value: number, source: string): boolean =>
  String(value) === source && !isUnsafeWhole(value);

/** A whole number beyond ±(2⁵³−1), where doubles have gaps: whoever wrote it may have meant another. */
export const isUnsafeWhole = (value: unknown): boolean =>
  Number.isInteger(value) && !Number.isSafeInteger(value);

/** JSON. @throws SyntaxError. */
export function parseExactJson(text: string): JsonValue {
  return JSON.parse(text, (_key, value: JsonValue, context?: { source?: string }) =>
    typeof value === 'number' && !isExactNumber(value, context!.source!) ? context!.source! : value,
  ) as JsonValue;
}
