/** The arguments of a job, read by their declared type. */
import { distance } from 'fastest-levenshtein';
import { type Misfit, findMisfits, isRecord } from '../api/check-value.ts';
import {
  parseBoolean,
  parseDouble,
  parseInt32,
  parseInt64,
  parseLong,
  parseTimestamp,
} from '../api/scalar-text.ts';
import type { TypeShape } from '../api/types.ts';
import type { JobDefinition } from '../api/job.ts';
import { ConfigError, problem } from '../contract/errors.ts';
import { isUnsafeWhole } from '../contract/exact-json.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';

/** What the builder gets: JSON, and a bigint where the job declares `int64`. */
export type ArgumentValues = Readonly<Record<string, unknown>>;

/**
 * The arguments as values of the declared type: whoever writes them in a config, on a command line or in a form
 * cannot say whether 12345 is a number or a text.
 *
 * @param at JSON pointer of the arguments in the config; `null`: they do not come from there.
 * @throws ConfigError with every argument that does not fit.
 */
export function readArguments(
  job: JobDefinition,
  args: JsonObject,
  at: string | null,
): ArgumentValues {
  const read = job.args === null ? args : (readAs(job.args, args) as ArgumentValues);
  const found = job.args === null ? unwanted(args) : findMisfits(job.args, read);
  if (found.length === 0) return read;
  throw new ConfigError(
    found.map(({ path, message, unknownField }) =>
      problem({
        code: unknownField ? 'unknown-argument' : 'wrong-argument',
        message: `job '${job.name}'${path === '' ? '' : `, argument ${path}`}: ${message}`,
        path: at === null ? null : `${at}${path}`,
        hint: unknownField
          ? didYouMean(unknownField.name, unknownField.known)
          : howToWrite(valueAt(read, path)),
      }),
    ),
  );
}

/**
 * The values as they travel, in the JobGraph and to every process that builds the job again: a bigint is the text of
 * its digits. Reading them again gives the same values.
 */
export function argumentsAsJson(values: ArgumentValues): JsonObject {
  return asJson(values) as JsonObject;
}

function asJson(value: unknown): JsonValue {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.map(asJson);
  if (!isRecord(value)) return value as JsonValue;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, asJson(one)]));
}

/** @param pointer a JSON pointer, as misfits have it. */
function valueAt(values: ArgumentValues, pointer: string): unknown {
  const names = pointer.split('/').slice(1);
  return names.reduce<unknown>((outer, name) => {
    const inner = name.replaceAll('~1', '/').replaceAll('~0', '~');
    return (outer as Record<string, unknown> | undefined)?.[inner];
  }, values);
}

const howToWrite = (value: unknown): string | null =>
  isUnsafeWhole(value)
    ? 'it arrived as a JavaScript number, which above 2^53 has lost digits: write it as text of digits, or as a bigint (123n) in TypeScript'
    : null;

/** A value that does not fit and cannot be read stays as it is. */
function readAs(type: TypeShape, value: unknown): unknown {
  switch (type.kind) {
    case 'optional':
      return value === null ? undefined : readAs(type.type, value);
    case 'union': {
      if (findMisfits(type, value).length === 0) return value;
      const read = type.types.map((each) => [each, readAs(each, value)] as const);
      return read.find(([each, one]) => findMisfits(each, one).length === 0)?.[1] ?? value;
    }
    case 'list':
      return Array.isArray(value) ? value.map((each) => readAs(type.element, each)) : value;
    case 'record':
      return isRecord(value) ? readRecord(type.fields, value) : value;
    case 'string':
      return textOf(value);
    case 'int64':
      return int64Of(value);
    default:
      return typeof value === 'string' ? (parsedAs(type, value) ?? value) : value;
  }
}

/** Absent fields stay absent. */
function readRecord(
  fields: Readonly<Record<string, TypeShape>>,
  record: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const read = Object.entries(record).map(([name, value]) => {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    return [name, field === undefined ? value : readAs(field, value)] as const;
  });
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}

function textOf(value: unknown): unknown {
  const isPlain =
    typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
  return isPlain ? String(value) : value;
}

/** A number that may have lost digits stays what it is, and is refused. */
function int64Of(value: unknown): unknown {
  if (typeof value === 'string') return parseInt64(value) ?? value;
  return Number.isSafeInteger(value) ? BigInt(value as number) : value;
}

function parsedAs(type: TypeShape, text: string): unknown {
  switch (type.kind) {
    case 'int32':
      return parseInt32(text);
    case 'long':
      return parseLong(text);
    case 'double': {
      const number = parseDouble(text);
      return Number.isFinite(number) ? number : undefined; // JSON has no others
    }
    case 'boolean':
      return parseBoolean(text);
    case 'timestamp':
      return parseTimestamp(text);
    default:
      return undefined;
  }
}

function unwanted(args: JsonObject): Misfit[] {
  return Object.keys(args).map((name) => ({
    path: `/${name}`,
    message: 'the job takes no arguments',
    unknownField: { name, known: [] },
  }));
}

function didYouMean(name: string, known: readonly string[]): string | null {
  if (known.length === 0)
    return 'remove it, or declare it: defineJob(name, { args: types.record({ … }) }, …)';
  const [closest] = known
    .map((candidate) => ({
      candidate,
      edits: distance(candidate.toLowerCase(), name.toLowerCase()),
    }))
    .sort((a, b) => a.edits - b.edits);
  if (closest!.edits <= Math.max(2, name.length / 3))
    return `did you mean '${closest!.candidate}'?`;
  return `known are ${known.join(', ')}`;
}
