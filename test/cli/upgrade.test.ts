/** fctl is removed, built anew or upgraded beneath a running cluster: nothing changes until that is restarted. */
import { cp, mkdir, readFile, readdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sha256 } from '../../src/contract/hash.ts';
import { Project, eventually, imports } from './project.ts';

const root = resolve(import.meta.dirname, '../..');

let project: Project;
beforeEach(async () => {
  project = await Project.create();
  await project.write(
    'src/app.ts',
    `${imports}
export const numbers = defineJob('numbers', { args: types.record({ to: types.string }) }, (env, { to }) => {
  env.fromSource(CollectionSource.of([1, 2, 3])).map(String).sinkTo(FileSink.text(to));
});`,
  );
  await install('fctl');
});
afterEach(() => project.remove());

/** An installation of our own below the project. */
async function install(name: string): Promise<void> {
  const folder = join(project.folder, name);
  await mkdir(folder);
  for (const each of ['bin', 'dist', 'templates', 'package.json'])
    await cp(join(root, each), join(folder, each), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
}

/** Runs what is installed there. */
async function fctl(name: string, ...args: string[]): Promise<void> {
  const launcher = join(project.folder, name, 'bin/fctl.js');
  const ran = await execa(process.execPath, [launcher, ...args], {
    cwd: project.folder,
    env: { FCTL_HOME: project.home, NO_COLOR: '1' },
    reject: false,
  });
  expect(ran.exitCode, ran.stderr).toBe(0);
}

const submit = (name: string, to: string) =>
  fctl(name, 'session', 'submit', '--cluster', 'demo', '--args', JSON.stringify({ to }));

async function written(to: string): Promise<string> {
  const folder = join(project.folder, to);
  const parts = (await readdir(folder)).filter((part) => part.startsWith('part-'));
  const texts = await Promise.all(parts.map((part) => readFile(join(folder, part), 'utf8')));
  return texts.join('').trim().split('\n').sort().join(' ');
}

/** What says, in the spec of a process, which copy it was started with. */
async function runtimeOf(process: string): Promise<string> {
  const spec = join(project.home, 'clusters/demo/processes', process, 'spec.json');
  const { place } = JSON.parse(await readFile(spec, 'utf8')) as { place: { runtime: string } };
  return place.runtime;
}

/** Makes the runtime of an installation another one, as a new version would. */
async function upgrade(name: string): Promise<void> {
  const dist = join(project.folder, name, 'dist');
  const script = join(dist, 'taskmanager.js');
  const content = `${await readFile(script, 'utf8')}\n// of the next version\n`;
  const list = JSON.parse(await readFile(join(dist, 'runtime.json'), 'utf8')) as object;
  await writeFile(script, content);
  const changed = { ...list, 'taskmanager.js': sha256(content) };
  await writeFile(join(dist, 'runtime.json'), JSON.stringify(changed));
}

it('goes on, starts crashed processes again and takes jobs while its fctl is gone', async () => {
  await fctl('fctl', 'session', 'start', 'demo');
  await submit('fctl', './before');
  await rename(join(project.folder, 'fctl'), join(project.folder, 'gone'));
  const [jobManager, taskManager] = ['jobmanager-0', 'taskmanager-0'].map((p) => project.pid(p));
  process.kill(taskManager!, 'SIGKILL');
  process.kill(jobManager!, 'SIGKILL');
  await eventually(
    () =>
      project.pid('taskmanager-0') !== taskManager && project.pid('jobmanager-0') !== jobManager,
  );
  await install('again');
  await submit('again', './after');
  expect(await written('before')).toBe('1 2 3');
  expect(await written('after')).toBe('1 2 3');
});

it('takes what is new when it is restarted, and not when it grows', async () => {
  await fctl('fctl', 'session', 'start', 'demo');
  const first = await runtimeOf('jobmanager-0');
  await upgrade('fctl');
  await fctl('fctl', 'session', 'scale', 'demo', '--taskmanagers', '2');
  expect(await runtimeOf('taskmanager-1')).toBe(first);
  await fctl('fctl', 'restart', 'demo', 'taskmanager-0');
  expect(await runtimeOf('taskmanager-0')).toBe(first);
  await submit('fctl', './mixed');
  expect(await written('mixed')).toBe('1 2 3');
  await fctl('fctl', 'restart', 'demo');
  const now = await runtimeOf('jobmanager-0');
  expect(now).not.toBe(first);
  expect(await runtimeOf('taskmanager-1')).toBe(now);
  expect((await readdir(join(project.home, 'runtimes'))).sort()).toEqual([first, now].sort());
});
