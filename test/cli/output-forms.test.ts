/** In which forms an answer may be printed: `-o json`, `yaml`, `wide`, `name`. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { verbs } from '../../src/cli/verbs.ts';
import { Project, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
  await project.write(
    'src/app.ts',
    `${imports} export const job = defineJob('demo', (env) => { env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create()); });`,
  );
});
afterEach(() => project.remove());

describe('-o', () => {
  it('prints names, more columns, JSON or YAML', async () => {
    expect((await project.run('deploy')).exitCode).toBe(0);
    await mkdir(join(project.home, 'clusters/other/record'), { recursive: true });
    const say = async (...args: string[]) => (await project.start(args)).stdout;
    expect(await say('list', '-o', 'name')).toBe('demo\nother');
    expect(await say('status', '-o', 'name')).toBe('jobmanager-0\ntaskmanager-0');
    expect(await say('releases', '-o', 'name')).toBe('1');
    expect(await say('list')).not.toContain('PROVIDER');
    expect(await say('list', '-o', 'wide')).toMatch(/PROVIDER .*\n.*local/);
    expect(await say('status', '-o', 'wide')).toContain('HOST');
    expect(await say('releases', '-o', 'wide')).toContain(project.folder);

    const { json } = await project.run('releases');
    expect(JSON.parse(await say('releases', '-o', 'json'))).toEqual(json);
    expect(parse(await say('releases', '-o', 'yaml'))).toEqual(json);
    const lines = parseAllDocuments(await say('status', '--watch', '-o', 'yaml'));
    expect(lines.map((line) => line.toJS() as object)).toMatchObject([
      { data: { clusterId: 'demo' } },
    ]);
  });

  it.each([['-o', 'json'], ['-ojson'], ['--output=json']])(
    'is heard where the command line is wrong: %s',
    async (...form) => {
      const { exitCode, stdout } = await project.start(['list', '--nope', ...form]);
      expect(exitCode).toBe(2);
      expect(JSON.parse(stdout)).toMatchObject({ ok: false, errors: [{ code: 'usage' }] });
    },
  );

  it.each([
    ['list', '-o', 'table'],
    ['deploy', '-o', 'wide'],
    ['deploy', '-o', 'name'],
    ['list', '--json', '-o', 'wide'],
  ])('is refused where there is no such form: %s %s %s', async (...line) => {
    expect((await project.start(line)).exitCode).toBe(2);
  });

  it('is there for every list', () => {
    const listing = verbs.filter(({ lists }) => lists).map(({ name }) => name);
    expect(listing).toEqual(expect.arrayContaining(['list', 'session list', 'status', 'releases']));
  });
});
