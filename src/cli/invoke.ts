/** Runs one verb with what it was given, and turns whatever happens into output and an exit code. */
import { FctlError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import { type CommonOptions, commonOptions, placeOptions } from './common-options.ts';
import { createContext } from './context.ts';
import { type Raw, parseGiven } from './given.ts';
import type { Interruption } from './interruption.ts';
import { refuseBeside } from './options.ts';
import { Report } from './output/report.ts';
import type { Place } from './place.ts';
import type { Verb } from './verb.ts';

/** @returns the exit code. */
export async function invoke(
  verb: Verb,
  raw: Raw,
  behind: readonly string[] | null,
  place: Place,
): Promise<number> {
  const { options } = raw;
  if (options['noColor']) forbidColors(place.environment);
  const report = await createReport(verb, raw);
  if (report.options.verbose) (await import('./output/trace.ts')).trace(report);
  let awake: NodeJS.Timeout | undefined;
  let dispose = async () => {};
  let interruption: Interruption | null = null;
  try {
    const given = parseGiven(verb, raw, behind);
    const common = commonOf(given);
    refuseForm(verb, common);
    const context = createContext(
      report,
      common,
      place,
      !verb.readsOnly || verb.readsConfig === true,
    );
    dispose = () => context.dispose();
    ({ interruption } = context);
    awake = setInterval(() => {}, 2 ** 30); // The clock's timers alone keep no process alive.
    const module = await verb.load();
    const running = module.run(context, given as never);
    const ended = verb.readsOnly ? Promise.race([running, aborted(context.signal)]) : running;
    return (await ended) ?? ExitCode.done;
  } catch (error) {
    // Whoever waited for the answer may have made another error of it.
    const exitCode = exitCodeOf(verb, explain(interruption?.refusal ?? error, report));
    // What it waited for is nobody's business any more.
    if (verb.readsOnly && interruption?.signal.aborted) place.exit(exitCode);
    return exitCode;
  } finally {
    clearInterval(awake);
    await dispose();
  }
}

/** What a verb does not have is as if it was not given. */
function commonOf(given: Readonly<Record<string, unknown>>): CommonOptions {
  const all = Object.entries({ ...commonOptions, ...placeOptions });
  const values = all.map(([name, { absent }]) => [name, given[name] ?? absent] as const);
  return Object.fromEntries(values) as unknown as CommonOptions;
}

/** As it was asked for, also where something else in the command line is wrong. */
async function createReport({ lists, name: command }: Verb, { options }: Raw): Promise<Report> {
  const { json, output, quiet, verbose } = options;
  const isYaml = output === 'yaml';
  const form = lists && (output === 'wide' || output === 'name') ? output : null;
  const all = {
    command,
    json: json === true || output === 'json' || isYaml,
    quiet: quiet === true,
    verbose: verbose === true,
    form,
  } as const;
  if (!isYaml) return new Report({ ...all, toYaml: null });
  const { toYaml } = await import('./output/yaml.ts');
  return new Report({ ...all, toYaml });
}

/** @throws UsageError for a form that the verb's answer does not have. */
function refuseForm({ lists, name }: Verb, { json, output }: CommonOptions): void {
  if (output === null) return;
  if (json) refuseBeside('beside --json', { '--output': output !== 'json' });
  if (!lists && (output === 'wide' || output === 'name')) {
    refuseBeside(`for '${name}', which prints no list`, { [`--output ${output}`]: true });
  }
}

/** The variables that all who write colours heed, our libraries too. */
function forbidColors(environment: NodeJS.ProcessEnv): void {
  environment['NO_COLOR'] = '1';
  delete environment['FORCE_COLOR'];
}

/** Ends by time or by a signal are told apart from a command's own codes by convention; others are not. */
function exitCodeOf({ runsCommand }: Verb, exitCode: number): number {
  if (!runsCommand || exitCode >= ExitCode.timedOut) return exitCode;
  return ExitCode.execFailed;
}

/** Rejects with the reason. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(signal.reason as Error);
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
  });
}

/** Expected failures are told as they are; anything else is a bug, and says so. */
function explain(error: unknown, report: Report): number {
  const known = fctlErrorOf(error);
  if (known !== null) {
    report.failure(known.problems);
    const cause = known.cause instanceof Error ? known.cause : known;
    report.detail(cause.stack ?? '');
    return known.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  report.failure([
    problem({
      code: 'bug',
      message: `fctl has a bug: ${message}`,
      hint: 'repeat with --verbose for the stack, and please report it',
    }),
  ]);
  if (error instanceof Error) report.detail(error.stack ?? '');
  return ExitCode.bug;
}

/** An abort is as good as its reason: timers and streams wrap it. */
function fctlErrorOf(error: unknown): FctlError | null {
  for (
    let at: unknown = error, depth = 0;
    at instanceof Error && depth < 5;
    at = at.cause, depth++
  ) {
    if (at instanceof FctlError) return at;
  }
  return null;
}
