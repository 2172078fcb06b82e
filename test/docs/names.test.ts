/** What the pages name is there: files of this repository, verbs and options, keys of the config, other pages. */
import { globSync, readFileSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { calledVerb } from '../../src/cli/program.ts';
import { optionsOf } from '../../src/cli/verb.ts';
import { groups } from '../../src/cli/verbs.ts';
import { configurationReference } from '../../src/config/reference.ts';

const root = resolve(import.meta.dirname, '../..');
const folders = ['bench', 'bin', 'docs', 'examples', 'src', 'templates', 'test', 'tools'];
const below = folders.map((folder) => `${folder}/**/*`);
const leftOut = (name: string) => name === 'node_modules';
const there = [
  'README.md',
  '.ci/run',
  ...folders,
  ...globSync(below, { cwd: root, exclude: leftOut }),
];
const pages = ['README.md', ...globSync(['docs/*.md', 'docs/guides/*.md'], { cwd: root })];

const read = (page: string) => readFileSync(resolve(root, page), 'utf8');
const fences = /^```(\w*).*\n([\s\S]*?)^```$/gm;
/** What stands between backticks in sentences and tables. */
const spans = (text: string) =>
  [...text.replaceAll(fences, '').matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!);

/** Files, as `src/a/b.ts`, as `b.ts` or `a/b.ts` where the sentence says below what, or with a `*`. */
function missingFiles(text: string): string[] {
  const isFile = (span: string) =>
    /^[\w*.-]+(\/[\w*.-]+)*\/?$/.test(span) &&
    ((folders.includes(span.split('/')[0]!) && span.includes('/')) || /\w\.ts$/.test(span)) &&
    !span.startsWith('fctl.config.') &&
    !span.startsWith('examples/flights/out/'); // which a run makes
  const isThere = (span: string) => {
    const path = span.replace(/\/$/, '');
    return there.some((file) => posix.matchesGlob(`/${file}`, `/**/${path}`));
  };
  return spans(text).filter((span) => isFile(span) && !isThere(span));
}

/** Command lines in blocks of shell, in sentences, and in the help of verbs, without `fctl`. */
function commandLines(text: string): string[] {
  const blocks = [...text.matchAll(fences)].filter(([, kind]) => kind === 'sh');
  const lines = blocks.flatMap(([, , block]) => block!.split('\n'));
  const quoted = [...text.replaceAll(fences, '').matchAll(/'(fctl [^'\n]+)'/g)].map(
    ([, it]) => it!,
  );
  const named = [...lines, ...spans(text), ...quoted].flatMap((line) =>
    [...line.replaceAll(/'[^']*'|"[^"]*"/g, 'TEXT').matchAll(/(?:^|[ (])fctl ([^|;&>#)]+)/g)].map(
      ([, words]) => words!,
    ),
  );
  // `status --watch`: a verb by itself, in a sentence.
  const short = spans(text).filter((span) => / -/.test(span) && calledVerb([span.split(' ')[0]!]));
  return [...named, ...short].map((words) => words.split(/ -- /)[0]!.trim());
}

const everywhere = ['--version', '--help', '--context'];

function unknownIn(line: string): string | null {
  const words = line.split(/\s+/).filter((word) => !/^(…|\[.*|[A-Z]+|<.*)$/.test(word));
  const first = words.find((word) => !word.startsWith('-'));
  const verb = calledVerb(words);
  if (!verb) return first === undefined || first in groups ? null : `no verb in '${line}'`;
  const flags = Object.values(optionsOf(verb)).flatMap(({ flags: all }) =>
    all.match(/--?[\w-]+/g)!,
  );
  const unknown = words.find(
    (word) => /^--?[a-z]/i.test(word) && ![...flags, ...everywhere].includes(word.split('=')[0]!),
  );
  return unknown === undefined ? null : `'${verb.name}' has no ${unknown}`;
}

const keys = [...configurationReference().matchAll(/^\| `([\w.]+)` \|/gm)].map(([, key]) => key!);

function unknownKeys(text: string): string[] {
  const sections = new Set(keys.map((key) => key.split('.')[0]!));
  const isKey = (span: string) =>
    /^[a-z]\w*(\.[a-z]\w*)+$/i.test(span) &&
    sections.has(span.split('.')[0]!) &&
    !/\.(js|ts|json)$/.test(span);
  const isKnown = (span: string) =>
    keys.some((key) => key === span || key.startsWith(`${span}.`) || span.startsWith(`${key}.`));
  return spans(text).filter((span) => isKey(span) && !isKnown(span));
}

const anchorsOf = (text: string) =>
  [...text.replaceAll(fences, '').matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

function deadLinks(page: string): string[] {
  const links = [...read(page).matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, link]) => link!);
  return links.filter((link) => {
    const [file, anchor] = link.split('#');
    const target = file ? posix.join(posix.dirname(page), file) : page;
    if (!there.includes(target)) return true;
    return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
  });
}

describe.each(pages)('%s', (page) => {
  it('names files that are there', () => {
    expect(missingFiles(read(page))).toEqual([]);
  });

  it('names verbs and options that are there', () => {
    expect(
      commandLines(read(page))
        .map(unknownIn)
        .filter((it) => it !== null),
    ).toEqual([]);
  });

  it('names keys of the config that are there', () => {
    expect(unknownKeys(read(page))).toEqual([]);
  });

  it('leads to pages and sections that are there', () => {
    expect(deadLinks(page)).toEqual([]);
  });
});

it('what is not there is found', () => {
  const text = [
    'See `src/cli/gone.ts`, `verb.ts` and `*-gone.ts`. `fctl deploy --gone`, `fctl go`, `plan --quick`.',
    "Also 'fctl status --slow', and `taskmanager.gone`, `taskmanager.slots`.",
    '```sh',
    'fctl list && fctl logs -f --set a=b | fctl wait --fur running',
    '```',
  ].join('\n');
  expect(missingFiles(text)).toEqual(['src/cli/gone.ts', '*-gone.ts']);
  expect(
    commandLines(text)
      .map(unknownIn)
      .filter((it) => it !== null),
  ).toEqual([
    "'wait' has no --fur",
    "'deploy' has no --gone",
    "no verb in 'go'",
    "'status' has no --slow",
    "'plan' has no --quick",
  ]);
  expect(unknownKeys(text)).toEqual(['taskmanager.gone']);
});
