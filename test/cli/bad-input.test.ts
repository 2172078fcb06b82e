/** What users do wrong: a clear answer, a documented exit code, nothing left running. */
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { onTmpfs, whyNoTmpfs } from '../tmpfs.ts';
import { Project, eventually, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(async () => {
  // A TaskManager may still be on its way up when its application has failed already.
  await eventually(() => project.running().length === 0);
  await project.remove();
});

const job = (body: string, args = '') =>
  `${imports}\nexport const job = defineJob('demo', ${args}(env, args) => {\n${body}\n});`;
const numbers = 'env.fromSource(CollectionSource.of([1]))';

describe('before anything is started', () => {
  it.each([
    ['an entry without a job', `${imports} export const x = 1;`, 'defines no job'],
    [
      'two jobs of one name',
      `${imports} const b = (env) => { ${numbers}.sinkTo(DiscardSink.create()); }; defineJob('a', b); defineJob('a', b);`,
      "two jobs have the name 'a'",
    ],
    [
      'a builder that is not deterministic',
      job(
        `${numbers}.map((x) => x, { name: String(Math.random()) }).sinkTo(DiscardSink.create());`,
      ),
      'another graph each time',
    ],
    [
      'a key without a canonical encoding',
      job(
        `${numbers}.keyBy(() => new Map(), { type: types.map(types.string) }).reduce((a) => a).sinkTo(DiscardSink.create());`,
      ),
      'cannot be a key',
    ],
    ['a job without a sink', job(`${numbers};`), 'no sink'],
    ['an import that cannot be resolved', "import './gone';", 'Could not resolve "./gone"'],
  ])('refuses %s', async (_what, app, message) => {
    await project.write('src/app.ts', app);
    const { exitCode, json } = await project.run('deploy');
    expect(exitCode).toBe(3);
    expect(json.ok).toBe(false);
    expect(json.errors.map((e) => e.message).join('\n')).toContain(message);
  });

  it.each([
    ['an entry without a job', `${imports} export const x = 1;`, 'defines no job'],
    ['an entry that throws', "throw new Error('boom');", 'boom'],
  ])('bundles nothing that nobody can run: %s', async (_what, app, message) => {
    await project.write('src/app.ts', app);
    const { exitCode, json } = await project.run('bundle', 'out.mjs');
    expect(exitCode).toBe(3);
    expect(json.errors.map((e) => e.message).join()).toContain(message);
    expect(await readdir(project.folder)).not.toContain('out.mjs');
  });

  it('bundles several jobs without a main(), of which a submission names one', async () => {
    const one = (name: string) =>
      `defineJob('${name}', (env) => { ${numbers}.sinkTo(DiscardSink.create()); });`;
    await project.write('src/app.ts', `${imports} ${one('a')} ${one('b')}`);
    expect((await project.run('bundle', 'out.mjs')).exitCode).toBe(0);
    expect(await readdir(project.folder)).toContain('out.mjs');
  });

  it("names the place in the user's file where a builder threw", async () => {
    await project.write('src/app.ts', job("  throw new Error('boom');"));
    const { exitCode, json } = await project.run('deploy');
    expect(exitCode).toBe(3);
    expect(json.errors[0]!.message).toContain('its builder threw: boom');
    expect(json.errors[0]!.hint).toContain('src/app.ts:3:9');
  });

  it('refuses arguments of the wrong type, all at once', async () => {
    const type = '{ args: types.record({ input: types.string, count: types.int32 }) }, ';
    await project.write('src/app.ts', job(`${numbers}.sinkTo(DiscardSink.create());`, type));
    const { exitCode, json } = await project.run(
      'deploy',
      '--set',
      'application.args={input: [a], cuont: 1}',
    );
    expect(exitCode).toBe(3);
    expect(json.errors.map((e) => e.path)).toEqual([
      '/application/args/input',
      '/application/args/count',
      '/application/args/cuont',
    ]);
  });

  it('refuses an npm package with a native module', async () => {
    await project.write('node_modules/native/package.json', '{"name":"native","main":"index.js"}');
    await project.write('node_modules/native/index.js', 'module.exports = 1;');
    await project.write('node_modules/native/binding.gyp', '{}');
    await project.write('src/app.ts', "import 'native';");
    const { exitCode, json } = await project.run('deploy');
    expect(exitCode).toBe(3);
    expect(json.errors[0]).toMatchObject({ code: 'native-module' });
    expect(json.errors[0]!.message).toContain("'native'");
  });

  it('reports every mistake of a config with its line', async () => {
    await project.write(
      'fctl.config.yaml',
      [
        'cluster: Demo',
        'mode: sesion',
        'taskmanagr: {}',
        'taskmanager: { slots: zero }',
        'application: { entry: ./gone.ts }',
      ].join('\n'),
    );
    const { exitCode, json } = await project.run('deploy');
    expect(exitCode).toBe(3);
    const lines = Object.fromEntries(json.errors.map((e) => [e.path, e.line]));
    expect(lines).toEqual({
      '/cluster': 1,
      '/mode': 2,
      '/taskmanagr': 3,
      '/taskmanager/slots': 4,
      '/application/entry': 5,
    });
  });

  it('refuses a port that is taken', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    await project.write('src/app.ts', job(`${numbers}.sinkTo(DiscardSink.create());`));
    const { exitCode, json } = await project.run('deploy', '--set', `jobmanager.rest.port=${port}`);
    holder.close();
    expect(exitCode).toBe(4);
    expect(json.errors[0]).toMatchObject({ code: 'port-taken', path: '/jobmanager/rest/port' });
  });

  it.each([
    [['deplyo'], 2],
    [['deploy', '--nope'], 2],
    [['status', 'nobody'], 7],
    [['logs', 'nobody'], 7],
    [['destroy', 'nobody', '--yes'], 7],
    [['deploy', '--timeout', 'soon'], 2],
  ])('answers %j with exit code %i and one JSON document', async (args, code) => {
    const { exitCode, json } = await project.run(...args);
    expect(exitCode).toBe(code);
    expect(json).toMatchObject({ ok: false, data: null });
    expect(json.errors.length).toBeGreaterThan(0);
  });
});

