/** A command acts on the provider that somebody named, or refuses; it never takes the local one instead. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verbs } from '../../src/cli/verbs.ts';
import { type Answer, Project } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
  // What a local `destroy demo` would remove.
  await mkdir(join(project.home, 'clusters/demo/record'), { recursive: true });
});
afterEach(() => project.remove());

const looking = [
  'list',
  'status demo',
  'logs demo',
  'audit demo',
  'releases demo',
  'lock status demo',
  'session list',
  'doctor',
];
const changing = [
  'destroy demo --yes',
  'cancel demo',
  'restart demo',
  'scale demo --taskmanagers 2',
  'rollback --cluster demo',
  'exec demo jobmanager-0 --json -- true',
  'lock release demo --yes',
  'session stop demo',
  'session submit',
  'prune --yes',
  'doctor --fix --yes',
];
const all = [...looking, ...changing];

async function answer(
  line: string,
  more: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  cwd = project.folder,
): Promise<Answer> {
  const [command, ...rest] = line.split(' -- ');
  const words = [...command!.split(' '), ...more, ...(line.includes('--json') ? [] : ['--json'])];
  const inside = rest.length === 0 ? [] : ['--', ...rest];
  const { exitCode, stdout, stderr } = await project.start([...words, ...inside], environment, cwd);
  return { exitCode, stderr, json: JSON.parse(stdout) as Answer['json'] };
}

/** Failures of fctl itself are told apart from those of the command that `exec` runs. */
const codeOf = (line: string, code: number) => (line.startsWith('exec') ? 125 : code);

const isThere = async () => expect(await readdir(join(project.home, 'clusters'))).toEqual(['demo']);

describe('with no config file', () => {
  const engine = { FCTL_PROVIDERS__DOCKER__HOST: 'unix:///nonexistent/docker.sock' };
  let empty: string;
  beforeEach(async () => {
    empty = join(project.folder, 'empty');
    await project.write('empty/package.json', '{}');
    await project.write('empty/app.ts', '');
  });

  it.each(all)('a variable chooses the provider of: %s', async (line) => {
    const { exitCode, json } = await answer(
      line,
      line === 'session submit' ? ['--cluster', 'demo'] : [],
      { ...engine, FCTL_PROVIDER: 'docker' },
      empty,
    );
    expect(exitCode).toBe(codeOf(line, 4));
    expect(json.errors[0]!.message).toContain('/nonexistent/docker.sock');
    await isThere();
  });

  it.each([
    ['--provider', 'docker'],
    ['-D', 'provider=docker'],
  ])('so do flags: %s %s', async (...flags) => {
    for (const line of ['list', 'status demo', 'destroy demo --yes']) {
      const { exitCode, json } = await answer(line, flags, engine, empty);
      expect(exitCode).toBe(4);
      expect(json.errors[0]!.message).toContain('/nonexistent/docker.sock');
    }
    await isThere();
  });

  it('a deployment goes where variables say', async () => {
    const environment = { ...engine, FCTL_CLUSTER: 'demo', FCTL_PROVIDER: 'docker' };
    const application = { FCTL_APPLICATION__ENTRY: './app.ts' };
    await project.write(
      'empty/app.ts',
      "import { CollectionSource, DiscardSink, defineJob } from 'fctl'; defineJob('a', (env) => { env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create()); });",
    );
    const { exitCode, json } = await answer(
      'deploy',
      [],
      { ...environment, ...application },
      empty,
    );
    expect(exitCode).toBe(4);
    expect(json.errors[0]!.message).toContain('/nonexistent/docker.sock');
  });

  it('a variable names the cluster', async () => {
    const { json } = await answer('status', [], { FCTL_CLUSTER: 'demo' }, empty);
    expect(json.data).toMatchObject({ clusterId: 'demo' });
    expect((await answer('status', [], {}, empty)).json.errors[0]!.code).toBe('cluster-missing');
  });

  it('clusters of this machine are meant where nobody names any', async () => {
    const { json } = await answer('list', [], {}, empty);
    expect(json.data.clusters).toMatchObject([{ clusterId: 'demo' }]);
  });
});

