/** Word count from its input to its result files, and what the verbs say about it. */
import { copyFile, mkdir, readFile, readdir, readlink, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project, eventually, imports } from './project.ts';

const example = resolve(import.meta.dirname, '../../examples/word-count/app.ts');
const arguments_ = '{ input: ./data, output: ./out }';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
  await mkdir(join(project.folder, 'src'));
  await copyFile(example, join(project.folder, 'src/app.ts'));
  await project.configure(
    '  parallelism: 2',
    `  args: ${arguments_}`,
    'taskmanager: { slots: 2, registrationTimeout: 2s }',
  );
  await project.write('data/a.txt', 'To be, or not to be\n');
  await project.write('data/b.txt', 'that is the question: to be\n');
});
afterEach(async () => {
  await eventually(() => project.running().length === 0);
  await project.remove();
});

/** Lines below the headers, of all files, in any order. */
async function result(): Promise<string[]> {
  const folder = join(project.folder, 'out');
  const files = await readdir(folder);
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  for (const text of texts) expect(text.split('\n')[0]).toBe('word,count');
  return texts.flatMap((text) => text.trimEnd().split('\n').slice(1)).sort();
}

const first = ['be,3', 'is,1', 'not,1', 'or,1', 'question,1', 'that,1', 'the,1', 'to,3'];

it('counts, replaces the output of the run before, and is described by every verb', async () => {
  const deployed = await project.run('deploy');
  expect(deployed).toMatchObject({
    exitCode: 0,
    json: {
      ok: true,
      command: 'deploy',
      data: { clusterId: 'demo', detached: false, outcome: { status: 'SUCCEEDED', error: null } },
      errors: [],
    },
  });
  expect(await result()).toEqual(first);
  const output = join(await realpath(project.folder), 'out');
  expect(deployed.json.data.outcome.jobs[0].outputs).toEqual([output]);
  const shown = await project.start(['status']);
  expect(shown.stdout).toMatch(/^ +output \.\/out$/m); // as one would name it here
  await eventually(() => project.running().length === 0);
  expect((await project.run('doctor')).json).toMatchObject({
    ok: true,
    command: 'doctor',
    data: { machine: { provider: 'local' }, orphans: [], removed: 0 },
    errors: [],
  });

  const unchanged = await project.run('deploy', '--if-changed');
  expect(unchanged.exitCode).toBe(0);
  expect(unchanged.json.data).toEqual({
    clusterId: 'demo',
    release: deployed.json.data.release,
    changed: false,
  });
  const status = await project.run('status');
  expect(status.json).toMatchObject({
    ok: true,
    command: 'status',
    data: {
      clusterId: 'demo',
      state: 'SUCCEEDED',
      explanation: null,
      info: null,
      cluster: { mode: 'application', provider: 'local', engine: 'bundled' },
      release: { release: deployed.json.data.release, status: 'stable' },
      outcome: { ...deployed.json.data.outcome, jobs: [{ name: 'words', state: 'FINISHED' }] },
    },
    errors: [],
  });
  const processes = status.json.data.processes as { name: string; status: string }[];
  expect(processes.map((p) => `${p.name} ${p.status}`)).toEqual([
    'jobmanager-0 exited',
    'taskmanager-0 exited',
  ]);

  // One subtask instead of two: the second file of the first run must not stay.
  await project.write('data/b.txt', 'be\n');
  const again = await project.run('deploy', '--set', 'application.parallelism=1');
  expect(again.exitCode).toBe(0);
  expect(again.json.data.release).not.toBe(deployed.json.data.release);
  expect(await readdir(join(project.folder, 'out'))).toEqual(['part-0.csv']);
  expect(await result()).toEqual(['be,3', 'not,1', 'or,1', 'to,2']);
  expect((await project.run('list')).json).toMatchObject({
    ok: true,
    command: 'list',
    data: {
      clusters: [
        {
          clusterId: 'demo',
          state: 'SUCCEEDED',
          provider: 'local',
          mode: 'application',
          release: again.json.data.release,
          taskManagers: 0,
        },
      ],
    },
    errors: [],
  });

  expect((await project.run('destroy')).json.data).toEqual({
    clusterId: 'demo',
    destroyed: true,
    kept: [],
  });
  expect(await readdir(join(project.folder, 'home/clusters'))).toEqual([]);
  expect((await project.run('list')).json.data).toEqual({ clusters: [] });
  expect((await project.run('status')).exitCode).toBe(7);
});