describe('a wrong command line', () => {
  it.each([
    [[], '', 'no command was given'],
    [['nope'], '', "unknown command 'nope'"],
    [['help', 'nope'], '', "unknown command 'nope'"],
    [['session'], 'session', 'no command was given'],
    [['session', 'nope'], 'session', "unknown command 'nope'"],
    [['session', 'start', 'a', 'b'], 'session start', 'too many arguments'],
    [['list', '--nope'], 'list', "unknown option '--nope'"],
  ])('is answered with exit code 2 and one JSON document: %j', async (args, command, message) => {
    const { exitCode, json } = await project.run(...args);
    expect(exitCode).toBe(2);
    expect(json).toMatchObject({ ok: false, command, data: null, errors: [{ code: 'usage' }] });
    expect(json.errors[0]!.message).toContain(message);
  });
});

describe('while it runs', () => {
  const record = 'const t = types.record({ a: types.int32, b: types.string });';

  it.each([
    [
      'an input that is missing',
      job("env.fromSource(FileSource.text('nope.txt')).sinkTo(DiscardSink.create());"),
      'nope.txt does not exist',
    ],
    [
      'a malformed row',
      job(
        `${record} env.fromSource(FileSource.csv('in.csv', t)).sinkTo(FileSink.csv('out', { type: t }));`,
      ),
      "in.csv:3: column 'a': expected int32",
    ],
    [
      'a file that is not Parquet',
      job(
        `${record} env.fromSource(FileSource.parquet('in.csv', t)).sinkTo(FileSink.csv('out', { type: t }));`,
      ),
      'in.csv',
    ],
    [
      'a sink that cannot be written',
      job(
        `${record} env.fromSource(FileSource.csv('in.csv', t)).sinkTo(FileSink.csv('in.csv/out', { type: t }));`,
      ),
      'cannot be written',
    ],
    [
      'a main() that ends the process',
      `${imports} ${job('').split('\n').slice(1).join('\n')} export const main = () => process.exit(3);`,
      'process.exit(3)',
    ],
  ])('fails with %s, telling where', async (_what, app, message) => {
    await project.write('in.csv', 'a,b\n1,x\nz,y\n');
    await project.write('src/app.ts', app);
    const { exitCode, json } = await project.run('deploy');
    expect(exitCode).toBe(6);
    expect(json.errors[0]!.message).toContain(message);
    expect(json.data.outcome.status).toBe('FAILED');
    const files = await readdir(project.folder, { recursive: true });
    expect(files.filter((name) => name.startsWith('out/'))).toEqual([]);
    const status = await project.run('status');
    expect(status.json.data.state).toBe('FAILED');
  });

  const disk = whyNoTmpfs === null ? '' : ` (${whyNoTmpfs})`;
  it(`fails when the disk is full, and keeps the output of the run before${disk}`, async (context) => {
    if (whyNoTmpfs !== null) return context.skip(whyNoTmpfs);
    const numbers = (count: number) =>
      job(
        `${record} env.fromSource(GeneratorSource.of({ count: ${count}, create: (a) => ({ a, b: 'b' }) })).sinkTo(FileSink.csv('disk/out', { type: t }));`,
      );
    await mkdir(join(project.folder, 'disk'));
    await onTmpfs(join(project.folder, 'disk'), 64, async () => {
      await project.write('src/app.ts', numbers(1));
      expect((await project.run('deploy')).exitCode).toBe(0);
      await project.write('src/app.ts', numbers(1e5));
      const { exitCode, json } = await project.run('deploy');
      expect(exitCode).toBe(6);
      expect(json.errors[0]!.message).toContain('the disk is full');
      const out = join(project.folder, 'disk/out');
      expect(await readdir(out)).toEqual(['part-0.csv']);
      expect(await readFile(join(out, 'part-0.csv'), 'utf8')).toBe('a,b\n0,b\n');
    });
  });

  it('says that nothing can be written where bundles are kept', async () => {
    await project.write('src/app.ts', job(`${numbers}.sinkTo(DiscardSink.create());`));
    const environment = { XDG_CACHE_HOME: join(project.folder, 'fctl.config.yaml') };
    const { exitCode, stderr } = await project.start(['deploy'], environment);
    expect(exitCode).toBe(4);
    expect(stderr).toContain('set XDG_CACHE_HOME');
  });

  it("shows the user's file, line and task of an exception", async () => {
    await project.write(
      'src/app.ts',
      job(
        `${numbers}.map((x) => {\n  throw new TypeError('mine');\n}).sinkTo(DiscardSink.create());`,
      ),
    );
    const { exitCode, json } = await project.run('deploy');
    expect(exitCode).toBe(6);
    expect(json.data.outcome.status).toBe('FAILED');
    expect(json.errors[0]!.message).toContain('TypeError: mine');
    expect(json.errors[0]!.message).toContain('src/app.ts:4:9');
    expect(json.errors[0]!.message).toContain('Source: collection -> Map -> Sink: discard (1/1)');
  });

  it('does not say of a job that never ran that it runs', async () => {
    await project.write(
      'src/app.ts',
      job("env.fromSource(FileSource.text('nope.txt')).sinkTo(DiscardSink.create());"),
    );
    const { exitCode, json, stderr } = await project.run('deploy', '--detach');
    expect(exitCode).toBe(6);
    expect(json.data.outcome.status).toBe('FAILED');
    expect(stderr).toContain('nope.txt does not exist');
  });

  it('says which slots are missing', async () => {
    await project.write('src/app.ts', job(`${numbers}.sinkTo(DiscardSink.create());`));
    const { exitCode, json } = await project.run(
      'deploy',
      '--set',
      'application.parallelism=3',
      '--set',
      'taskmanager.slotRequestTimeout=3s',
    );
    expect(exitCode).toBe(6);
    expect(json.errors[0]!.message).toContain('needs 3 slots, 1 TaskManager offers 1');
  });

  it('refuses to change a cluster of a newer protocol, and still shows and removes it', async () => {
    await project.write('src/app.ts', job(`${numbers}.sinkTo(DiscardSink.create());`));
    await project.run('deploy');
    const record = join('home/clusters/demo/record');
    const [name] = (await readdir(join(project.folder, record))).filter((n) =>
      n.startsWith('cluster.'),
    );
    await project.write(
      join(record, name!),
      JSON.stringify({ protocol: 99, fctlVersion: '9.0.0', retentionMs: 1e9 }),
    );
    const { exitCode, json } = await project.run('deploy');
    expect(exitCode).toBe(8);
    expect(json.errors[0]).toMatchObject({ code: 'newer-cluster' });
    expect((await project.run('status')).json.data.state).toBe('SUCCEEDED');
    expect((await project.run('destroy', '--yes')).exitCode).toBe(0);
  });
});
