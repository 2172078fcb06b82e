/** Word count on hosts that are reached by SSH, by the built CLI: from a bare host to a clean one. */
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeHost, makeKey } from '../../providers/standalone/ssh-server.ts';
import { Project, eventually } from '../../cli/project.ts';

const example = resolve(import.meta.dirname, '../../../examples/word-count/app.ts');

let project: Project;
let hosts: FakeHost[];
/** Storage that all hosts and this machine see. */
let shared: string;

beforeEach(async () => {
  project = await Project.create({ timeoutMs: 600_000 });
  shared = await mkdtemp(join(tmpdir(), 'fctl-shared-'));
  const key = makeKey();
  await writeFile(join(project.folder, 'key'), key.private, { mode: 0o600 });
  hosts = await Promise.all(
    ['127.0.0.1', '127.0.0.2'].map((address) =>
      FakeHost.start({ address, authorized: [key.public] }),
    ),
  );
  const known = hosts.map((host) => host.knownHosts).join('');
  await writeFile(join(project.folder, 'known_hosts'), known);
  await mkdir(join(project.folder, 'src'));
  await mkdir(join(shared, 'data'));
  await writeFile(join(shared, 'data/a.txt'), 'To be, or not to be\n');
  await writeFile(join(shared, 'data/b.txt'), 'that is the question: to be\n');
  await copyFile(example, join(project.folder, 'src/app.ts'));
});
afterEach(async () => {
  for (const host of hosts) await host.stop();
  await project.remove();
  await rm(shared, { recursive: true, force: true });
});

const configure = () =>
  project.configure(
    '  parallelism: 2',
    `  args: { input: ${shared}/data, output: ${shared}/out }`,
    'provider: standalone',
    `storage: { shared: [${shared}] }`,
    'taskmanager: { replicas: 2, slots: 1, registrationTimeout: 5s, resources: { memory: 256MiB } }',
    'jobmanager: { resources: { memory: 256MiB } }',
    'providers:',
    '  standalone:',
    '    user: fctl',
    '    identityFile: ./key',
    '    knownHosts: ./known_hosts',
    '    dir: ~/fctl',
    '    agent: false',
    '    sshConfig: false',
    '    supervisor: script',
    '    hosts:',
    ...hosts.map(({ address, port }) => `      - { address: ${address}, port: ${port} }`),
  );

async function result(): Promise<string[]> {
  const files = await readdir(join(shared, 'out'));
  const texts = await Promise.all(files.map((name) => readFile(join(shared, 'out', name), 'utf8')));
  return texts.flatMap((text) => text.trimEnd().split('\n').slice(1)).sort();
}

it('deploys to bare hosts, sends the runtime once, and leaves them clean', async () => {
  await configure();
  expect(await project.run('list')).toMatchObject({ json: { errors: [], data: { clusters: [] } } });
  for (const host of hosts) expect(await readdir(host.home)).toEqual([]);
  const deployed = await project.run('deploy', '--timeout', '10m');
  expect(deployed).toMatchObject({
    exitCode: 0,
    json: { ok: true, data: { outcome: { status: 'SUCCEEDED', error: null } }, errors: [] },
  });
  const counts = ['be,3', 'is,1', 'not,1', 'or,1', 'question,1', 'that,1', 'the,1', 'to,3'];
  expect(await result()).toEqual(counts);
  for (const host of hosts) {
    expect(await readdir(join(host.home, 'fctl/runtimes'))).toHaveLength(1);
    expect(await readdir(join(host.home, 'fctl/uploads'))).toEqual([]);
  }
  const sent = hosts.map((host) => host.commands.filter((c) => c.includes('cat >')).length);
  const again = await project.run('deploy', '--timeout', '10m');
  expect(again).toMatchObject({ exitCode: 0, json: { ok: true } });
  expect(hosts.map((host) => host.commands.filter((c) => c.includes('cat >')).length)).toEqual(
    sent,
  );
  expect((await project.run('status')).json.data).toMatchObject({ clusterId: 'demo' });
  expect((await project.start(['logs', 'demo', 'jobmanager-0'])).stdout).toContain('JobManager');
  expect((await project.run('destroy', '--yes')).exitCode).toBe(0);
  expect((await project.run('list')).json.data.clusters).toEqual([]);
  for (const host of hosts) {
    expect(await readdir(join(host.home, 'fctl/clusters'))).toEqual([]);
    await eventually(() => host.connections === 0);
  }
}, 600_000);
