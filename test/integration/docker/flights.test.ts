/** examples/flights on a Docker engine: only the provider and where the files lie is another. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Project } from '../../cli/project.ts';
import { expectAsDuckDbComputes } from '../../examples/compare-with-duckdb.ts';
import { DockerEngine, dockerRig } from '../../rigs/docker/engine.ts';
import { describeWith } from '../../rigs/rig.ts';
import { createFlights, parquet, removeFlights, runFlights } from '../flights.ts';

// A first deployment builds the image.
vi.setConfig({ testTimeout: 900_000 });

describeWith([dockerRig], 'examples/flights on a Docker engine', () => {
  let engine: DockerEngine;
  let project: Project;
  let results: string;

  async function docker(...args: readonly string[]): Promise<string> {
    const { exitCode, stderr, stdout } = await engine.docker(...args);
    if (exitCode !== 0) throw new Error(stderr);
    return stdout;
  }

  beforeAll(async () => {
    engine = await DockerEngine.share();
    const { baseImage } = engine;
    await docker('volume', 'create', 'flights');
    // Stays, never started: what files go in and out by.
    await docker('create', '--name', 'files', '--volume', 'flights:/data', baseImage, 'true');
    await docker('cp', parquet, 'files:/data/flights.parquet');
    const volume = ['--volume', 'flights:/data', '--user', 'root'];
    await docker('run', '--rm', ...volume, baseImage, 'chmod', '777', '/data');
  });
  afterAll(async () => {
    await docker('rm', '--force', 'files');
    await docker('volume', 'rm', '--force', 'flights');
    await engine.stop();
  });

  beforeEach(async () => {
    results = await mkdtemp(join(tmpdir(), 'fctl-flights-'));
    project = await createFlights();
  });
  afterEach(async () => {
    await removeFlights(project);
    await rm(results, { recursive: true });
  });

  const configure = (mode: string) =>
    project.configure(
      '  parallelism: 2',
      `  args: { flights: /data/flights.parquet, output: /data/${mode} }`,
      `mode: ${mode}`,
      'provider: docker',
      'taskmanager: { replicas: 2, slots: 1 }',
      'storage: { shared: [/data] }',
      'providers:',
      '  docker:',
      `    host: ${engine.host}`,
      `    baseImage: ${engine.baseImage}`,
      '    pull: never',
      '    volumes: { /data: flights }',
    );

  async function expectResult(mode: string): Promise<void> {
    await docker('cp', `files:/data/${mode}/.`, results);
    await expectAsDuckDbComputes(results, parquet);
  }

  it.each(['application', 'per-job'])('computes what DuckDB computes, in %s mode', async (mode) => {
    await configure(mode);
    await runFlights(project, mode);
    await expectResult(mode);
  });

  it('computes what DuckDB computes, in a session', async () => {
    await configure('session');
    await runFlights(project, 'session');
    await expectResult('session');
    expect((await project.run('session', 'stop')).json.errors).toEqual([]);
  });
});
