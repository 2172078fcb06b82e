/**
 * The commander program, made from the declarations of the verbs. Only the verb that was called gets its
 * options: to define those of all takes longer than all else that `--help` does.
 */
import { Command, CommanderError, Option as CommanderOption } from 'commander';
import { FCTL_VERSION } from '../contract/version.ts';
import { exitCodesInShort } from './exit-code-meanings.ts';
import type { Raw } from './given.ts';
import type { Option } from './options.ts';
import { type Verb, optionsOf } from './verb.ts';
import { groups, verbs } from './verbs.ts';

export type Invoke = (verb: Verb, raw: Raw) => Promise<void>;

const footer = `
Results go to stdout, progress and messages to stderr.
${exitCodesInShort}`;

/** The verb that a command line calls, as far as its words tell; `null`: none. */
export const calledVerb = (argv: readonly string[]): Verb | null => find(argv).called;

/** @returns also whether all of its words were there: a group alone may mean a verb, too. */
function find(argv: readonly string[]): { called: Verb | null; isNamed: boolean } {
  const words = argv.filter((word) => !word.startsWith('-'));
  const [first, second] = words[0] === 'help' ? words.slice(1) : words;
  if (first === undefined) return { called: null, isNamed: false };
  const isCalled = (name: string, own: string | undefined, aliases: readonly string[] = []) =>
    own !== undefined && (own === name || aliases.includes(own));
  const named = verbs.find(({ aliases, name }) => {
    const [group, own] = name.split(' ');
    return own === undefined
      ? isCalled(name, first, aliases)
      : group === first && isCalled(own, second, aliases);
  });
  const isGroup = ({ isDefault, name }: Verb) => isDefault && name.startsWith(`${first} `);
  const called = named ?? verbs.find(isGroup) ?? null;
  return { called, isNamed: named !== undefined && words[0] !== 'help' };
}

export function createProgram(argv: readonly string[], invoke: Invoke): Command {
  const program = new Command('fctl')
    .description('Deploys stream processing clusters, and the applications that run on them.')
    .version(FCTL_VERSION, '-V, --version')
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText('after', footer)
    .addHelpText(
      'after',
      `\n${examples(['fctl init my-job', 'fctl deploy --mode application', 'fctl list'])}`,
    );
  const { called, isNamed } = find(argv);
  const parents = new Map<string, Command>();
  // The others are there for help, and to find what was meant.
  for (const verb of isNamed ? [called!] : verbs) {
    const words = verb.name.split(' ');
    const parent = words.length === 1 ? program : groupOf(program, parents, words[0]!);
    const command = addVerb(parent, words.at(-1)!, verb);
    if (verb === called) defineAll(command, verb, invoke);
  }
  return program;
}

function groupOf(program: Command, parents: Map<string, Command>, name: string): Command {
  const known = parents.get(name);
  if (known) return known;
  const group = program
    .command(name)
    .description(groups[name]!)
    .exitOverride()
    .showSuggestionAfterError();
  parents.set(name, group);
  return group;
}

/** What the list of commands shows of it. */
function addVerb(parent: Command, name: string, verb: Verb): Command {
  const { aliases = [], arguments: words, isDefault = false, summary } = verb;
  const command = parent.command(name, { isDefault }).summary(summary).aliases(aliases);
  for (const { description, usage } of Object.values(words)) command.argument(usage, description);
  return command;
}

function defineAll(command: Command, verb: Verb, invoke: Invoke): void {
  const { arguments: words, description, examples: lines, runsCommand, summary } = verb;
  command
    .description(description ?? summary)
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText('after', `\n${examples(lines)}`);
  if (runsCommand) command.usage(`${command.usage()} ${runsCommand.usage}`);
  const options = Object.entries(optionsOf(verb)).map(
    ([key, option]) => [key, addOption(command, option)] as const,
  );
  command.action((...given: unknown[]) => {
    const values = command.opts<Record<string, unknown>>();
    return invoke(verb, {
      // The words of a variadic argument come as a list.
      words: given.slice(0, Object.keys(words).length).flat() as (string | undefined)[],
      options: Object.fromEntries(
        options.map(([key, option]) => [key, valueOf(option, values[option.attributeName()])]),
      ),
    });
  });
}

/** As it was given: `--no-hooks`, which commander makes `hooks: false` of, was given then. */
const valueOf = (option: CommanderOption, value: unknown): unknown =>
  option.negate ? value === false : value;

function addOption(command: Command, { description, flags, isList }: Option): CommanderOption {
  const option = new CommanderOption(flags, description);
  if (isList) {
    option.argParser((value: string, before: readonly string[] | undefined) => [
      ...(before ?? []),
      value,
    ]);
  }
  command.addOption(option);
  return option;
}

function examples(lines: readonly string[]): string {
  return ['Examples:', ...lines.map((line) => `  $ ${line}`)].join('\n');
}

export { CommanderError };
