/** docs/cli.md, made from the table of verbs. */
import { ExitCode } from '../contract/exit-codes.ts';
import type { Verb, VerbOption } from './verb.ts';
import { commonOptions, verbs } from './verbs.ts';

const meanings: Readonly<Record<keyof typeof ExitCode, string>> = {
  done: 'done',
  bug: 'a bug of fctl',
  usage: 'wrong command line',
  configInvalid: 'the configuration or the application is invalid; nothing was touched',
  providerNotUsable: 'the provider is not usable (preflight); nothing was touched',
  deploymentFailed: 'the deployment failed',
  jobFailed: 'the job or application failed or was cancelled',
  notFound: 'not found',
  conflict: 'locked, or conflicting with the state of the cluster',
  stateWouldBeLost: 'refused because state would be lost',
  timedOut: 'timed out (`--timeout`)',
  interrupted: 'interrupted (Ctrl-C)',
};

export async function cliReference(): Promise<string> {
  const codes = Object.entries(meanings).map(
    ([name, meaning]) => `| ${ExitCode[name as keyof typeof ExitCode]} | ${meaning} |`,
  );
  return [
    '# Command line',
    '',
    'Generated from the table of verbs (`npm run docs`). `fctl VERB --help` says the same.',
    '',
    'Results go to stdout, progress and messages to stderr. With `--json` stdout has one JSON document, `{ "ok", "command", "data", "errors": [{ "code", "message", "path", "file", "line", "column", "hint" }] }`; verbs that follow (`status --watch`, `logs -f`) print one a line, and what ended them as the last one where that was not the end of the cluster.',
    '',
    ...verbs.flatMap(describeVerb),
    '## Options of every verb',
    '',
    ...describeOptions(commonOptions),
    '',
    '`NO_COLOR` switches colours off.',
    '',
    '## Exit codes',
    '',
    '| code | meaning |',
    '|---|---|',
    ...codes,
    '',
  ].join('\n');
}

function describeVerb(verb: Verb): string[] {
  const usage = [
    'fctl',
    verb.name,
    ...(verb.arguments ?? []).map((a) => a.usage),
    '[options]',
  ].join(' ');
  const args = (verb.arguments ?? []).map((a) => `- \`${a.usage}\`: ${a.description}`);
  const options = describeOptions(verb.options ?? []);
  return [
    `## ${verb.name}`,
    '',
    `${verb.description ?? verb.summary}${(verb.description ?? verb.summary).endsWith('.') ? '' : '.'}`,
    '',
    '```sh',
    usage,
    ...verb.examples.map((example) => `$ ${example}`),
    '```',
    '',
    ...args,
    ...options,
    ...(args.length + options.length > 0 ? [''] : []),
  ];
}

const describeOptions = (options: readonly VerbOption[]) =>
  options.map(({ flags, description }) => `- \`${flags}\`: ${description}`);
