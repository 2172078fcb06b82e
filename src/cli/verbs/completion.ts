/** `fctl completion`: scripts that complete verbs and options, made from the table of verbs. */
import { UsageError, problem } from '../../contract/errors.ts';
import type { completion as declaration } from '../commands/completion.ts';
import type { Context } from '../context.ts';
import type { Option } from '../options.ts';
import { type Declaration, type Given, optionsOf } from '../verb.ts';
import { groups, verbs } from '../verbs.ts';

export async function run(context: Context, { shell }: Given<typeof declaration>): Promise<void> {
  const scripts: Readonly<Record<string, () => string>> = { bash, zsh, fish };
  const script = scripts[shell];
  if (!script) {
    throw new UsageError(
      problem({
        code: 'unknown-shell',
        message: `there is no completion for '${shell}'`,
        hint: 'bash, zsh or fish',
      }),
    );
  }
  const text = script();
  context.report.result({ shell, script: text }, () => text);
}

/** `-n, --tail <lines>` → `['-n', '--tail']` */
const namesOf = ({ flags }: Pick<Option, 'flags'>) => flags.replace(/ [<[].*/, '').split(', ');

const helpOption = { flags: '-h, --help' };

const flagsOf = (verb: Declaration) =>
  [...Object.values(optionsOf(verb)), helpOption].flatMap(namesOf);

/** Options whose next word is their value. */
function flagsWithValue(): string[] {
  const options = verbs
    .flatMap((verb) => Object.values(optionsOf(verb)))
    .filter(({ flags }) => /[<[]/.test(flags));
  return [...new Set(options.flatMap(namesOf))];
}

/** Words after `fctl`, by the verb that is already there; for half a verb what follows it. */
function words(): Map<string, Set<string>> {
  const next = new Map<string, Set<string>>();
  const add = (after: string, word: string) =>
    next.set(after, (next.get(after) ?? new Set()).add(word));
  for (const verb of verbs) {
    const parts = verb.name.split(' ');
    add('', parts[0]!);
    if (parts.length > 1) add(parts[0]!, parts[1]!);
    for (const flag of flagsOf(verb)) add(verb.name, flag);
  }
  return next;
}

function bash(): string {
  const cases = [...words()].map(
    ([after, next]) => `    "${after}") words="${[...next].join(' ')}" ;;`,
  );
  return [
    '_fctl() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" path="" value="" word words=""',
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    '    if [ "$word" = "=" ]; then value=yes; continue; fi',
    '    if [ -n "$value" ]; then value=""; continue; fi',
    '    case "$word" in',
    `      ${flagsWithValue().join('|')}) value=yes ;;`,
    '      -*) ;;',
    '      *) case "$path" in',
    '        "") path="$word" ;;',
    `        ${Object.keys(groups).join('|')}) path="$path $word" ;;`,
    '      esac ;;',
    '    esac',
    '  done',
    '  COMPREPLY=()',
    '  [ -z "$value" ] && [ "$current" != "=" ] || return 0',
    '  case "$path" in',
    ...cases,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -F _fctl fctl',
    '',
  ].join('\n');
}

function zsh(): string {
  return ['#compdef fctl', 'autoload -U +X bashcompinit && bashcompinit', bash()].join('\n');
}

function fish(): string {
  const quote = (text: string) => `'${text.replaceAll("'", String.raw`\'`)}'`;
  const lines = ['complete -c fctl -f'];
  for (const verb of verbs) {
    const [first, second] = verb.name.split(' ');
    const name = second ?? first!;
    const where = second ? `__fish_seen_subcommand_from ${first}` : '__fish_use_subcommand';
    lines.push(`complete -c fctl -n ${quote(where)} -a ${name} -d ${quote(verb.summary)}`);
    for (const flag of flagsOf(verb)) {
      const form = flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`;
      lines.push(`complete -c fctl -n ${quote(`__fish_seen_subcommand_from ${name}`)} ${form}`);
    }
  }
  return `${[...new Set(lines)].join('\n')}\n`;
}
