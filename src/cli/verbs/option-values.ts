/** The arguments of a job or application, as the command line has them. */
import { secretArguments } from '../../config/secret-names.ts';
import { UsageError, problem } from '../../contract/errors.ts';
import { parseExactJson } from '../../contract/exact-json.ts';
import type { JsonObject } from '../../contract/json.ts';
import { type Redactor, splitSecrets, textsOf } from '../../contract/secrets.ts';

/**
 * `--args '{"input":"a.csv"}'`: the arguments of a job or application. What is called like a secret in
 * them is masked from now on.
 * @throws UsageError when it is not a JSON object.
 */
export function parseJsonArgs(text: string, redactor: Redactor): JsonObject {
  try {
    const value: unknown = parseExactJson(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      const args = value as JsonObject;
      redactor.add(textsOf(splitSecrets(args, secretArguments(args, new Set())).secrets));
      return args;
    }
  } catch {
    // told below
  }
  throw new UsageError(
    problem({
      code: 'args-not-json',
      // What was given may hold secrets that nobody knows yet.
      message: '--args is not a JSON object',
      hint: `for example --args '{"input":"a.csv"}'`,
    }),
  );
}
