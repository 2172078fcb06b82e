import { mkdir, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findConfigFile, searchPlaces } from '../../src/config/find.ts';
import { textLayer } from '../../src/config/text-file.ts';
import { Project, load } from './project.ts';

const contents = (place: string): string => {
  if (place === 'package.json') return '{ "fctl": { "cluster": "ab" } }';
  if (/\.(ts|mjs|js)$/.test(place)) return "export default { cluster: 'ab' };";
  return '{ "cluster": "ab" }';
};

describe('config files', () => {
  it.each([...searchPlaces])('loads %s', async (place) => {
    await using project = await Project.with({ [place]: contents(place) });
    const { config, file } = await project.load();
    expect(config.cluster).toBe('ab');
    expect(file).toBe(join(project.folder, place));
  });

  it.each(searchPlaces.filter((place) => place !== 'package.json'))(
    'takes %s for the config also when it is empty, and no other',
    async (place) => {
      await using project = await Project.with({
        'fctl.config.yaml': 'cluster: above',
        [`inner/${place}`]: ' \n',
      });
      const found = await findConfigFile(join(project.folder, 'inner'));
      expect(found).toEqual({ file: join(project.folder, 'inner', place), text: '' });
      await expect(project.load({ cwd: join(project.folder, 'inner') })).rejects.toThrow();
    },
  );

  it('looks above, up to the root of the project, and takes paths from there', async () => {
    await using project = await Project.with({
      'fctl.config.yaml':
        'cluster: ab\napplication: { entry: ./app.ts }\nproviders: { local: { dir: ./x } }',
      'inner/package.json': '{}',
    });
    const { folder } = project;
    await mkdir(join(folder, 'a/b'), { recursive: true });
    const { config } = await project.load({ cwd: join(folder, 'a/b') });
    expect(config).toMatchObject({
      projectDir: folder,
      application: { entry: join(folder, 'app.ts') },
      providers: { local: { dir: join(folder, 'x') } },
    });
    expect(await findConfigFile(join(folder, 'inner'))).toBeNull();
  });

  it('passes over what is not meant: a package.json without our key or with mistakes', async () => {
    await using project = await Project.with({
      'a/package.json': '{ "name": ',
    });
    expect(await findConfigFile(project.folder)).toBeNull();
    expect(await findConfigFile(join(project.folder, 'a'))).toBeNull();
  });

  it('takes the one that was named', async () => {
    await using project = await Project.with({
      'fctl.config.yaml': 'cluster: ab',
      'other.yaml': 'cluster: cd',
      'empty.yaml': '',
    });
    const { config, file } = await project.load({ configPath: 'other.yaml' });
    expect([config.cluster, file]).toEqual(['cd', join(project.folder, 'other.yaml')]);
    expect((await project.problems({ configPath: 'gone.yaml' })).map((p) => p.code)).toEqual([
      'config-missing',
    ]);
    expect((await project.problems({ configPath: '.' })).map((p) => p.code)).toEqual([
      'config-missing',
    ]);
    expect((await project.problems({ configPath: 'empty.yaml' })).map((p) => p.path)).toEqual([
      '/cluster',
    ]);
  });

  it('knows the home of the user', async () => {
    const { config } = await load('cluster: ab\nproviders: { local: { dir: ~/x } }');
    expect(config.providers.local.dir).toBe(join(homedir(), 'x'));
  });

  it('passes over keys that begin with x-, and keeps texts that numbers would not keep', async () => {
    const { config } = await load(
      [
        'x-words: &words { version: 1.10, account: 1234567890123456789 }',
        'x-small: &small { cpu: 0.50, memory: 256MiB }',
        'cluster: ab',
        'application:',
        '  entry: app.ts',
        '  args: { <<: *words, zip: 01234, n: 5, half: 0.5, list: [1.0, 2] }',
        'taskmanager: { resources: *small }',
        'environments: { test: { application: { args: { zip: 00501 } } } }',
      ].join('\n'),
      { environment: 'test' },
    );
    expect(config.application!.args).toEqual({
      version: '1.10',
      account: '1234567890123456789',
      zip: '00501',
      n: 5,
      half: 0.5,
      list: ['1.0', 2],
    });
    expect(config.taskmanager.resources.cpu).toBe(0.5);
  });

  it('allows $schema, anchors and merged keys', async () => {
    const { config } = await load(`$schema: ./fctl.schema.json
cluster: ab
jobmanager: { resources: &small { cpu: 2, memory: 100MiB } }
taskmanager: { resources: { <<: *small, cpu: 3 } }`);
    expect(config.taskmanager.resources).toEqual({ cpu: 3, memoryBytes: 100 * 1024 * 1024 });
  });

  it('reads JSON as JSON.parse does', () => {
    const json = fc.object({
      maxDepth: 3,
      values: [
        fc.string({ unit: 'binary' }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
      ],
    });
    fc.assert(
      fc.property(json, fc.constantFrom('', '  ', '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const { layer, problems } = textLayer({ file: 'fctl.config.json', text });
        expect(problems).toEqual([]);
        expect(JSON.stringify(layer!.values)).toEqual(JSON.stringify(JSON.parse(text)));
      }),
    );
  });
});

describe('TypeScript and JavaScript', () => {
  it('imports files, packages and fctl/config, and knows where it is', async () => {
    await using project = await Project.with({
      'fctl.config.ts': `import { defineConfig, type FctlConfig } from 'fctl/config';
import { basename } from 'node:path';
import { cluster } from './inner/names';
import esm from 'an-esm-package';
import { cjs } from 'a-cjs-package';
enum Slots { Few = 2 }
const config: FctlConfig = { cluster: cluster + basename('/-x'), taskmanager: { slots: Slots.Few } };
export default defineConfig({
  ...config,
  application: { entry: import.meta.dirname + '/app.ts', args: { esm, cjs, url: import.meta.url, skipped: undefined } },
  retention: undefined,
});`,
      'inner/names.ts':
        "export const cluster: string = 'in-' + import.meta.dirname.split('/').at(-1);",
      'node_modules/an-esm-package/package.json': '{ "type": "module", "exports": "./main.js" }',
      'node_modules/an-esm-package/main.js':
        "import { deep } from './deep.js'; export default deep;",
      'node_modules/an-esm-package/deep.js':
        "export const deep = 'esm' + import.meta.dirname.length;",
      'node_modules/a-cjs-package/index.js': "exports.cjs = 'cjs' + require('node:path').sep;",
    });
    const { config } = await project.load();
    const { folder } = project;
    expect(config.cluster).toBe('in-inner-x');
    expect(config.taskmanager.slots).toBe(2);
    expect(config.application).toMatchObject({
      entry: join(folder, 'app.ts'),
      args: {
        esm: `esm${join(folder, 'node_modules/an-esm-package').length}`,
        cjs: 'cjs/',
        url: `file://${folder}/fctl.config.ts`,
      },
    });
    expect(Object.keys(config.application!.args)).not.toContain('skipped');
    expect(config.retentionMs).toBe(86_400_000);
    expect((await readdir(folder)).toSorted()).toEqual([
      'fctl.config.ts',
      'inner',
      'node_modules',
      'package.json',
    ]);
  });

  it('may be CommonJS', async () => {
    await using project = await Project.with({
      'fctl.config.js':
        "const { sep } = require('node:path');\nconst { name } = require('a-package');\nmodule.exports = { cluster: name, retention: sep === '/' ? '1h' : '2h' };",
      'node_modules/a-package/index.js': "exports.name = 'cd';",
    });
    const { config } = await project.load();
    expect([config.cluster, config.retentionMs]).toEqual(['cd', 3_600_000]);
  });

  it.each([
    ["throw new Error('boom')", 'cannot be evaluated: boom'],
    ["throw 'boom'", 'cannot be evaluated: boom'],
    ['throw null', 'cannot be evaluated: null'],
    ["throw new AggregateError([new Error('a')], 'boom')", 'cannot be evaluated: boom'],
    ["throw new AggregateError([], 'boom')", 'cannot be evaluated: boom'],
    ['export default 3', 'its default export is not an object'],
    ['export const a = 1', 'its default export is not an object'],
    ["import 'not-there'; export default {}", 'Could not resolve "not-there"'],
  ])('refuses %j', async (text, message) => {
    await using project = await Project.with({ 'fctl.config.ts': text });
    const [problem, ...more] = await project.problems();
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ file: join(project.folder, 'fctl.config.ts') });
    expect(problem!.message).toContain(message);
  });

  it('refuses values that are no data', async () => {
    await using project = await Project.with({
      'fctl.config.ts': `const loop: any = {}; loop.self = loop;
export default { cluster: 'ab', application: { entry: 'a', args: { f() {}, n: NaN, d: new Date(), b: Symbol(), loop, s: [undefined] } } }`,
    });
    const problems = await project.problems();
    expect(problems.map((p) => `${p.path} ${p.message}`)).toEqual(
      [
        'f a function',
        'n NaN',
        'd an instance of Date',
        'b a symbol',
        'loop/self an object that contains itself',
        's/0 undefined in a list',
      ].map((text) => `/application/args/${text} cannot be part of a configuration`),
    );
  });

  it('refuses a number that may have lost digits, and says how to write it', async () => {
    await using project = await Project.with({
      'fctl.config.ts': `export default {
  cluster: 'ab',
  application: { entry: 'a', args: { ids: [1, 1234567890123456789], least: -(2 ** 53), most: 2 ** 53 - 1 } } }`,
    });
    const problems = await project.problems();
    expect(problems.map(({ path, message, hint }) => ({ path, message, hint }))).toEqual(
      [
        ['/application/args/ids/1', '1234567890123456800'],
        ['/application/args/least', '-9007199254740992'],
      ].map(([path, digits]) => ({
        path,
        message: `the number ${digits}, which may have lost digits above 2^53, cannot be part of a configuration`,
        hint: "write it as text ('…'), or in application.args as a bigint (123n)",
      })),
    );
  });

  it('takes a bigint for digits among the arguments, and nowhere else', async () => {
    const config = (slots: string) => `export default {
  cluster: 'ab', taskmanager: { slots: ${slots} },
  application: { entry: 'a', args: { ids: [1234567890123456789n] } },
  environments: { test: { application: { args: { ids: [-1234567890123456789n] } } } } }`;
    await using project = await Project.with({ 'fctl.config.ts': config('1') });
    const load = async (environment: string | null) =>
      (await project.load({ environment })).parsed.application?.args;
    expect(await load(null)).toEqual({ ids: ['1234567890123456789'] });
    expect(await load('test')).toEqual({ ids: ['-1234567890123456789'] });
    await project.write('fctl.config.ts', config('1n'));
    expect((await project.problems()).map(({ path, message }) => `${path} ${message}`)).toContain(
      '/taskmanager/slots a bigint cannot be part of a configuration',
    );
  });
});
