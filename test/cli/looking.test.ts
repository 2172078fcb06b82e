/** Verbs that look at clusters, and end them, whatever state the folder, the record or the home is in. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, Project, eventually, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

const endless = `${imports}
export const job = defineJob('demo', (env) => {
  env.fromSource(GeneratorSource.of({ count: 1e6, create: (i) => i, ratePerSecond: 10 })).sinkTo(DiscardSink.create());
});`;

/** One a line. */
const documents = (stdout: string) =>
  stdout.split('\n').map((line) => JSON.parse(line) as Answer['json']);

async function deployEndless(): Promise<void> {
  await project.write('src/app.ts', endless);
  const { exitCode, stderr } = await project.run('deploy', '--detach');
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
}

describe('a damaged record', () => {
  it.each(['cluster', 'endpoint', 'releases', 'lock', 'outcome'])(
    'in its document %s is told, hides no other cluster, and can be destroyed',
    async (name) => {
      await deployEndless();
      const record = join(project.folder, 'home/clusters/demo/record');
      const newest = (await readdir(record))
        .filter((f) => f.startsWith(`${name}.`))
        .sort()
        .at(-1);
      await writeFile(join(record, newest ?? `${name}.1.json`), '{"half":');
      await mkdir(join(project.folder, 'home/clusters/other/record'), { recursive: true });

      const list = await project.run('list');
      expect(list.exitCode).toBe(0);
      const ids = list.json.data.clusters.map((c: { clusterId: string }) => c.clusterId);
      expect(ids).toEqual(['demo', 'other']);
      const status = await project.run('status', 'demo');
      if (name !== 'lock') expect(status.json.data.explanation).toContain(`${name}.`);
      const deploy = await project.run('deploy', '--detach', '--set', 'taskmanager.replicas=2');
      expect(deploy.exitCode).toBe(4);
      expect(deploy.json.errors[0]!.code).toBe('record-damaged');
      expect((await project.run('doctor')).exitCode).toBe(0);
      expect((await project.run('destroy', 'demo', '--yes')).exitCode).toBe(0);
      expect(project.running()).toEqual([]);
      expect(await readdir(join(project.folder, 'home/clusters'))).toEqual(['other']);
    },
  );
});

describe('a home that cannot be used', () => {
  it('is not taken for one without clusters', async () => {
    await writeFile(join(project.folder, 'home'), 'a file');
    const { exitCode, json } = await project.run('list');
    expect(exitCode).toBe(4);
    expect(json.errors[0]).toMatchObject({ code: 'home-not-usable' });
    expect(json.errors[0]!.hint).toContain('FCTL_HOME');
  });
});

describe('status --watch', () => {
  it('shows every change as a line of JSON, ends with the application and with its exit code', async () => {
    const gate = join(project.folder, 'gate');
    await project.write(
      'src/app.ts',
      `${imports}
import { existsSync } from 'node:fs';
export const job = defineJob('demo', (env) => {
  env.fromSource(GeneratorSource.of({ count: 1e6, create: (i) => i, ratePerSecond: 20 }))
    .map((n) => { if (existsSync(${JSON.stringify(gate)})) throw new Error('enough'); return n; })
    .sinkTo(DiscardSink.create());
});`,
    );
    expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
    const watching = project.start(['status', '--watch', '--json']);
    const states = (text: string) =>
      text.split('\n').flatMap((line) => {
        try {
          return [(JSON.parse(line) as { data: { state: string } }).data.state];
        } catch {
          return [];
        }
      });
    let seen = '';
    watching.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    await eventually(() => states(seen).includes('RUNNING'));
    await writeFile(gate, '');
    const { exitCode } = await watching;
    expect(exitCode).toBe(6);
    expect(states(seen).at(-1)).toBe('FAILED');
  });

  it('ends at once when it is interrupted, and leaves the cluster alone', async () => {
    await deployEndless();
    const watching = project.start(['status', '--watch', '--json']);
    await once(watching.stdout, 'data');
    watching.kill('SIGINT');
    const { exitCode, stdout } = await watching;
    expect(exitCode).toBe(130);
    expect(documents(stdout).at(-1)).toMatchObject({
      ok: false,
      errors: [{ code: 'interrupted' }],
    });
    expect((await project.run('status')).json.data.state).toBe('RUNNING');
  });
});

