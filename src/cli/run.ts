/**
 * Reads one command line, and runs the verb that it calls. What a verb needs to run is loaded then: `--help`
 * needs nothing of it.
 */
import { problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import type { Place } from './place.ts';
import { CommanderError, calledVerb, createProgram } from './program.ts';
import { verbFirst } from './verb-first.ts';
import { groups, verbs } from './verbs.ts';

/** @returns the exit code. */
export async function run(given: readonly string[], place: Place): Promise<number> {
  const line = verbFirst(given);
  const called = calledVerb(line);
  const runsCommand = called?.runsCommand !== undefined;
  const { argv, behind } = runsCommand ? splitCommand(line) : { argv: line, behind: null };
  let exitCode: number = ExitCode.done;
  const program = createProgram(argv, async (verb, raw) => {
    const { invoke } = await import('./invoke.ts');
    exitCode = await invoke(verb, raw, behind, place);
  });
  const json = wantsJson(argv);
  const complaints: string[] = [];
  configureOutput(program, json ? (text) => void complaints.push(text) : null);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return ExitCode.done; // --help, --version
    if (json) await answerUsage(argv, error.message);
    return runsCommand ? ExitCode.execFailed : ExitCode.usage;
  }
  return exitCode;
}

/** As far as a command line that is wrong tells. */
const wantsJson = (argv: readonly string[]) =>
  argv.includes('--json') || /(?:^|\n)(?:-o|--output)[\n=]?json(?:\n|$)/.test(argv.join('\n'));

/** What is behind `--` is somebody else's command line. */
function splitCommand(line: readonly string[]) {
  const at = line.indexOf('--');
  return at < 0
    ? { argv: line, behind: null }
    : { argv: line.slice(0, at), behind: line.slice(at + 1) };
}

function configureOutput(
  program: ReturnType<typeof createProgram>,
  writeErr: ((text: string) => void) | null,
): void {
  const configure = (command: typeof program): void => {
    if (writeErr) command.configureOutput({ writeErr });
    for (const child of command.commands) configure(child as typeof program);
  };
  configure(program);
}

const plain = { quiet: false, verbose: false, form: null, toYaml: null };

async function answerUsage(argv: readonly string[], message: string): Promise<void> {
  const { Report } = await import('./output/report.ts');
  const words = argv.filter((word) => !word.startsWith('-'));
  const command = [words.slice(0, 2).join(' '), words[0] ?? ''].find(isCommand) ?? '';
  const report = new Report({ ...plain, command, json: true });
  report.failure([
    problem({
      code: 'usage',
      message: describeUsage(words, message),
      hint: `see 'fctl ${command === '' ? '' : `${command} `}--help'`,
    }),
  ]);
}

function describeUsage([first, ...more]: readonly string[], message: string): string {
  const isBare = first === undefined || (first in groups && more.length === 0);
  if (isBare) return 'no command was given';
  if (first === 'help') return `unknown command '${more.join(' ')}'`;
  return message.replace(/^error: /, '');
}

const isCommand = (words: string) => words in groups || verbs.some(({ name }) => name === words);
