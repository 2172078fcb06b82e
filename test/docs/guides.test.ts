/** Each guide works as it is written: for hosts and Docker see test/integration. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Reader, guideSteps, parseGuide } from './guide.ts';

const folder = resolve(import.meta.dirname, '../../docs/guides');
// That of BSD and macOS takes other options.
const hasScript = spawnSync('script', ['-qec', 'exit 5', '/dev/null']).status === 5;

/** Those that need what not every machine has, with the test that follows them. */
const elsewhere: Readonly<Record<string, string>> = {
  docker: 'test/integration/docker/guide.test.ts',
  'ssh-hosts': 'test/integration/ssh-hosts/guide.test.ts',
};

const guides = readdirSync(folder).map((file) => file.replace(/\.md$/, ''));

describe.skipIf(!hasScript)('a reader follows', () => {
  it.each(guides.filter((name) => !(name in elsewhere)))(
    '%s',
    { timeout: 600_000 },
    async (name) => {
      const reader = await Reader.create();
      onTestFinished(() => reader.leave());
      await expect(reader.follow(guideSteps(name))).resolves.toBeUndefined();
    },
  );
});

it.each(Object.entries(elsewhere))('%s is followed by %s', (name, test) => {
  expect(guides).toContain(name);
  const source = readFileSync(resolve(import.meta.dirname, '../..', test), 'utf8');
  expect(source).toContain(`guideSteps('${name}')`);
});

it.each(guides)('%s leads to pages that are there', (name) => {
  const text = readFileSync(resolve(folder, `${name}.md`), 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) => link!);
  for (const link of links)
    expect(() => readFileSync(resolve(folder, link)), `${name} leads to ${link}`).not.toThrow();
});

describe('a guide', () => {
  const block = (info: string, content = 'x\n') => `\`\`\`${info}\n${content}\`\`\`\n`;

  it('has files, commands and what they print', () => {
    const text = [
      block('yaml file=a.yaml', 'a: 1\n'),
      block('sh terminal exit=6 keys=y', 'fctl deploy\n'),
      block('text', 'one\ntwo …\n'),
    ].join('words\n');
    expect(parseGuide(text)).toEqual([
      { type: 'file', path: 'a.yaml', content: 'a: 1\n' },
      {
        type: 'commands',
        text: 'fctl deploy\n',
        exitCode: 6,
        onTerminal: true,
        keys: 'y',
        expected: ['one', 'two …'],
      },
    ]);
  });

  it.each([
    [block('sh exits=6'), "'exits' of 'sh exits=6' says nothing"],
    [block('yaml'), "nothing is done with a block of 'yaml'"],
    [block('text'), 'no command prints'],
  ])('has no block that nobody follows: %j', (text, message) => {
    expect(() => parseGuide(text)).toThrow(message);
  });

  it.each([
    ['exit 3', 0, [], 'it ended with 3, not with 0'],
    ['echo one; echo two', 0, ['two', 'one'], "'one' is not in"],
    ['echo one', 0, ['one … two'], "'one … two' is not in"],
  ])('that is not true fails: %s', async (text, exitCode, expected, message) => {
    const reader = await Reader.create();
    onTestFinished(() => reader.leave());
    const step = { type: 'commands', text, exitCode, onTerminal: false, keys: null, expected };
    await expect(reader.follow([step as never])).rejects.toThrow(message);
  });
});
