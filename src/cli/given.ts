/** Makes what a verb declared of what commander read: every value parsed, every problem told at once. */
import { FctlError, type Problem, UsageError, problem } from '../contract/errors.ts';
import { type Option, nameOf } from './options.ts';
import { type Declaration, optionsOf } from './verb.ts';

/** A command line as commander read it. */
export interface Raw {
  /** Those of arguments, in their order. */
  readonly words: readonly (string | undefined)[];
  /** By their names in the declaration; absent or `undefined`: not given. */
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * @param behind the words behind `--`, for a verb that runs a command.
 * @throws UsageError with every value that is wrong.
 */
export function parseGiven(
  declaration: Declaration,
  raw: Raw,
  behind: readonly string[] | null,
): Readonly<Record<string, unknown>> {
  const problems: Problem[] = [];
  const values = Object.entries(optionsOf(declaration)).map(([name, option]) => {
    return [name, parseOption(option, raw.options[name], problems)] as const;
  });
  const given = { ...Object.fromEntries(values), behind };
  const words = wordsOf(declaration, raw, problems);
  if (problems.length > 0) throw new UsageError(problems);
  return { ...given, ...words };
}

function parseOption(option: Option, given: unknown, problems: Problem[]): unknown {
  const { absent, isList, parse } = option;
  if (given === undefined) return absent;
  if (parse === null) return given;
  try {
    const read = (value: string) => parse(value, nameOf(option));
    return isList ? (given as readonly string[]).map(read) : read(given as string);
  } catch (error) {
    if (!(error instanceof FctlError)) throw error;
    problems.push(...error.problems);
    return absent;
  }
}

/** The arguments by their names. `--cluster` stands for the word that names the cluster. */
function wordsOf(
  { arguments: declared }: Declaration,
  { options, words: given }: Raw,
  problems: Problem[],
): Readonly<Record<string, unknown>> {
  const names = Object.keys(declared);
  const named = options['cluster'];
  const words = given.filter((word) => word !== undefined);
  const all = names[0] === 'cluster' && named !== undefined ? [named as string, ...words] : words;
  const last = names.at(-1);
  const isVariadic = last !== undefined && declared[last]!.usage.includes('...');
  if (all.length > names.length && !isVariadic) {
    const message = `the cluster is named twice: '${words[0]}' and --cluster ${String(named)}`;
    problems.push(problem({ code: 'cluster-named-twice', message, hint: 'leave out one of them' }));
  }
  return Object.fromEntries(
    names.map((name, at) => [
      name,
      isVariadic && name === last ? all.slice(at) : (all[at] ?? null),
    ]),
  );
}
