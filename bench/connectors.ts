/**
 * Reading files: 3 million rows of Parquet through our reader against hyparquet's own API of row objects,
 * and CSV and JSON Lines of the same rows against that reader. Prints rows a second, CPU time a row and
 * ratios.
 *
 *     node bench/connectors.ts [rounds]
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { PollStatus, type Source } from '../src/api/source.ts';
import { type TypeOf, types } from '../src/api/types.ts';
import { FileSource } from '../src/connectors/files/index.ts';
import { createEnumerator } from '../src/connectors/registry.ts';

const rounds = Number(process.argv[2] ?? 3);
const parquet = join(import.meta.dirname, '../node_modules/vega-datasets/data/flights-3m.parquet');
const flight = types.record({ date: types.timestamp, delay: types.int32, origin: types.string });
type Flight = TypeOf<typeof flight>;
/** As many records at a time as the task loop asks for. */
const batch = 256;
const textRows = 500_000;

/** As the runtime does it: splits one after the other, records in batches. */
async function read(source: Source<Flight>, emit: (value: Flight) => void): Promise<void> {
  const context = { workingDirectory: '/', jobId: 'bench', epoch: 0 };
  const enumerator = await createEnumerator(source.enumerator, context);
  await enumerator.start();
  const reader = source.createReader({
    subtaskIndex: 0,
    parallelism: 1,
    workingDirectory: '/',
    skipped: () => {},
  });
  for (let status: PollStatus = PollStatus.more; status !== PollStatus.end;) {
    status = reader.poll({ emit }, batch);
    if (status === PollStatus.wait) await reader.available();
    if (status === PollStatus.needSplit) {
      const split = await enumerator.next({ subtaskIndex: 0, parallelism: 1 });
      if (split === null) reader.noMoreSplits();
      else reader.addSplit(split);
    }
  }
  await reader.close();
  await enumerator.close();
}

interface Result {
  readonly rows: number;
  readonly delays: number;
  readonly cpuNsPerRow: number;
  readonly rowsPerSecond: number;
}

/** The best of the rounds. */
async function measure(run: (emit: (value: Flight) => void) => Promise<void>): Promise<Result> {
  let best: Result | null = null;
  for (let round = 0; round < rounds; round++) {
    let rows = 0;
    let delays = 0;
    const cpu = process.cpuUsage();
    const start = performance.now();
    await run((value) => {
      rows++;
      delays += Number(value.delay);
    });
    const rowsPerSecond = (rows / (performance.now() - start)) * 1000;
    const { user, system } = process.cpuUsage(cpu);
    const cpuNsPerRow = ((user + system) * 1000) / rows;
    if (best === null || cpuNsPerRow < best.cpuNsPerRow) {
      best = { rows, delays, cpuNsPerRow, rowsPerSecond };
    }
  }
  return best!;
}

/** All rows at once, as the API gives them. */
async function readObjects(emit: (value: Flight) => void): Promise<void> {
  const rows = await parquetReadObjects({
    file: await asyncBufferFromFile(parquet),
    columns: Object.keys(flight.kind === 'record' ? flight.fields : {}),
    compressors: { ZSTD: (input) => zstdDecompressSync(input) },
  });
  for (const row of rows) emit(row as Flight);
}

const folder = await mkdtemp(join(tmpdir(), 'fctl-bench-'));
try {
  const rows: Flight[] = [];
  await read(FileSource.parquet(parquet, flight), (value) => {
    if (rows.length < textRows) rows.push(value);
  });
  const csv = rows.map((f) => `${new Date(f.date).toISOString()},${f.delay},${f.origin}\n`);
  await writeFile(join(folder, 'flights.csv'), `date,delay,origin\n${csv.join('')}`);
  const json = rows.map((f) => `${JSON.stringify(f)}\n`);
  await writeFile(join(folder, 'flights.jsonl'), json.join(''));
  rows.length = csv.length = json.length = 0;

  const ours = await measure((emit) => read(FileSource.parquet(parquet, flight), emit));
  const objects = await measure(readObjects);
  if (ours.rows !== objects.rows || ours.delays !== objects.delays) {
    throw new Error('the two read different rows');
  }
  const results: [string, Result][] = [
    ['Parquet', ours],
    ["hyparquet's row objects", objects],
    ['CSV', await measure((emit) => read(FileSource.csv(`${folder}/flights.csv`, flight), emit))],
    [
      'JSON Lines',
      await measure((emit) => read(FileSource.jsonl(`${folder}/flights.jsonl`, flight), emit)),
    ],
  ];
  for (const [name, { rowsPerSecond, cpuNsPerRow }] of results) {
    console.log(
      `${name.padEnd(24)} ${(cpuNsPerRow / ours.cpuNsPerRow).toFixed(2).padStart(6)} × the CPU time of Parquet   ` +
        `${cpuNsPerRow.toFixed(0).padStart(5)} ns a row   ${(rowsPerSecond / 1e6).toFixed(2).padStart(5)} M rows/s`,
    );
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
