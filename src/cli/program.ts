/** The commander program, made from the table of verbs. */
import { Command, CommanderError, Option } from 'commander';
import { FCTL_VERSION } from '../contract/version.ts';
import type { CommonOptions } from './context.ts';
import type { Verb, VerbOption } from './verb.ts';
import { commonOptions, groups, verbs } from './verbs.ts';

export type Invoke = (
  verb: Verb,
  options: CommonOptions,
  args: readonly (string | undefined)[],
) => Promise<void>;

const footer = `
Results go to stdout, progress and messages to stderr.
Exit codes: 0 done, 1 bug, 2 usage, 3 config invalid, 4 provider not usable, 5 deployment failed,
6 job failed, 7 not found, 8 locked or conflicting, 9 refused because state would be lost,
124 timed out, 130 interrupted.`;

export function createProgram(invoke: Invoke): Command {
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
  const parents = new Map<string, Command>();
  for (const verb of verbs) {
    const words = verb.name.split(' ');
    const parent = words.length === 1 ? program : groupOf(program, parents, words[0]!);
    addVerb(parent, words.at(-1)!, verb, invoke);
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

function addVerb(parent: Command, name: string, verb: Verb, invoke: Invoke): void {
  const command = parent
    .command(name)
    .summary(verb.summary)
    .description(verb.description ?? verb.summary)
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText('after', `\n${examples(verb.examples)}`);
  for (const argument of verb.arguments ?? [])
    command.argument(argument.usage, argument.description);
  for (const option of verb.options ?? []) addOption(command, option);
  for (const option of commonOptions) addOption(command, option);
  command.action((...given: unknown[]) => {
    // The words of a variadic argument come as a list.
    const args = given.slice(0, verb.arguments?.length ?? 0).flat() as (string | undefined)[];
    return invoke(verb, command.opts(), args);
  });
}

function addOption(command: Command, { flags, description }: VerbOption): void {
  const option = new Option(flags, description);
  if (flags.includes('--set')) {
    option.argParser((value: string, before: readonly string[] | undefined) => [
      ...(before ?? []),
      value,
    ]);
  }
  command.addOption(option);
}

function examples(lines: readonly string[]): string {
  return ['Examples:', ...lines.map((line) => `  $ ${line}`)].join('\n');
}

export { CommanderError };
