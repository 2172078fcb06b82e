/** What is asked before something is changed, and plans that are carried out as they were made. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project, eventually, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
  await project.write(
    'src/app.ts',
    `${imports}
export const job = defineJob('demo', (env) => {
  env.fromSource(GeneratorSource.of({ create: (i) => i, ratePerSecond: 10 })).sinkTo(DiscardSink.create());
});`,
  );
});
afterEach(() => project.remove());

async function onTerminal(question: RegExp, answer: string, ...args: string[]) {
  const terminal = project.terminal(...args);
  await terminal.shows(question);
  terminal.stdin.write(answer);
  return terminal.ended;
}

const state = async () => (await project.run('status')).json.data?.state;

describe('on a terminal', () => {
  it('deploy asks before it ends what runs, and shows why', async () => {
    // Nothing is ended by the first one, and nobody is asked.
    expect(await project.terminal('deploy', '--detach').ended).toBe(0);
    const pid = project.pid('jobmanager-0');
    const change = ['deploy', '--detach', '--set', 'jobmanager.resources.memory=600MiB'];
    const question = /jobmanager\.resources\.memory[^]*Deploy demo so\? This ends/;
    for (const no of ['n\n', '\u0003', '\u0004']) {
      expect(await onTerminal(question, no, ...change)).toBe(130);
      expect(project.pid('jobmanager-0')).toBe(pid);
    }
    expect(await onTerminal(question, 'y\n', ...change)).toBe(0);
    expect(project.pid('jobmanager-0')).not.toBe(pid);
    // Nobody is there who could be asked, or somebody has answered before.
    expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
    expect(await project.terminal(...change, '--yes').ended).toBe(0);
  });

  it('destroy asks for what did not end by itself, too', async () => {
    expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
    for (const name of ['jobmanager-0', 'taskmanager-0'])
      process.kill(-project.supervisor(name), 'SIGKILL');
    await eventually(async () => (await state()) === 'LOST');
    expect(await onTerminal(/Destroy it for good\?/, 'n\n', 'destroy')).toBe(130);
    expect(await state()).toBe('LOST');
    expect(await onTerminal(/Destroy it for good\?/, 'y\n', 'destroy')).toBe(0);
    expect(await state()).toBe(undefined);
  });
});

describe('--confirm', () => {
  it('asks for everything, and is refused where nobody can answer', async () => {
    const alone = await project.run('deploy', '--detach', '--confirm');
    expect([alone.exitCode, alone.json.errors[0]!.code]).toEqual([2, 'not-confirmed']);
    const question = /create +taskmanager-0[^]*Deploy demo so\?/;
    expect(await onTerminal(question, 'n\n', 'deploy', '--detach', '--confirm')).toBe(130);
    expect(project.running()).toEqual([]);
    expect(await onTerminal(question, 'y\n', 'deploy', '--detach', '--confirm')).toBe(0);
    expect(await state()).toBe('RUNNING');
  });
});

describe('a plan in a file', () => {
  it('is carried out as it is, once, and by nobody who would do something else', async () => {
    const made = await project.run('plan', '--out', 'a.plan');
    expect(made.json.data.file).toBe(join(project.folder, 'a.plan'));
    const other = await project.run('deploy', 'a.plan', '--set', 'taskmanager.replicas=2');
    expect([other.exitCode, other.json.errors[0]!.code]).toEqual([8, 'plan-outdated']);
    expect(other.json.errors[0]!.message).toContain('it is for release');
    expect(project.running()).toEqual([]);

    expect((await project.run('deploy', 'a.plan', '--detach')).exitCode).toBe(0);
    expect(await state()).toBe('RUNNING');
    const again = await project.run('deploy', 'a.plan', '--detach');
    expect(again.exitCode).toBe(8);
    expect(again.json.errors[0]!.message).toContain('the cluster has changed');
  });

  it('is read by its owner alone, and holds no secret', async () => {
    await project.write(
      'src/app.ts',
      `${imports} export const job = defineJob('demo', { args: types.record({ password: types.string }) }, (env, args) => { env.fromSource(CollectionSource.of([args.password])).sinkTo(DiscardSink.create()); });`,
    );
    await project.configure("  args: { password: '${env:DEMO_PASSWORD}' }");
    const environment = { DEMO_PASSWORD: 'hunter-2-secret' };
    const { exitCode } = await project.start(['plan', '--out', 'a.plan'], environment);
    expect(exitCode).toBe(0);
    const file = join(project.folder, 'a.plan');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).not.toContain('hunter');
  });

  it.each([
    [['deploy', 'gone.plan'], 'plan-missing'],
    [['deploy', 'src/app.ts'], 'not-a-plan'],
    [['deploy', 'fctl.config.yaml', '--mode', 'per-job'], 'option-ignored'],
    [['plan', '--out', 'src'], 'not-writable'],
  ])('is refused: %j', async (line, code) => {
    const { exitCode, json } = await project.run(...line);
    expect([exitCode, json.errors[0]!.code]).toEqual([2, code]);
  });
});
