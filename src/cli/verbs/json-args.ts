/** `--args`: the arguments of a job or application as JSON. */
import { UsageError, problem } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';

/** @throws UsageError when it is not a JSON object. */
export function parseJsonArgs(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      return value as JsonObject;
  } catch {
    // told below
  }
  throw new UsageError(
    problem({
      code: 'args-not-json',
      message: `--args is not a JSON object: ${text}`,
      hint: `for example --args '{"input":"a.csv"}'`,
    }),
  );
}
