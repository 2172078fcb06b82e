/** examples/flights on three hosts: only the provider and where the files lie is another. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Project } from '../../cli/project.ts';
import { expectAsDuckDbComputes } from '../../examples/compare-with-duckdb.ts';
import { describeWith } from '../../rigs/rig.ts';
import { SshHosts, sshRig } from '../../rigs/ssh-hosts/hosts.ts';
import { createFlights, parquet, removeFlights, runFlights } from '../flights.ts';
import { configureHosts, emptyShared, sharedFolder } from './project-on-hosts.ts';

// A first deployment sends 50 MB to each host.
vi.setConfig({ testTimeout: 900_000 });

describeWith([sshRig], 'examples/flights on hosts', () => {
  let set: SshHosts;
  let project: Project;

  beforeAll(async () => {
    set = await SshHosts.share();
    await copyFile(parquet, join(sharedFolder(set, 'data'), 'flights.parquet'));
  });
  afterAll(async () => {
    await emptyShared(set);
    await set.stop();
  });

  beforeEach(async () => {
    project = await createFlights();
  });
  afterEach(async () => {
    await removeFlights(project);
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
    await runFlights(project, mode);
    await expectAsDuckDbComputes(output, parquet);
  });

  it('computes what DuckDB computes, in a session', async () => {
    const output = await configure('session');
    await runFlights(project, 'session');
    await expectAsDuckDbComputes(output, parquet);
    expect((await project.run('session', 'stop')).json.errors).toEqual([]);
  });
});