describe('logs -f', () => {
  const ticking = (gate: string) => `${imports}
import { existsSync } from 'node:fs';
export const job = defineJob('demo', (env) => {
  env.fromSource(GeneratorSource.of({ count: 1e6, create: (i) => i, ratePerSecond: 20 }))
    .map((n) => { if (existsSync(${JSON.stringify(gate)})) throw new Error('enough'); console.log('tick', n); return n; })
    .sinkTo(DiscardSink.create());
});`;

  it('tells what is added as lines of JSON, and ends with the cluster', async () => {
    const gate = join(project.folder, 'gate');
    await project.write('src/app.ts', ticking(gate));
    expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
    const printed = project.start(['logs', 'demo', 'taskmanager-0', '--out', '-f']);
    const logged = project.start(['logs', '-f', '--json']);
    let seen = '';
    printed.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    await eventually(() => seen.split('taskmanager-0 tick ').length > 10);
    await writeFile(gate, '');
    expect((await printed).exitCode).toBe(0);
    const { exitCode, stdout } = await logged;
    expect(exitCode).toBe(0);
    const lines = documents(stdout);
    for (const line of lines) expect(line).toMatchObject({ ok: true, command: 'logs', errors: [] });
    const said = lines.map(({ data }) => `${data.process}: ${data.entry.message}`);
    expect(said).toContain('taskmanager-0: TaskManager ends: the JobManager dismissed it');
    expect(said.some((line) => line.startsWith('jobmanager-0: '))).toBe(true);
  });

  it.each([
    ['SIGINT', 130, 'interrupted'],
    ['--timeout', 124, 'timed-out'],
  ])('ends by %s with exit code %i', async (how, code, error) => {
    await deployEndless();
    const timeout = how === '--timeout' ? ['--timeout', '2s'] : [];
    const following = project.start(['logs', '-f', '--json', ...timeout]);
    await once(following.stdout, 'data');
    if (how === 'SIGINT') following.kill('SIGINT');
    const { exitCode, stdout } = await following;
    expect(exitCode).toBe(code);
    expect(documents(stdout).at(-1)).toMatchObject({ ok: false, errors: [{ code: error }] });
  });
});

it.each([
  ['SIGINT', 130, 'interrupted'],
  ['--timeout', 124, 'timed-out'],
])('ends by %s with exit code %i while a JobManager does not answer', async (how, code, error) => {
  await deployEndless();
  const silent = createServer().listen(0, '127.0.0.1');
  try {
    await once(silent, 'listening');
    await moveEndpoint((silent.address() as AddressInfo).port);
    const asked = once(silent, 'request');
    const looking = project.start(['list', '--json', ...(how === 'SIGINT' ? [] : [how, '1s'])]);
    if (how === 'SIGINT') {
      await asked;
      looking.kill('SIGINT');
    }
    const { exitCode, stdout } = await looking;
    expect(exitCode).toBe(code);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, data: null, errors: [{ code: error }] });
  } finally {
    silent.closeAllConnections();
    silent.close();
  }
});

/** As if the JobManager was at another port. */
async function moveEndpoint(port: number): Promise<void> {
  const record = join(project.home, 'clusters/demo/record');
  const [name] = (await readdir(record)).filter((file) => file.startsWith('endpoint.'));
  const endpoint = JSON.parse(await readFile(join(record, name!), 'utf8')) as object;
  const rest = `http://127.0.0.1:${port}`;
  await writeFile(join(record, name!), JSON.stringify({ ...endpoint, rest }));
}

it('prints no line of a log when none was asked for', async () => {
  await deployEndless();
  expect((await project.run('logs', '-n', '0')).json.data.lines).toEqual([]);
  expect((await project.run('logs', '-n', '1')).json.data.lines).toHaveLength(2);
  expect((await project.run('logs', '-n', '-1')).exitCode).toBe(2);
  expect((await project.run('logs', 'demo', 'nobody-0')).exitCode).toBe(7);
});

describe('a secret argument', () => {
  it('is in one file that only the owner may read, and nowhere else', async () => {
    const secret = 'hunter"2-\\secret';
    await project.configure("  args: { password: '${env:DEMO_PASSWORD}' }");
    await project.write(
      'src/app.ts',
      `${imports}
export const job = defineJob('demo', { args: types.record({ password: types.string }) }, (env, args) => {
  env.fromSource(CollectionSource.of([1]), { name: 'of ' + args.password }).map((n) => {
    console.log('printed ' + args.password);
    throw new Error('failed with ' + args.password);
  }).sinkTo(CollectSink.named(args.password));
});
export async function main(ctx) {
  console.log('main has ' + ctx.args.password);
  if (ctx.args.password !== ${JSON.stringify(secret)}) throw new Error('not the secret');
  await ctx.execute(job, ctx.args);
}`,
    );
    const environment = { DEMO_PASSWORD: secret };
    const said: string[] = [];
    const verbs = [['compile'], ['plan'], ['deploy'], ['status'], ['logs'], ['logs', '--out']];
    for (const verb of verbs.flatMap((v) => [v, [...v, '--json', '--verbose']])) {
      const { stdout, stderr } = await project.start(verb, environment);
      said.push(stdout, stderr);
    }
    const forms = [secret, JSON.stringify(secret).slice(1, -1)];
    for (const form of forms) expect(said.join('\n')).not.toContain(form);
    expect(said.join('\n')).toContain('failed with ******');
    expect(said.join('\n')).toContain('printed ******');
    expect(said.join('\n')).toContain('main has ******');

    const home = join(project.folder, 'home');
    const files = await readdir(home, { recursive: true, withFileTypes: true });
    const holding: string[] = [];
    for (const file of files.filter((f) => f.isFile())) {
      const text = await readFile(join(file.parentPath, file.name), 'utf8');
      if (forms.some((form) => text.includes(form))) holding.push(file.name);
    }
    expect(holding).toEqual(['application-args']);
  });
});
