/**
 * What the flights example must have written, by SQL on the same Parquet file. Means are compared as they
 * are written: DuckDB computes the thousandths in integers, halves away from zero, so that no row can
 * differ by a rounding of doubles.
 */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'vitest';

/** Daily statistics, in thousandths. */
const days = (parquet: string) => `
  days AS (
    SELECT origin, strftime(date, '%Y-%m-%d') AS day, count(*) AS flights,
           1000 * sum(delay) AS exact, rounded(1000 * sum(delay), count(*)) AS mean,
           rounded(1000 * count(*) FILTER (delay >= 15), count(*)) AS late
    FROM '${parquet.replaceAll("'", "''")}' GROUP BY ALL)`;

async function rowsBySql(query: string): Promise<string[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run(
      `CREATE MACRO rounded(sum, count) AS (sign(sum) * ((2 * abs(sum)::HUGEINT + count) // (2 * count)))`,
    );
    await connection.run(
      `CREATE MACRO decimals(thousandths) AS printf('%.3f', thousandths / 1000)`,
    );
    const reader = await connection.runAndReadAll(query);
    return reader.getRows().map((row) => row.map(String).join(','));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Rows of all part files, each of which begins with the header; there is nothing else in the folder. */
async function writtenRows(folder: string, header: string): Promise<string[]> {
  const rows: string[] = [];
  for (const name of await readdir(folder)) {
    expect(name).toMatch(/^part-\d+\.csv$/);
    const [first, ...lines] = (await readFile(join(folder, name), 'utf8')).trimEnd().split('\n');
    expect(first).toBe(header);
    rows.push(...lines);
  }
  return rows;
}

/** @param output the folder with `delays/` and `ranking/`. */
export async function expectAsDuckDbComputes(output: string, parquet: string): Promise<void> {
  const delays = await writtenRows(
    join(output, 'delays'),
    'origin,day,flights,meanDelay,lateShare',
  );
  const wantedDelays = await rowsBySql(
    `WITH ${days(parquet)} SELECT origin, day, flights, decimals(mean), decimals(late) FROM days`,
  );
  expect(wantedDelays.length).toBeGreaterThan(30_000);
  const wanted = new Set(wantedDelays);
  // Not one list against the other: the difference of tens of thousands of rows says nothing.
  expect(delays.filter((row) => !wanted.has(row))).toEqual([]);
  expect([delays.length, new Set(delays).size]).toEqual([wanted.size, wanted.size]);

  // The files hold means of three decimals, and those are what the second job ranks by.
  const ranking = await writtenRows(join(output, 'ranking'), 'rank,origin,flights,meanDelay');
  const wantedRanking = await rankingBySql('flights * mean', parquet);
  expect(wantedRanking.length).toBeGreaterThan(200);
  expect(ranking).toEqual(wantedRanking);
  await expectOnlyRoundingTellsApart(ranking, parquet);
}

/** @param delay of a day, in thousandths of a minute. */
function rankingBySql(delay: string, parquet: string): Promise<string[]> {
  return rowsBySql(`
    WITH ${days(parquet)},
         airports AS (SELECT origin, sum(flights) AS flights, sum(${delay}) AS delay FROM days GROUP BY ALL)
    SELECT row_number() OVER (ORDER BY delay / flights DESC, origin), origin, flights,
           decimals(rounded(delay, flights))
    FROM airports ORDER BY 1`);
}

/**
 * Where the ranking differs from that of the flights themselves, in full; the example's README says why. A
 * daily mean is rounded by half a thousandth at most, so the mean of an airport moves by no more.
 */
async function expectOnlyRoundingTellsApart(
  ranking: readonly string[],
  parquet: string,
): Promise<void> {
  const exact = await rankingBySql('exact', parquet);
  expect(exact.length).toBe(ranking.length);
  const differences = ranking.map((row, index) => [row, exact[index]]).filter(([a, b]) => a !== b);
  expect(differences).toEqual([
    ['110,ISP,5734,5.410', '110,ISP,5734,5.409'],
    ['197,PNS,2660,1.360', '197,MFE,1852,1.360'],
    ['198,MFE,1852,1.360', '198,PNS,2660,1.360'],
    ['221,BIL,1651,-0.777', '221,BIL,1651,-0.776'],
  ]);
  const moved = await rowsBySql(`
    WITH ${days(parquet)}
    SELECT origin FROM days GROUP BY origin
    HAVING 2 * abs(sum(flights * mean) - sum(exact)) > sum(flights)`);
  expect(moved).toEqual([]);
}
