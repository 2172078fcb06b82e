/** Values of options that are more than text. */
import { secretArguments } from '../../config/secret-names.ts';
import { UsageError, problem } from '../../contract/errors.ts';
import { parseExactJson } from '../../contract/exact-json.ts';
import type { JsonObject } from '../../contract/json.ts';
import { Role } from '../../contract/process-spec.ts';
import { type Redactor, splitSecrets, textsOf } from '../../contract/secrets.ts';
import { parseDurationMs } from '../../contract/units.ts';

/**
 * `--slots 4`
 * @returns `null` when the option was not given.
 * @throws UsageError when it is not a whole number from 1 to 99999.
 */
export function parseCount(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new UsageError(
    problem({
      code: 'not-a-number',
      message: `${option} ${text} is not a number of at least 1`,
      hint: `for example ${option} 2`,
    }),
  );
}

/**
 * `--lock-wait 30s`
 * @returns milliseconds; `null` when the option was not given.
 * @throws UsageError when it is not a duration.
 */
export function parseDuration(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const ms = parseDurationMs(text);
  if (ms !== null) return ms;
  throw new UsageError(
    problem({
      code: 'not-a-duration',
      message: `${option} ${text} is not a duration`,
      hint: `for example ${option} 30s`,
    }),
  );
}

/**
 * `--role taskmanager`
 * @returns `null` when the option was not given.
 * @throws UsageError when there is no such role.
 */
export function parseRole(text: string | undefined): Role | null {
  if (text === undefined) return null;
  const roles: readonly Role[] = Object.values(Role);
  const role = roles.find((known) => known === text);
  if (role !== undefined) return role;
  throw new UsageError(
    problem({
      code: 'unknown-role',
      message: `'${text}' is not a role`,
      hint: `one of ${roles.join(', ')}`,
    }),
  );
}

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
