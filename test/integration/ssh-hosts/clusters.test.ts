/** Applications on three hosts in all modes, and that nothing of this machine runs them. */
import { copyFile, cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type Answer, Project, eventually } from '../../cli/project.ts';
import { describeWith } from '../../rigs/rig.ts';
import { type SshHost, SshHosts, sshRig } from '../../rigs/ssh-hosts/hosts.ts';
import {
  configureHosts,
  emptyShared,
  dirOn,
  expectCleanHosts,
  ownProcesses,
  sharedFolder,
} from './project-on-hosts.ts';

const root = resolve(import.meta.dirname, '../../..');
const counts = ['be,3', 'is,1', 'not,1', 'or,1', 'question,1', 'that,1', 'the,1', 'to,3'];

const endless = `
import { DiscardSink, GeneratorSource, defineJob } from 'fctl';
defineJob('endless', (env) => {
  env.fromSource(GeneratorSource.of({ create: (index) => index, ratePerSecond: 10 }))
    .sinkTo(DiscardSink.create());
});`;

/** Runs the CLI where the machine has another name, the user has none, and its home is empty. */
function onAnotherMachine(folder: string, args: readonly string[]) {
  const machine =
    'hostname elsewhere && exec unshare --user --map-user=1234 --map-group=1234 -- "$@"';
  const namespaces = ['--mount', '--uts', '--pid', '--fork', '--mount-proc'];
  const command = [process.execPath, join(root, 'bin/fctl.js'), ...args];
  return execa('unshare', [...namespaces, 'sh', '-c', machine, 'sh', ...command], {
    cwd: folder,
    env: { HOME: folder, FCTL_HOME: '', XDG_CACHE_HOME: '', USER: '', NO_COLOR: '1' },
    reject: false,
    timeout: 120_000,
  });
}

// A first deployment sends 50 MB to each host.
vi.setConfig({ testTimeout: 900_000 });

describeWith([sshRig], 'clusters on hosts', () => {
  let set: SshHosts;
  let project: Project;
  let shared: string;
  let runs = 0;

  beforeAll(async () => {
    set = await SshHosts.share();
  });
  afterAll(async () => {
    await emptyShared(set);
    await set.stop();
  });

  beforeEach(async () => {
    project = await Project.create({ timeoutMs: 600_000 });
    shared = sharedFolder(set, `words-${++runs}`);
    sharedFolder(set, `words-${runs}/out`);
    await mkdir(join(shared, 'data'));
    await writeFile(join(shared, 'data/a.txt'), 'To be, or not to be\n');
    await writeFile(join(shared, 'data/b.txt'), 'that is the question: to be\n');
    await mkdir(join(project.folder, 'src'));
    await copyFile(join(root, 'examples/word-count/app.ts'), join(project.folder, 'src/app.ts'));
    await configureHosts(project, set, {
      application: [
        '  parallelism: 2',
        `  args: { input: ${shared}/data, output: ${shared}/out/words }`,
      ],
      lines: ['taskmanager: { replicas: 2, slots: 1 }'],
    });
  });
  afterEach(async () => {
    for (const { clusterId } of await clusters()) {
      const gone = await project.run('destroy', clusterId, '--yes');
      if (gone.exitCode !== 0) throw new Error(gone.json.errors[0]!.message);
    }
    await expectCleanHosts(set);
    await project.remove();
  }, 300_000);

  const clusters = async () =>
    (await project.run('list')).json.data.clusters as readonly { clusterId: string }[];

  async function result(): Promise<string[]> {
    const folder = join(shared, 'out/words');
    const texts = await Promise.all(
      (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')),
    );
    return texts.flatMap((text) => text.trimEnd().split('\n').slice(1)).sort();
  }

  const own = (host: SshHost) => ownProcesses(set, host);

  it('application mode: from bare hosts to the result, and again without sending anything', async () => {
    const first = await project.run('deploy', '--timeout', '10m');
    expect(first.json.errors).toEqual([]);
    expect(first.json.data.outcome).toMatchObject({ status: 'SUCCEEDED' });
    expect(await result()).toEqual(counts);
    for (const host of set.hosts) await eventually(async () => (await own(host)).length === 0);
    const placed = await Promise.all(
      set.hosts.map((host) => readdir(join(dirOn(set, host), 'clusters/demo/processes'))),
    );
    expect(placed).toEqual([['jobmanager-0'], ['taskmanager-0'], ['taskmanager-1']]);
    const again = await project.run('deploy');
    expect(again.json.errors).toEqual([]);
    expect(await result()).toEqual(counts);
  });

  it('is the same release from another folder, user and machine', async () => {
    await project.write('src/app.ts', endless);
    await configureHosts(project, set);
    const first = await project.run('deploy', '--detach', '--timeout', '10m');
    expect(first.json.errors).toEqual([]);
    const elsewhere = await mkdtemp(join(tmpdir(), 'fctl-elsewhere-'));
    try {
      await cp(join(project.folder, 'src'), join(elsewhere, 'src'), { recursive: true });
      await copyFile(join(project.folder, 'fctl.config.yaml'), join(elsewhere, 'fctl.config.yaml'));
      const again = await onAnotherMachine(elsewhere, ['deploy', '--detach', '--json']);
      expect(again.stderr).not.toMatch(/Sending|Uploaded/);
      const { data } = JSON.parse(again.stdout) as Answer['json'];
      expect(data.plan).toMatchObject({ release: first.json.data.release, changes: false });
      const changed = await onAnotherMachine(elsewhere, [
        'deploy',
        '--detach',
        '--json',
        '--set',
        'retention=2h',
      ]);
      expect(JSON.parse(changed.stdout)).toMatchObject({ ok: true, errors: [] });
      const { entries } = (await project.run('audit')).json.data;
      expect(entries[0].by).toMatch(/^1234@elsewhere\//);
    } finally {
      await rm(elsewhere, { recursive: true, force: true });
    }
  });

  it('per-job mode', async () => {
    const deployed = await project.run('deploy', '--mode', 'per-job', '--timeout', '10m');
    expect(deployed.json.errors).toEqual([]);
    expect(await result()).toEqual(counts);
  });

  it('session mode, in which nothing of this machine is used', async () => {
    const started = await project.run('session', 'start', '--timeout', '10m');
    expect(started.json.errors).toEqual([]);
    const submitted = await project.run('session', 'submit');
    expect(submitted.json.errors).toEqual([]);
    expect(await result()).toEqual(counts);
    for (const host of set.hosts) {
      const processes = await own(host);
      const nodes = processes.filter(({ exe }) => exe.endsWith('/bin/node'));
      expect(nodes).not.toEqual([]);
      for (const { exe, pid } of processes) {
        const runtimes = `/home/${set.user}/.local/share/fctl/runtimes/`;
        expect(exe.startsWith(runtimes) || /^\/(usr\/)?bin\/(da|ba)?sh$/.test(exe)).toBe(true);
        const used = await set.usedFiles(host, pid);
        const foreign = used.filter((file) => file.startsWith(root) || file === process.execPath);
        expect(foreign).toEqual([]);
      }
    }
    const status = await project.run('status');
    expect(status.json.errors).toEqual([]);
    const stopped = await project.run('session', 'stop');
    expect(stopped.json.errors).toEqual([]);
  });
});
