/** The quickstart as a user runs it, and every row of its output against what DuckDB computes by SQL. */
import { cp, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

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

async function sql(query: string): Promise<string[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(query);
  const rows = reader.getRows().map((row) => row.map(String).join(','));
  connection.closeSync();
  instance.closeSync();
  return rows;
}

/** Rows of all part files, each of which begins with the header. */
async function rowsOf(folder: string, header: string): Promise<string[]> {
  const names = await readdir(folder);
  expect(names.every((name) => /^part-\d+\.csv$/.test(name))).toBe(true);
  const rows: string[] = [];
  for (const name of names) {
    const [first, ...lines] = (await readFile(join(folder, name), 'utf8')).trimEnd().split('\n');
    expect(first).toBe(header);
    rows.push(...lines);
  }
  return rows;
}

const daily = `
  SELECT origin, strftime(date, '%Y-%m-%d') AS day, count(*) AS flights,
         avg(delay) AS mean, avg(CASE WHEN delay >= 15 THEN 1.0 ELSE 0.0 END) AS late
  FROM '${flights}' GROUP BY ALL`;

interface Day {
  readonly key: string;
  readonly numbers: readonly number[];
}

function parseDays(rows: readonly string[]): Day[] {
  const days = rows.map((row) => {
    const [origin, day, ...numbers] = row.split(',');
    return { key: `${origin},${day}`, numbers: numbers.map(Number) };
  });
  return days.sort((a, b) => (a.key < b.key ? -1 : 1));
}

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

    const rows = await rowsOf(
      join(project, 'out/delays'),
      'origin,day,flights,meanDelay,lateShare',
    );
    const ours = parseDays(rows);
    const theirs = parseDays(await sql(daily));
    expect(ours.map((day) => day.key)).toEqual(theirs.map((day) => day.key));
    const wrong = ours.filter((day, index) => {
      const [count, mean, share] = day.numbers;
      const [wantedCount, wantedMean, wantedShare] = theirs[index]!.numbers;
      // Three decimals: half a unit of the last one, and a tie rounds either way.
      const near = (a: number, b: number) => Math.abs(a - b) <= 0.0005 + 1e-9;
      return count !== wantedCount || !near(mean!, wantedMean!) || !near(share!, wantedShare!);
    });
    expect(wrong).toEqual([]);

    const ranking = await rowsOf(join(project, 'out/ranking'), 'rank,origin,flights,meanDelay');
    const wanted = await sql(`
      WITH days AS (SELECT * FROM read_csv('${project}/out/delays/*.csv')),
           airports AS (SELECT origin, sum(flights) AS flights, sum(flights * meanDelay) / sum(flights) AS mean
                        FROM days GROUP BY origin)
      SELECT row_number() OVER (ORDER BY mean DESC, origin), origin, flights, mean FROM airports ORDER BY 1`);
    expect(ranking.length).toBe(wanted.length);
    for (const [index, row] of ranking.entries()) {
      const [rank, origin, count, mean] = row.split(',');
      const [wantedRank, wantedOrigin, wantedCount, wantedMean] = wanted[index]!.split(',');
      expect([rank, origin, count]).toEqual([wantedRank, wantedOrigin, wantedCount]);
      expect(Math.abs(Number(mean) - Number(wantedMean))).toBeLessThanOrEqual(0.0005 + 1e-9);
    }

    const doctor = JSON.parse((await fctl('doctor', '--json')).stdout) as {
      data: { orphans: unknown[] };
    };
    expect(doctor.data.orphans).toEqual([]);
    await fctl('destroy', '--yes');
    expect(await readdir(join(home, 'state/clusters'))).toEqual([]);
  }, 120_000);
});
