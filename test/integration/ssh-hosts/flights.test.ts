/** examples/flights on three hosts: only the provider and where the files lie is another. */
import { copyFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { Project } from '../../cli/project.ts';
import { expectAsDuckDbComputes } from '../../examples/compare-with-duckdb.ts';
import { describeWith } from '../../rigs/rig.ts';
import { SshHosts, sshRig } from '../../rigs/ssh-hosts/hosts.ts';
import { configureHosts, sharedFolder } from './project-on-hosts.ts';

const root = resolve(import.meta.dirname, '../../..');
const parquet = join(root, 'node_modules/vega-datasets/data/flights-3m.parquet');

// A first deployment sends 50 MB to each host.
vi.setConfig({ testTimeout: 900_000 });

describeWith([sshRig], 'examples/flights on hosts', () => {
  let set: SshHosts;
  let project: Project;

  beforeAll(async () => {
    set = await SshHosts.start({ count: 3 });
    await copyFile(parquet, join(sharedFolder(set, 'data'), 'flights.parquet'));
  });
  afterAll(() => set?.stop());

  beforeEach(async () => {
    project = await Project.create({ timeoutMs: 600_000 });
    await project.write('src/keep', '');
    await copyFile(join(root, 'examples/flights/app.ts'), join(project.folder, 'src/app.ts'));
  });
  afterEach(async () => {
    const { data } = (await project.run('list')).json;
    for (const { clusterId } of data.clusters as readonly { clusterId: string }[])
      await project.run('destroy', clusterId, '--yes');
    await project.remove();
  });

  async function configure(mode: string): Promise<string> {
    const output = join(sharedFolder(set, 'results'), mode);
    await configureHosts(project, set, {
      application: [
        '  parallelism: 2',
        `  args: { flights: ${set.sharedDir}/data/flights.parquet, output: ${output} }`,
      ],
      lines: [`mode: ${mode}`, 'taskmanager: { replicas: 2, slots: 1 }'],
    });
    return output;
  }

  it.each(['application', 'per-job'])('computes what DuckDB computes, in %s mode', async (mode) => {
    const output = await configure(mode);
    const { json } = await project.run('deploy', '--timeout', '10m');
    expect(json.errors).toEqual([]);
    await expectAsDuckDbComputes(output, parquet);
  });

  it('computes what DuckDB computes, in a session', async () => {
    const output = await configure('session');
    const started = await project.run('session', 'start', '--timeout', '10m');
    expect(started.json.errors).toEqual([]);
    const submitted = await project.run('session', 'submit', '--timeout', '10m');
    expect(submitted.json.errors).toEqual([]);
    await expectAsDuckDbComputes(output, parquet);
    expect((await project.run('session', 'stop')).json.errors).toEqual([]);
  });
});
