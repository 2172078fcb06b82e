/** What the words and flags of a command line mean, whatever verb they are for. */
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { optionsOf } from '../../src/cli/verb.ts';
import { verbs } from '../../src/cli/verbs.ts';
import { Project, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

const endless = `${imports}
export const job = defineJob('demo', (env) => {
  env.fromSource(GeneratorSource.of({ create: (i) => i, ratePerSecond: 10 })).sinkTo(DiscardSink.create());
});`;

async function deployEndless(): Promise<void> {
  await project.write('src/app.ts', endless);
  expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
}

/** A cluster that has nothing but its folder. */
const makeCluster = (id: string) =>
  mkdir(join(project.home, 'clusters', id, 'record'), { recursive: true });

const processesIn = (stdout: string) =>
  new Set(stdout.split('\n').map((line) => line.split(' ')[0]));

describe('the words for a cluster and its process', () => {
  it('mean a process of the project, its cluster, or both', async () => {
    await deployEndless();
    const say = async (...args: string[]) => {
      const { exitCode, stdout } = await project.start(['logs', '-n', '1', ...args]);
      expect(exitCode).toBe(0);
      return processesIn(stdout);
    };
    expect(await say('taskmanager-0')).toEqual(new Set(['taskmanager-0']));
    expect(await say('demo')).toEqual(new Set(['jobmanager-0', 'taskmanager-0']));
    expect(await say('demo', 'jobmanager-0')).toEqual(new Set(['jobmanager-0']));
    expect(await say('--cluster', 'demo', 'jobmanager-0')).toEqual(new Set(['jobmanager-0']));
    expect(await say('--cluster', 'demo')).toEqual(new Set(['jobmanager-0', 'taskmanager-0']));

    expect((await project.run('restart', 'taskmanager-0', '--allow-state-loss')).exitCode).toBe(0);
    const { json } = await project.run('audit');
    expect(json.data.entries[0]).toMatchObject({ action: 'restart taskmanager-0' });
    for (const words of [
      ['taskmanager-0'],
      ['demo', 'taskmanager-0'],
      ['--cluster', 'demo', 'taskmanager-0'],
    ]) {
      const { exitCode, stdout } = await project.start(['exec', ...words, '--', 'echo', '-n', 'x']);
      expect([exitCode, stdout]).toEqual([0, 'x']);
      const bare = await project.start(['exec', ...words, 'echo', 'x']);
      expect([bare.exitCode, bare.stdout]).toEqual([0, 'x']);
    }
  });

  it.each([
    [['logs', 'taskmanager-0'], 2],
    [['restart', 'taskmanager-0'], 2],
    [['exec', 'taskmanager-0', '--', 'true'], 125],
  ])('are not guessed at: %j', async (line, code) => {
    await makeCluster('demo');
    await makeCluster('taskmanager-0');
    const [verb, ...words] = line as [string, ...string[]];
    const both = await project.start([verb, '--json', ...words]);
    expect(both.exitCode).toBe(code);
    expect(both.stdout).toContain('may be the process of demo, or the cluster of that name');
    // Where nothing else names a cluster, the one of that name is meant.
    await project.write('empty/package.json', '{}');
    const empty = join(project.folder, 'empty');
    const alone = await project.start([verb, '--json', ...words], {}, empty);
    expect(alone.stdout).not.toContain('ambiguous');
    expect(alone.stdout).not.toContain('cluster-missing');
    await project.start(['destroy', 'taskmanager-0', '--yes'], {}, empty);
    const nobody = await project.start([verb, '--json', ...words], {}, empty);
    expect(nobody.exitCode).toBe(code);
    expect(nobody.stdout).toContain('nothing says of which cluster');
  });

  it('name the cluster once', async () => {
    const { exitCode, json } = await project.run('status', 'demo', '--cluster', 'other');
    expect(exitCode).toBe(2);
    expect(json.errors).toMatchObject([{ code: 'cluster-named-twice' }]);
  });
});

it.each(verbs.map(({ name }) => name))(
  'no word of a verb is called like one of its options: %s',
  (name) => {
    const verb = verbs.find((known) => known.name === name)!;
    const options = Object.keys(optionsOf(verb));
    const both = Object.keys(verb.arguments).filter((word) => options.includes(word));
    // `--cluster` stands for the word.
    expect(both.filter((word) => word !== 'cluster')).toEqual([]);
  },
);

describe('every verb that concerns a cluster', () => {
  const concerned = verbs.filter(
    ({ arguments: words, runsCommand }) => 'cluster' in words || runsCommand !== undefined,
  );

  it.each(concerned.map(({ name }) => name))(
    'takes --cluster, --provider and --env: %s',
    (name) => {
      const options = optionsOf(verbs.find((verb) => verb.name === name)!);
      expect(Object.keys(options)).toEqual(expect.arrayContaining(['cluster', 'provider', 'env']));
    },
  );

  it.each(['status', 'releases', 'scale --taskmanagers 2', 'rollback', 'cancel', 'session stop'])(
    'means the one of --cluster: %s',
    async (line) => {
      const { exitCode, json } = await project.run(...line.split(' '), '--cluster', 'nobody');
      expect(exitCode).toBe(7);
      expect(json.errors[0]!.message).toContain("'nobody'");
    },
  );

  it('deploys under the name of --cluster', async () => {
    await project.write('src/app.ts', endless);
    const { json } = await project.run('plan', '--cluster', 'other');
    expect(json.data.clusterId).toBe('other');
  });
});

describe('short forms', () => {
  it.each([
    ['ls', 'list'],
    ['ps', 'status'],
    ['rm', 'destroy'],
    ['down', 'destroy'],
    ['up', 'deploy'],
    ['history', 'releases'],
    ['session ls', 'session list'],
  ])('%s means %s', async (short, verb) => {
    const { json } = await project.run(...short.split(' '));
    expect(json.command).toBe(verb);
  });

  it('-f names the config file, except where it follows', async () => {
    await project.write(
      'elsewhere.yaml',
      'cluster: elsewhere\napplication: { entry: ./src/app.ts }',
    );
    const { json } = await project.run('status', '-f', 'elsewhere.yaml');
    expect(json.errors[0]!.message).toContain("'elsewhere'");
    const twice = await project.run('status', '-f', 'elsewhere.yaml', '-c', 'elsewhere.yaml');
    expect([twice.exitCode, twice.json.errors[0]!.code]).toEqual([2, 'option-twice']);
    expect((await project.run('logs', 'nobody', '-f')).exitCode).toBe(7);
  });
});

describe('what would be ignored', () => {
  it.each([
    [['deploy', '--mode', 'per-job', '--if-changed', '--rollback-on-failure'], 2],
    [['deploy', '--mode', 'per-job', '--allow-state-loss'], 1],
    [['deploy', '--dry-run', '--detach'], 1],
    [['compile', '--format', 'schema', '--job', 'demo'], 1],
    [['logs', '--out', '--level', 'warn'], 1],
    [['logs', 'demo', 'taskmanager-0', '--role', 'taskmanager', '--host', 'here'], 2],
    [['restart', 'taskmanager-0', '--role', 'taskmanager'], 1],
  ])('is refused, all of it: %j', async (line, count) => {
    await project.write('src/app.ts', endless);
    const { exitCode, json } = await project.run(...line);
    expect(exitCode).toBe(2);
    expect(json.errors.map(({ code }) => code)).toEqual(Array(count).fill('option-ignored'));
    expect(project.running()).toEqual([]);
  });

  it('is unknown to a verb that reads no config', async () => {
    for (const verb of ['init', 'config schema', 'completion bash']) {
      const { exitCode } = await project.run(...verb.split(' '), '--provider', 'docker');
      expect(exitCode).toBe(2);
    }
  });
});

it('tells every wrong value at once', async () => {
  const { json } = await project.run('scale', '--taskmanagers', '0', '--lock-wait', 'soon');
  expect(json.errors.map(({ code }) => code)).toEqual(['not-a-number', 'not-a-duration']);
});

describe('exit codes', () => {
  it.each([
    [['exec', '--nope'], 125],
    [['exec', 'nobody', 'taskmanager-0', '--', 'true'], 125],
    [['exec', 'demo', '--', 'true'], 125],
    [['exec', 'demo', 'nobody-7', '--', 'true'], 125],
    [['exec', 'demo', 'taskmanager-0', '--', 'sh', '-c', 'exit 7'], 7],
    [['exec', 'demo', 'taskmanager-0', '--timeout', '1s', '--', 'sleep', '60'], 124],
  ])("tell a command's failure from that of exec: %j", async (line, code) => {
    if (code !== 125 || line.includes('nobody-7')) await deployEndless();
    expect((await project.start(line)).exitCode).toBe(code);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('of %s is %i, whatever a verb does with it', async (signal, code) => {
    await deployEndless();
    for (const line of [['logs', '-f'], ['proxy']]) {
      const child = project.start([...line, '--json']);
      await once(child.stdout, 'data');
      child.kill(signal);
      expect((await child).exitCode).toBe(line[0] === 'proxy' ? 0 : code);
    }
  });
});

it('asks nothing with --no-input, also on a terminal', async () => {
  await deployEndless();
  const asked = project.terminal('destroy', '--no-input');
  await asked.shows(/Nobody is there to ask/);
  expect(await asked.ended).toBe(2);
  expect((await project.run('status')).json.data.state).toBe('RUNNING');
});

it('prints no colours with --no-color, where FORCE_COLOR asks for them', async () => {
  const escape = '\u001b[';
  const colours = { FORCE_COLOR: '1', NO_COLOR: '' };
  await makeCluster('demo');
  expect((await project.start(['list'], colours)).stdout).toContain(escape);
  expect((await project.start(['list', '--no-color'], colours)).stdout).not.toContain(escape);
});
