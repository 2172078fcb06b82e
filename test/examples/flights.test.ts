/** The quickstart as a user runs it, and every row of its output against what DuckDB computes by SQL. */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAsDuckDbComputes } from './compare-with-duckdb.ts';

const root = resolve(import.meta.dirname, '../..');
const flights = join(root, 'node_modules/vega-datasets/data/flights-3m.parquet');
let home: string;
let project: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'fctl-flights-'));
  project = join(home, 'project');
  await cp(join(root, 'examples/flights'), project, {
    recursive: true,
    filter: (path) => !path.endsWith('/out'),
  });
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('examples/flights', () => {
  it('computes what DuckDB computes, replaces the run before and leaves nothing running', async () => {
    const fctl = (...args: string[]) =>
      execa(process.execPath, [join(root, 'bin/fctl.js'), ...args], {
        cwd: project,
        env: { FCTL_HOME: join(home, 'state') },
      });
    const deploy = [
      'deploy',
      '--mode',
      'application',
      '--json',
      '--set',
      `application.args.flights=${flights}`,
    ];
    await fctl(...deploy);
    const { stdout } = await fctl(...deploy);
    const { data } = JSON.parse(stdout) as {
      data: {
        outcome: { jobs: { name: string; state: string; vertices: { lateRecords: number }[] }[] };
      };
    };
    expect(data.outcome.jobs.map((job) => [job.name, job.state])).toEqual([
      ['delays', 'FINISHED'],
      ['ranking', 'FINISHED'],
    ]);
    const late = data.outcome.jobs.flatMap((job) =>
      job.vertices.map((vertex) => vertex.lateRecords),
    );
    expect(late.every((count) => count === 0)).toBe(true);

    await expectAsDuckDbComputes(join(project, 'out'), flights);

    const doctor = JSON.parse((await fctl('doctor', '--json')).stdout) as {
      data: { orphans: unknown[] };
    };
    expect(doctor.data.orphans).toEqual([]);
    await fctl('destroy', '--yes');
    expect(await readdir(join(home, 'state/clusters'))).toEqual([]);
  });
});
