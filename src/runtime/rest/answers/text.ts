/** How values are written. Pure. */
import type { JsonValue } from '../../../contract/json.ts';

/** A text as it is, anything else as JSON. */
export const textOf = (value: JsonValue): string =>
  typeof value === 'string' ? value : JSON.stringify(value);
