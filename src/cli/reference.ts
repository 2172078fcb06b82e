/** docs/cli.md, made from the declarations of the verbs. */
import { ExitCode } from '../contract/exit-codes.ts';
import { exitCodeMeanings } from './exit-code-meanings.ts';
import { type Options, clusterOption, commonOptions, placeOptions } from './common-options.ts';
import { type Declaration, usageOf } from './verb.ts';
import { verbs } from './verbs.ts';

const introduction = `# Command line

Generated from the declarations of the verbs (\`npm run docs\`). \`fctl VERB --help\` says the same.

Results go to stdout, progress and messages to stderr. With \`--json\` stdout has one JSON document, \`{ "ok", "command", "data", "errors": [{ "code", "message", "path", "file", "line", "column", "hint" }] }\`. Verbs that follow (\`status --watch\`, \`logs -f\`) print one document a line; the last one tells what ended them, where that was not the end of the cluster.

Options that all verbs have may stand before the verb, too: \`fctl --json list\`.

A verb that concerns a cluster takes its id as the first word or as \`--cluster\`; in a project, or with \`FCTL_CLUSTER\`, neither is needed. There the first word may be a process: \`fctl logs taskmanager-0\` means that process of the project's cluster. Where a cluster of that name exists, too, fctl asks you to say which you mean.
`;

/** What changes nothing and needs no whole configuration. */
const isLook = ({ reach, readsConfig, readsOnly }: Declaration) =>
  readsOnly && !readsConfig && reach !== 'nothing';

export async function cliReference(): Promise<string> {
  const codes = Object.entries(exitCodeMeanings).map(
    ([name, meaning]) => `| ${ExitCode[name as keyof typeof ExitCode]} | ${meaning} |`,
  );
  const looks = verbs.filter(isLook).map(({ name }) => `\`${name}\``);
  return [
    introduction,
    `Verbs that only look at clusters (${looks.join(', ')}) change nothing, and run no \`\${exec:…}\` of a config: where they would need one to know where clusters are, they say which key it is and end with exit code 3.`,
    '',
    ...verbs.flatMap(describeVerb),
    '## Options of every verb',
    '',
    ...describeOptions(commonOptions),
    '',
    '## Options of verbs that read a config or look for clusters',
    '',
    ...describeOptions(placeOptions),
    '',
    'Those that concern one cluster have this one, too:',
    '',
    ...describeOptions(clusterOption),
    '',
    '## Exit codes',
    '',
    '| code | meaning |',
    '|---|---|',
    ...codes,
    '',
  ].join('\n');
}

function describeVerb(verb: Declaration): string[] {
  const { aliases = [], arguments: words, description, examples, name, options, summary } = verb;
  const group = name.split(' ').slice(0, -1);
  const lines = [
    ...Object.values(words).map((word) => `- \`${word.usage}\`: ${word.description}`),
    ...describeOptions(options),
  ];
  const also = aliases.map((alias) => `\`${['fctl', ...group, alias].join(' ')}\``).join(' and ');
  return [
    `## ${name}`,
    '',
    description ?? `${summary}.`,
    ...(also === '' ? [] : ['', `Short form: ${also}.`]),
    '',
    '```sh',
    usageOf(verb),
    ...examples.map((example) => `$ ${example}`),
    '```',
    '',
    ...lines,
    ...(lines.length > 0 ? [''] : []),
  ];
}

const describeOptions = (options: Options) =>
  Object.values(options).map(({ description, flags }) => `- \`${flags}\`: ${description}`);