describe('--provider', () => {
  it('wins over file, variable and --set', async () => {
    await project.configure(
      'provider: standalone',
      'providers: { standalone: { hosts: [nobody.invalid] } }',
    );
    const flags = ['--provider', 'local', '--set', 'provider=docker'];
    const { json } = await answer('list', flags, { FCTL_PROVIDER: 'docker' });
    expect(json.data.clusters).toMatchObject([{ clusterId: 'demo' }]);
  });

  it.each(['', 'dokcer', 'Local'])('is refused where there is no %j', async (name) => {
    const { exitCode, json } = await answer('destroy demo --yes', ['--provider', name]);
    expect(exitCode).toBe(3);
    expect(json.errors[0]).toMatchObject({ path: '/provider' });
    expect(json.errors[0]!.message).toContain('(from --provider)');
    await isThere();
  });
});

describe('a config that cannot be loaded', () => {
  it.each(all)('keeps everybody from looking elsewhere: %s', async (line) => {
    await project.configure('taskmanager: { slotz: 1 }');
    const { exitCode, json } = await answer(line, []);
    expect(exitCode).toBe(codeOf(line, 3));
    expect(json.errors[0]!.message).toContain('slotz');
    await isThere();
  });

  it.each([
    ['provder: docker', 'provder'],
    ['providers: { local: { dir: "${env:MISSING}" } }', 'is not set'],
    ['a: [', 'Flow sequence'],
    ['environments: { production: { provider: nowhere } }', 'must be local'],
  ])('says what is wrong with it: %s', async (lines, message) => {
    await project.configure(lines);
    for (const line of ['list', 'destroy demo --yes']) {
      const { exitCode, json } = await answer(line, []);
      expect(exitCode).toBe(3);
      expect(json.errors[0]!.message).toContain(message);
    }
    await isThere();
  });

  it('says so also where it is a script', async () => {
    await project.write('fctl.config.ts', "throw new Error('mine');");
    const { exitCode, json } = await answer('destroy demo --yes', []);
    expect(exitCode).toBe(3);
    expect(json.errors[0]!.message).toContain('mine');
    await isThere();
  });
});

describe('references', () => {
  const touch = (name: string) => `"\${exec:touch ${name} && exit 3}"`;

  const looks = verbs.filter(
    ({ reach, readsConfig, readsOnly }) => readsOnly && !readsConfig && reach !== 'nothing',
  );

  it.each(looks)(
    '$name runs no command of a config, and says which key has one',
    async ({ name, reach }) => {
      await project.configure(
        `  args: { password: ${touch('ran')} }`,
        'providers: { local: { dir: "${exec:echo run >> ran; printf home}" } }',
      );
      const named = reach === 'cluster' ? ['--cluster', 'demo'] : [];
      const { exitCode, json } = await answer(name, named);
      expect(json.errors).toMatchObject([
        { code: 'command-not-run', path: '/providers/local/dir', hint: /\$\{env:NAME\}/ },
      ]);
      expect(exitCode).toBe(3);
      expect(await readdir(project.folder)).not.toContain('ran');
    },
  );

  it.each(looking)('that are no commands are resolved by: %s', async (line) => {
    await project.configure(
      `  args: { password: ${touch('ran')} }`,
      'providers: { local: { dir: "${env:WHERE}" } }',
    );
    const { json } = await answer(line, [], { WHERE: 'home' });
    expect(json.errors.map(({ code }) => code)).not.toContain('command-not-run');
    expect(await readdir(project.folder)).not.toContain('ran');
  });

  it.each(['doctor', 'cancel demo', 'prune --yes'])(
    'that do not say where clusters are, are not resolved by: %s',
    async (line) => {
      await project.configure(
        `  args: { password: ${touch('ran')}, token: "\${env:MISSING}" }`,
        `retention: ${touch('ran')}`,
        'security: { auth: "${file:missing}" }',
        'providers: { local: { dir: "${exec:echo run >> asked; printf home}" } }',
      );
      const { json } = await answer(line, [], { FCTL_HOME: '/nonexistent' });
      expect(json.errors.map(({ code }) => code)).not.toContain('reference-failed');
      expect(await readdir(project.folder)).not.toContain('ran');
      expect(project.lines('asked')).toEqual(['run']);
    },
  );

  it('are all resolved, once, by who deploys', async () => {
    await project.write('src/app.ts', '');
    await project.configure(
      '  args: { password: "${exec:echo run >> asked; printf same}" }',
      'providers: { local: { dir: "${exec:echo run >> asked; printf same}" } }',
    );
    const { json } = await answer('plan', []);
    expect(json.errors[0]!.message).toContain('defines no job');
    expect(project.lines('asked')).toEqual(['run']);
  });
});
