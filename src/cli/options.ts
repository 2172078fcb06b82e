/**
 * How a verb declares the words that it understands: options and arguments, each with the parser of its
 * value, so that a verb gets what it declared, typed. All verbs are read at each start: nothing heavy may
 * be imported here.
 */
import { type Problem, UsageError, problem } from '../contract/errors.ts';
import { Role } from '../contract/process-spec.ts';
import { parseDurationMs } from '../contract/units.ts';

/**
 * Reads the text of a value.
 * @param option as it was declared, without its short form: `--slots`.
 * @throws UsageError that says what was expected.
 */
export type Parse<T> = (text: string, option: string) => T;

/** What a shell may offer for a value. */
export type Completes =
  | 'cluster'
  | 'context'
  | 'environment'
  | 'file'
  | 'job'
  | 'process'
  | 'release'
  | 'template'
  | readonly string[];

export interface Option<T = unknown> {
  /** Commander's form: `-n, --tail <lines>`, `--detach`, `--no-hooks`. */
  readonly flags: string;
  readonly description: string;
  /** `null`: it takes no value. */
  readonly parse: Parse<unknown> | null;
  /** Whether it may be given several times, which makes a list. */
  readonly isList: boolean;
  /** Its value when it is not given. */
  readonly absent: T;
  readonly completes: Completes | null;
}

export interface Argument<T = unknown> {
  /** Commander's form: `<required>`, `[optional]`, `[several...]`. */
  readonly usage: string;
  readonly description: string;
  readonly completes: Completes | null;
  /** Only a type. */
  readonly value?: T;
}

/** `--detach`: true when it was given. */
export const flag = (flags: string, description: string): Option<boolean> => ({
  flags,
  description,
  parse: null,
  isList: false,
  absent: false,
  completes: null,
});

/** `--mode <mode>`: `null` when it was not given. */
export const option = <T>(
  flags: string,
  description: string,
  parse: Parse<T>,
  completes: Completes | null = null,
): Option<T | null> => ({ flags, description, parse, isList: false, absent: null, completes });

/** The same with a default, which the description tells. */
export const optionOr = <T>(
  flags: string,
  description: string,
  parse: Parse<T>,
  absent: T,
  completes: Completes | null = null,
): Option<T> => ({ flags, description, parse, isList: false, absent, completes });

/** `--set <key=value>`, which may be given several times. */
export const list = <T>(
  flags: string,
  description: string,
  parse: Parse<T>,
): Option<readonly T[]> => ({
  flags,
  description,
  parse,
  isList: true,
  absent: [],
  completes: null,
});

type ValueOfUsage<U extends string> = U extends `${string}...${string}`
  ? readonly string[]
  : U extends `[${string}`
    ? string | null
    : string;

/** `argument('[folder]', …)` is text or `null`, `argument('<shell>', …)` is text. */
export const argument = <const U extends string>(
  usage: U,
  description: string,
  completes: Completes | null = null,
): Argument<ValueOfUsage<U>> => ({ usage, description, completes });

/** The option as people type it: `--tail`. */
export const nameOf = ({ flags }: Pick<Option, 'flags'>): string =>
  /--[a-z-]+/.exec(flags)?.[0] ?? flags;

export const text: Parse<string> = (given) => given;

/** A whole number from 1 to 99999. */
export const count: Parse<number> = (given, name) => {
  if (/^[1-9]\d{0,4}$/.test(given)) return Number(given);
  const message = `${name} ${given} is not a number of at least 1`;
  throw wrong({ code: 'not-a-number', message, hint: `for example ${name} 2` });
};

/** A whole number, 0 included. */
export const numberOfLines: Parse<number> = (given, name) => {
  if (/^\d+$/.test(given)) return Number(given);
  throw wrong({ code: 'not-a-number', message: `${name} ${given} is not a number of lines` });
};

export const port: Parse<number> = (given, name) => {
  const number = /^\d+$/.test(given) ? Number(given) : -1;
  if (number >= 0 && number < 65_536) return number;
  throw wrong({ code: 'not-a-port', message: `${name} ${given} is not a port` });
};

/** Milliseconds. */
export const duration: Parse<number> = (given, name) => {
  const ms = parseDurationMs(given);
  if (ms !== null) return ms;
  const message = `${name} ${given} is not a duration`;
  throw wrong({ code: 'not-a-duration', message, hint: `for example ${name} 30s` });
};

/** Milliseconds since 1970: so long ago (`10m`), or a date and time, local where it names no zone. */
export const instant: Parse<number> = (given, name) => {
  const agoMs = parseDurationMs(given);
  if (agoMs !== null) return Date.now() - agoMs;
  const at = /^\d{4}-\d{2}-\d{2}(?:[T ].*)?$/.test(given) ? Date.parse(given) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  const message = `${name} ${given} is not a time`;
  const hint = `for example ${name} 10m, or ${name} 2026-01-31T09:05:00Z`;
  throw wrong({ code: 'not-a-time', message, hint });
};

export const pattern: Parse<RegExp> = (given, name) => {
  try {
    return new RegExp(given, 'u');
  } catch (error) {
    const message = `${name} ${given} is not a regular expression: ${(error as Error).message}`;
    throw wrong({ code: 'not-a-pattern', message });
  }
};

/**
 * One of several words.
 * @param kind what they are, for the error: `format`.
 */
export const oneOf =
  <const T extends string>(kind: string, words: readonly T[]): Parse<T> =>
  (given) => {
    const found = words.find((word) => word === given);
    if (found !== undefined) return found;
    const message = `'${given}' is not a ${kind}`;
    throw wrong({ code: `unknown-${kind}`, message, hint: `one of ${words.join(', ')}` });
  };

export const role: Parse<Role> = oneOf('role', Object.values(Role));

const wrong = (fields: Pick<Problem, 'code' | 'message'> & { readonly hint?: string }) =>
  new UsageError(problem(fields));

/**
 * Refuses what would be ignored beside something else.
 * @param given whether each was given, by its name.
 * @throws UsageError that names all of them.
 */
export function refuseBeside(what: string, given: Readonly<Record<string, boolean>>): void {
  const names = Object.keys(given).filter((name) => given[name]);
  if (names.length === 0) return;
  throw new UsageError(
    names.map((name) =>
      problem({
        code: 'option-ignored',
        message: `${name} does nothing ${what}`,
        hint: `leave out ${name}`,
      }),
    ),
  );
}
