/** docs/configuration.md, made from the schema. */
import { ExitCode } from '../contract/exit-codes.ts';
import { searchPlaces } from './find.ts';
import { defaultOf, typeOf, variableOf } from './describe-key.ts';
import { keysOf } from './json-schema.ts';

const code = (text: string) => `\`${text}\``;

/** The page as Markdown. */
export function configurationReference(): string {
  return [introduction, '## Keys', table(), sources, references, problems].join('\n\n') + '\n';
}

const introduction = `# Configuration

Generated from the schema (\`npm run docs\`). \`fctl config schema\` prints the schema itself, for editors.

The file is the first of these in the current folder or one above, up to the project's root: ${searchPlaces
  .map(code)
  .join(
    ', ',
  )} (key \`fctl\`). \`--config FILE\` names one. A file in TypeScript or JavaScript exports the configuration as its default, best through \`defineConfig\` of \`fctl/config\`.

Durations are written \`500ms\`, \`10s\`, \`5m\`, \`1h\`, \`1d\`; sizes \`64KiB\`, \`512MiB\`, \`1GiB\` (or \`KB\`, \`MB\`, \`GB\`, of 1000).`;

function table(): string {
  const rows = keysOf()
    .filter(({ path }) => path[0] !== '$schema')
    .map(({ path, node, isRequired }) =>
      [
        code(path.join('.')),
        typeOf(node, code),
        defaultOf({ path, node, isRequired }, code),
        path[0] === 'environments' ? '' : code(variableOf(path)),
        node.description ?? '',
      ].join(' | '),
    );
  return [
    '| key | type | default | variable | meaning |',
    '|---|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n');
}

const sources = `## Where values come from

Precedence, strongest first:

1. \`--provider NAME\`, and options of a verb that stand for a key (\`--mode\`, \`--taskmanagers\`)
2. \`--set key=value\` (\`-D\`), the last one of a key: \`--set taskmanager.slots=2\`. Values are YAML: \`3\`, \`true\`, \`null\`, \`[a, b]\`, \`{ a: 1 }\`; anything else is text. \`\\.\` is a dot within a key.
3. environment variables: \`FCTL_TASKMANAGER__SLOTS=2\`, values as above. Two underscores go a level down; a variable without them counts when it names a top-level key. Case and single underscores do not matter; below \`application.args\` the key is the one of the file that this fits, else \`camelCase\`. An empty variable counts as not set.
4. the overlay that \`--env NAME\` chooses from \`environments\`
5. the file
6. the default

Objects are merged key by key; lists and other values replace. Of \`providers\` only the section of the chosen provider is checked and in force. \`fctl config show --origin\` tells of each value where it came from.`;

const references = `## References and secrets

In strings, \`\${env:NAME}\`, \`\${file:path}\` and \`\${exec:command}\` are replaced, after everything is merged: by an environment variable, a file's content and what a command prints, both without white space at the end. Paths are relative to the config file; commands run in its folder, by \`/bin/sh\`, for at most 30 s. A whole \`$\${env:NAME}\` stays as it is, with one \`$\`. References in overlays that were not chosen are left alone. Each reference is resolved once a run. Verbs that only need to know where clusters are (\`list\`, \`status\`, \`logs\`, \`cancel\`, \`destroy\` and others) resolve those of \`cluster\`, \`provider\`, the chosen section of \`providers\`, \`runtime\` and \`logging\` alone. Verbs that only look at clusters (\`list\`, \`status\`, \`logs\` and others, see [cli.md](cli.md)) run no \`\${exec:command}\` at all: a look into a repository that was just cloned runs nothing that its author wrote as a command. Where they need a value that is one, they say which key it is and end with exit code 3; use \`\${env:NAME}\` or \`\${file:path}\` there, and for hosts an SSH agent or a key.

What a reference becomes is a secret: \`fctl config show\`, messages about the configuration and the cluster's record have \`******\` in its place. So is, wherever it came from, the value of a key whose name says so: \`password\`, \`passphrase\`, \`secret\`, \`token\`, \`credential\`, \`apiKey\`, \`privateKey\`, \`accessKey\`, alone or as part of the name (text; a number where the name ends with such a word: \`password: 83746512\` is secret, \`maxTokens: 5\` is not). An application gets the value itself: in this version an argument is a part of its job, and of the files of its JobManager. Values that are no secrets and differ by machine are better set by \`FCTL_…\` variables.`;

const problems = `## Problems

All problems are reported in one run, each with its key, file, line and column (of a file in TypeScript or JavaScript: the file), or with the variable or flag that it came from, and with what to do. Unknown keys are problems. The exit code is ${ExitCode.configInvalid}, of every verb: a command never acts on another provider than the one that was meant because the configuration could not be understood. \`fctl config validate\` does nothing else.`;