it('tells people results on stdout, progress on stderr, and prints logs', async () => {
  const deployed = await project.start(['deploy']);
  expect(deployed.exitCode).toBe(0);
  expect(deployed.stdout).toMatch(/^SUCCEEDED after /);
  expect(deployed.stdout).toContain('words FINISHED');
  expect(deployed.stderr).toMatch(/^Bundling the application\n/);
  expect(deployed.stderr).toMatch(/^Uploaded application bundle \(.+\)$/m);
  expect(deployed.stderr).toContain('create taskmanager-0: not there yet');
  expect(deployed.stderr).toMatch(/Finished in \S+\.$/);

  const logs = await project.run('logs');
  expect(logs.exitCode).toBe(0);
  expect(logs.json).toMatchObject({
    ok: true,
    command: 'logs',
    data: { clusterId: 'demo' },
    errors: [],
  });
  const lines = logs.json.data.lines as { process: string; entry: object }[];
  for (const { entry } of lines) expect(entry).toMatchObject({ level: expect.any(String) });
  const names = new Set(lines.map(({ process }) => process));
  expect(names).toEqual(new Set(['jobmanager-0', 'taskmanager-0']));
  const tail = await project.start(['logs', 'demo', 'jobmanager-0', '--tail', '1']);
  expect(tail.stdout).toMatch(/^jobmanager-0 \d{4}-\d\d-\d\d [\d:.]+ [A-Z]+ [^\n]+$/);

  const again = await project.start(['deploy', '--set', 'taskmanager.slots=3']);
  expect(again.stderr).toContain('create taskmanager-0: the last run has ended');
  expect(again.stderr).not.toContain('Uploaded');

  const quiet = await project.start(['deploy', '--quiet']);
  expect(quiet).toMatchObject({ exitCode: 0, stderr: '' });
  expect(quiet.stdout).toMatch(/^SUCCEEDED after /);
});

it('returns once an unbounded application runs', async () => {
  await project.write(
    'src/app.ts',
    `${imports}
export const job = defineJob('endless', (env) => {
  env.fromSource(GeneratorSource.of({ create: (i) => i, ratePerSecond: 100 }))
    .sinkTo(DiscardSink.create());
});`,
  );
  await project.configure('  parallelism: 2', 'taskmanager: { slots: 2 }');
  const deployed = await project.run('deploy');
  expect(deployed.exitCode).toBe(0);
  expect(deployed.json.data).toMatchObject({ detached: true, outcome: null });
  const { json } = await project.run('status');
  expect(json.data).toMatchObject({ state: 'RUNNING', outcome: null });
  expect(json.data.jobs).toMatchObject([{ name: 'endless', state: 'RUNNING' }]);
  expect((await project.run('list')).json.data.clusters).toMatchObject([
    { state: 'RUNNING', taskManagers: 1, endTime: null },
  ]);
  expect((await project.run('doctor')).json.data.orphans).toEqual([]);
  expect((await project.run('destroy', '--yes')).exitCode).toBe(0);
  expect(project.running()).toEqual([]);
});

it('runs its processes with the Node.js of the config', async () => {
  await mkdir(join(project.folder, 'bin'));
  await copyFile(process.execPath, join(project.folder, 'bin/node'));
  await project.configure(
    `  args: ${arguments_}`,
    'taskmanager: { registrationTimeout: 2s }',
    'runtime: { node: bin/node }',
  );
  const used = new Set<string>();
  const deploying = project.run('deploy');
  await eventually(async () => {
    for (const pid of project.running()) {
      used.add(await readlink(`/proc/${pid}/exe`).catch(() => ''));
    }
    return used.has(join(await realpath(project.folder), 'bin/node'));
  });
  expect((await deploying).json.data.outcome.status).toBe('SUCCEEDED');
  expect([...used]).not.toContain(await realpath(process.execPath));
  expect(await result()).toEqual(first);
});
