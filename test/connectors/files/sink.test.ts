import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Committable, Sink, SinkCommitter, SinkWriter } from '../../../src/api/sink.ts';
import { types } from '../../../src/api/types.ts';
import { FileSink, FileSource } from '../../../src/connectors/files/index.ts';
import { createCommitter } from '../../../src/connectors/registry.ts';
import { onTmpfs, whyNoTmpfs } from '../../tmpfs.ts';
import { readAll } from '../read.ts';

let base: string;
let out: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'fctl-sink-'));
  out = join(base, 'out');
});
afterEach(() => rm(base, { recursive: true, force: true }));

interface City {
  readonly name: string;
  readonly size: number;
}
const city = types.record({ name: types.string, size: types.double });
const cities = () => FileSink.csv<City>('out', { type: city });
const rome: City = { name: 'Rome', size: 2.8 };
const oslo: City = { name: 'Oslo', size: 0.7 };

const committerOf = (sink: Sink<never>, jobId: string, epoch = 1): Promise<SinkCommitter> =>
  createCommitter(sink.committer!, { workingDirectory: base, jobId, epoch });

function writerOf<T>(
  sink: Sink<T>,
  jobId: string,
  subtaskIndex = 0,
  attempt = 0,
  epoch = 1,
): SinkWriter<T> {
  return sink.createWriter({
    subtaskIndex,
    parallelism: 4,
    jobId,
    epoch,
    attempt,
    workingDirectory: base,
    stdout: { write: () => {}, ready: () => null, flushed: async () => {} },
  });
}

async function writeAll<T>(writer: SinkWriter<T>, values: readonly T[]) {
  for (const value of values) {
    writer.write(value, 0);
    await writer.ready();
  }
  return writer.finish();
}

/** What the subtasks of a job write; not yet published. */
async function write<T>(sink: Sink<T>, jobId: string, parts: readonly (readonly T[])[], epoch = 1) {
  const committer = await committerOf(sink as Sink<never>, jobId, epoch);
  await committer.prepare();
  const committables: Committable[] = [];
  for (const [index, part] of parts.entries()) {
    const writer = writerOf(sink, jobId, index, 0, epoch);
    await writer.open();
    committables.push(...(await writeAll(writer, part)));
  }
  return { committer, committables };
}

async function run<T>(sink: Sink<T>, jobId: string, parts: readonly (readonly T[])[]) {
  const { committer, committables } = await write(sink, jobId, parts);
  await committer.commit(committables);
}

/** Name and content of everything in the output folder, hidden folders included. */
async function output(folder = out): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    found[entry.name] = entry.isFile() ? await readFile(path, 'utf8') : '(folder)';
  }
  return found;
}

const romeOnly = { 'part-0.csv': 'name,size\nRome,2.8\n' };

describe('publishing', () => {
  test('a job has its parts, in the order of the subtasks, when it commits and not before', async () => {
    const parts = Array.from({ length: 11 }, (_, i) => [{ name: `c${i}`, size: i }]);
    const { committer, committables } = await write(cities(), 'a', parts);
    expect(Object.keys(await output())).toEqual(['.staging-a-1.csv']);
    await committer.commit(committables.toReversed());
    const published = await output();
    expect(Object.keys(published)).toHaveLength(11);
    expect(published['part-2.csv']).toBe('name,size\nc2,2\n');
    expect(published['part-10.csv']).toBe('name,size\nc10,10\n');
  });

  test('the parts of the run before are replaced, all of them; other files stay', async () => {
    await run(cities(), 'a', [[rome], [rome], [rome]]);
    await writeFile(join(out, 'README.txt'), 'mine');
    await writeFile(join(out, 'part-7.jsonl'), 'of another format');
    await writeFile(join(out, 'part-x.csv'), 'mine');
    await run(cities(), 'b', [[oslo], [rome]]);
    expect(await output()).toEqual({
      'README.txt': 'mine',
      'part-7.jsonl': 'of another format',
      'part-x.csv': 'mine',
      'part-0.csv': 'name,size\nOslo,0.7\n',
      'part-1.csv': 'name,size\nRome,2.8\n',
    });
  });

  test('subtasks without records have no part', async () => {
    await run(cities(), 'a', [[], [rome], []]);
    expect(await output()).toEqual(romeOnly);
  });

  test('no records at all: one part, with the header', async () => {
    await run(cities(), 'a', [[rome], [rome]]);
    await run(cities(), 'b', [[], []]);
    expect(await output()).toEqual({ 'part-0.csv': 'name,size\n' });
    await run(FileSink.csv<City>('out', { type: city, header: false }), 'c', [[]]);
    expect(await output()).toEqual({ 'part-0.csv': '' });
  });

  test('only the attempt that finished counts', async () => {
    const sink = cities();
    const committer = await committerOf(sink as Sink<never>, 'a');
    await committer.prepare();
    const lost = writerOf(sink, 'a', 0, 0);
    await lost.open();
    await writeAll(lost, [oslo]); // its process ended after this
    const again = writerOf(sink, 'a', 0, 1);
    await again.open();
    await committer.commit(await writeAll(again, [rome]));
    expect(await output()).toEqual(romeOnly);
  });

  test('a result larger than the buffers comes whole and in order', async () => {
    const lines = Array.from({ length: 60_000 }, (_, i) => `line ${i} ${'x'.repeat(i % 30)}`);
    await run(FileSink.text<string>('out'), 'a', [lines]);
    expect((await output())['part-0.txt']).toBe(lines.map((line) => `${line}\n`).join(''));
  });

  test('commit is idempotent', async () => {
    const { committer, committables } = await write(cities(), 'a', [[rome]]);
    await committer.commit(committables);
    await committer.commit(committables);
    await committer.abort();
    expect(await output()).toEqual(romeOnly);
  });

  test.each([
    ['some parts', [[rome], [], [oslo]]],
    ['no records', [[]]],
  ])('another committer that commits the same result changes nothing: %s', async (_what, parts) => {
    await run(cities(), 'a', [[oslo], [oslo], [oslo]]);
    const { committer, committables } = await write(cities(), 'b', parts);
    await committer.commit(committables);
    const published = await output();
    const again = await committerOf(cities() as Sink<never>, 'b');
    await again.commit(committables);
    expect(await output()).toEqual(published);

    const prepared = await committerOf(cities() as Sink<never>, 'b');
    await prepared.prepare();
    await prepared.commit(committables);
    expect(await output()).toEqual(published);
  });

  test.each([
    ['of the same size', 'part-0.csv', 'name,size\nRoma,2.8\n'],
    ['of another size', 'part-0.csv', 'name,size\n'],
    ['one more', 'part-2.csv', 'name,size\nRome,2.8\n'],
  ])('what others put there is not taken for the result: %s', async (_what, name, content) => {
    const { committer, committables } = await write(cities(), 'a', [[rome], [oslo]]);
    await committer.commit(committables);
    await writeFile(join(out, name), content);
    const changed = await output();
    const again = await committerOf(cities() as Sink<never>, 'a');
    await expect(again.commit(committables)).rejects.toThrow('the part part-0-0.csv is gone');
    expect(await output()).toEqual(changed);
  });

  test('sinks of one job may write to the same folder in two formats', async () => {
    const csv = await write(cities(), 'a', [[rome]]);
    const jsonl = await write(FileSink.jsonl<City>('out'), 'a', [[oslo]]);
    await csv.committer.commit(csv.committables);
    await jsonl.committer.commit(jsonl.committables);
    expect(await output()).toEqual({
      ...romeOnly,
      'part-0.jsonl': '{"name":"Oslo","size":0.7}\n',
    });
  });

  test('a second sink of a job with the same folder and format is refused', async () => {
    const { committer, committables } = await write(cities(), 'a', [[rome]]);
    const second = writerOf(cities(), 'a');
    await expect(second.open()).rejects.toThrow(
      `cannot write ${join(out, '.staging-a-1.csv/part-0-0.csv')}: another sink of the job writes to this folder, in the same format`,
    );
    await second.abort();
    await committer.commit(committables);
    expect(await output()).toEqual(romeOnly);
  });

  test('a part that is gone fails the job; the old output stays', async () => {
    await run(cities(), 'a', [[rome]]);
    const one = await write(cities(), 'b', [[oslo], [oslo]]);
    await rm(join(out, '.staging-b-1.csv', 'part-1-0.csv'));
    await expect(one.committer.commit(one.committables)).rejects.toThrow(
      `cannot publish in ${out}: the part part-1-0.csv is gone`,
    );
    await one.committer.abort();
    expect(await output()).toEqual(romeOnly);
    const all = await write(cities(), 'c', [[oslo]]);
    await rm(join(out, '.staging-c-1.csv'), { recursive: true });
    await expect(all.committer.commit(all.committables)).rejects.toThrow('is gone');
    expect(await output()).toEqual(romeOnly);
  });
});

describe('a job that does not finish', () => {
  test('abort leaves the old output and nothing else', async () => {
    await run(cities(), 'a', [[rome]]);
    const sink = cities();
    const { committer } = await write(sink, 'b', [[oslo]]);
    const running = writerOf(sink, 'b', 1);
    await running.open();
    running.write(oslo, 0);
    await running.abort();
    expect(await readdir(join(out, '.staging-b-1.csv'))).toEqual(['part-0-0.csv']);
    await committer.abort();
    expect(await output()).toEqual(romeOnly);
  });

  test('abort of a writer never rejects, also before open and after its folder is gone', async () => {
    await (await committerOf(cities() as Sink<never>, 'a')).prepare();
    const writer = writerOf(cities(), 'a');
    await writer.abort();
    await writer.open();
    await rm(out, { recursive: true });
    await writer.abort();
    expect(await readdir(base)).toEqual([]);
  });

  test('killed before COMMIT: the old output stands, and later jobs remove what is left', async () => {
    await run(cities(), 'a', [[rome]]);
    await write(cities(), 'b', [[oslo], [oslo]]); // and no more
    await writeFile(join(out, '.staging-b-1.csv', 'COMMIT.tmp'), '{"publ');
    expect(await output()).toEqual({ ...romeOnly, '.staging-b-1.csv': '(folder)' });

    const next = await committerOf(cities() as Sink<never>, 'c');
    await next.prepare(); // b may still be at work
    expect(Object.keys(await output()).sort()).toEqual([
      '.staging-b-1.csv',
      '.staging-c-1.csv',
      'part-0.csv',
    ]);
    await next.abort();

    const old = new Date(Date.now() - 48 * 3_600_000);
    const staging = join(out, '.staging-b-1.csv');
    await utimes(staging, old, old);
    await (await committerOf(cities() as Sink<never>, 'd')).prepare(); // parts of b were just written
    expect(Object.keys(await output())).toContain('.staging-b-1.csv');
    for (const name of await readdir(staging)) await utimes(join(staging, name), old, old);
    await (await committerOf(cities() as Sink<never>, 'e')).prepare();
    expect(Object.keys(await output()).sort()).toEqual([
      '.staging-d-1.csv',
      '.staging-e-1.csv',
      'part-0.csv',
    ]);
  });

  test('are those of a job that lives, however long it writes nothing (F8)', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const { committer, committables } = await write(cities(), 'b', [[oslo]]);
    const old = new Date(Date.now() - 48 * 3_600_000);
    const staging = join(out, '.staging-b-1.csv');
    for (const name of ['part-0-0.csv', '.']) await utimes(join(staging, name), old, old);
    vi.advanceTimersByTime(3_600_000);
    await expect.poll(() => readdir(staging)).toContain('ALIVE');
    await (await committerOf(cities() as Sink<never>, 'c')).prepare();
    await committer.commit(committables);
    expect(Object.keys(await output()).toSorted()).toEqual(['.staging-c-1.csv', 'part-0.csv']);
    vi.advanceTimersByTime(3_600_000);
    expect(vi.getTimerCount()).toBe(1); // of c
  });

  /** A job `b` that decided to publish two parts in place of three, and was killed after `renamed` of them. */
  async function killedAfterCommit(renamed: number) {
    await run(cities(), 'a', [[rome], [rome], [rome]]);
    const written = await write(cities(), 'b', [[oslo], [oslo, rome]]);
    const staging = join(out, '.staging-b-1.csv');
    const decision = {
      remove: ['part-0.csv', 'part-1.csv', 'part-2.csv'],
      publish: [
        ['part-0-0.csv', 'part-0.csv'],
        ['part-1-0.csv', 'part-1.csv'],
      ],
    };
    await writeFile(join(staging, 'COMMIT'), JSON.stringify(decision));
    for (const [part, name] of decision.publish.slice(0, renamed)) {
      await writeFile(join(out, name!), await readFile(join(staging, part!)));
      await rm(join(staging, part!));
    }
    return written;
  }
  const ofB = {
    'part-0.csv': 'name,size\nOslo,0.7\n',
    'part-1.csv': 'name,size\nOslo,0.7\nRome,2.8\n',
  };

  test.each([0, 1, 2])(
    'killed after COMMIT and %i renames: the next job carries it on',
    async (renamed) => {
      await killedAfterCommit(renamed);
      const next = await committerOf(cities() as Sink<never>, 'c');
      await next.prepare();
      await next.abort();
      expect(await output()).toEqual(ofB);
    },
  );

  test.each([0, 1, 2])(
    'killed after COMMIT and %i renames: a job that is about to publish carries it on first',
    async (renamed) => {
      const later = await write(cities(), 'c', [[rome]]);
      await killedAfterCommit(renamed);
      await later.committer.commit(later.committables);
      expect(await output()).toEqual(romeOnly);
      await run(FileSink.text<string>('out'), 'd', [['x']]);
      expect(await output()).toEqual({ ...romeOnly, 'part-0.txt': 'x\n' });
    },
  );

  test.each([0, 1, 2])(
    'after COMMIT and %i renames, commit and abort carry it on',
    async (renamed) => {
      const { committer, committables } = await killedAfterCommit(renamed);
      if (renamed === 1) await committer.commit(committables);
      await committer.abort();
      expect(await output()).toEqual(ofB);
    },
  );
});

describe('a JobManager that another one displaced, while its attempt still runs (F9)', () => {
  const romeAndOslo = { ...romeOnly, 'part-1.csv': 'name,size\nOslo,0.7\n' };

  test('what it writes and commits late changes nothing, before and after the newer one commits', async () => {
    const older = await write(cities(), 'a', [[oslo]], 1);
    const open = writerOf(cities(), 'a', 1, 0, 1);
    await open.open();
    const newer = await write(cities(), 'a', [[rome], [oslo]], 2);
    const late = [...older.committables, ...(await writeAll(open, [oslo]))];
    const another = writerOf(cities(), 'a', 2, 0, 1);
    await expect(another.open()).rejects.toThrow('Another JobManager has taken the job over');
    const whileNewerRuns = Object.keys(await output());
    expect(whileNewerRuns).toEqual(['.staging-a-2.csv']);
    const staged = await readdir(join(out, '.staging-a-2.csv'));
    const takenOver = `cannot publish in ${out}: another JobManager has taken the job over`;
    await expect(older.committer.commit(late)).rejects.toThrow(takenOver);
    await expect(older.committer.commit([])).rejects.toThrow(takenOver);
    await expect((await committerOf(cities() as Sink<never>, 'a', 1)).prepare()).rejects.toThrow(
      'another JobManager has taken the job over',
    );
    await older.committer.abort();
    expect(Object.keys(await output())).toEqual(whileNewerRuns);
    expect(await readdir(join(out, '.staging-a-2.csv'))).toEqual(staged);

    await newer.committer.commit(newer.committables);
    expect(await output()).toEqual(romeAndOslo);
    await expect(older.committer.commit(late)).rejects.toThrow(/the part .* is gone/);
    await expect(older.committer.commit([])).rejects.toThrow(/the folder .* is gone/);
    await older.committer.abort();
    expect(await output()).toEqual(romeAndOslo);
  });

  test('a folder of its own that it made too late goes, and nobody decides in it', async () => {
    const newer = await write(cities(), 'a', [[rome], [oslo]], 10);
    await mkdir(join(out, '.staging-a-9.csv'));
    const writer = writerOf(cities(), 'a', 0, 0, 9);
    await writer.open();
    const parts = await writeAll(writer, [oslo]);
    const older = await committerOf(cities() as Sink<never>, 'a', 9);
    await expect(older.commit(parts)).rejects.toThrow('taken the job over');
    await older.abort();
    expect(Object.keys(await output())).toEqual(['.staging-a-10.csv']);
    await newer.committer.commit(newer.committables);
    expect(await output()).toEqual(romeAndOslo);
  });

  test('what it has decided is carried out by the newer one alone', async () => {
    const older = await write(cities(), 'a', [[rome]], 1);
    const decision = { remove: [], publish: [['part-0-0.csv', 'part-0.csv']] };
    await writeFile(join(out, '.staging-a-1.csv', 'COMMIT'), JSON.stringify(decision));
    await mkdir(join(out, '.staging-a-2.csv')); // the newer one is about to look
    await expect(older.committer.commit(older.committables)).rejects.toThrow('taken the job over');
    await older.committer.abort();
    expect(Object.keys(await output())).toEqual(['.staging-a-1.csv', '.staging-a-2.csv']);
    const newer = await committerOf(cities() as Sink<never>, 'a', 2);
    await newer.prepare();
    await newer.abort();
    expect(await output()).toEqual(romeOnly);
  });

  test('folders of other jobs and formats are not those of an older epoch', async () => {
    const others = [
      '.staging-b-1.csv',
      '.staging-a-1.jsonl',
      '.staging-a-1x.csv',
      '.staging-aa-1.csv',
    ];
    for (const name of others) await mkdir(join(out, name), { recursive: true });
    await write(cities(), 'a', [[rome]], 2);
    expect(Object.keys(await output()).toSorted()).toEqual(
      [...others, '.staging-a-2.csv'].toSorted(),
    );
  });
});

describe('a target that cannot be written', () => {
  test('a path below a file is refused before the job starts', async () => {
    await writeFile(join(base, 'file'), '');
    const sink = FileSink.text<string>('file/out');
    const committer = await committerOf(sink as Sink<never>, 'a');
    await expect(committer.prepare()).rejects.toThrow(
      `the output folder ${join(base, 'file/out')} cannot be written by `,
    );
    const writer = writerOf(sink, 'a');
    await expect(writer.open()).rejects.toThrow(`cannot write ${join(base, 'file/out')}`);
    await writer.abort();
    await committer.abort();
  });

  test('a path that is a file is refused', async () => {
    await writeFile(out, '');
    const committer = await committerOf(cities() as Sink<never>, 'a');
    await expect(committer.prepare()).rejects.toThrow(`the output folder ${out} cannot be written`);
  });

  test(`a full disk${whyNoTmpfs === null ? '' : ` (${whyNoTmpfs})`}`, async (context) => {
    if (whyNoTmpfs !== null) return context.skip(whyNoTmpfs);
    await mkdir(out);
    await onTmpfs(out, 64, async () => {
      await run(cities(), 'a', [[rome]]);
      const sink = FileSink.csv<City>('out', { type: city });
      const committer = await committerOf(sink as Sink<never>, 'b');
      await committer.prepare();
      const writer = writerOf(sink, 'b');
      await writer.open();
      const values = Array.from({ length: 20_000 }, (_, i) => ({ name: `city ${i}`, size: i }));
      await expect(writeAll(writer, values)).rejects.toThrow(/^cannot write .*: the disk is full$/);
      await expect(writer.finish()).rejects.toThrow('the disk is full');
      await writeFile(join(out, 'ballast'), new Uint8Array(64 * 1024)).catch(() => {});
      await expect(committer.commit([])).rejects.toThrow(
        `cannot publish in ${out}: the disk is full`,
      );
      await writer.abort();
      await committer.abort();
      await rm(join(out, 'ballast'));
      expect(await output()).toEqual(romeOnly);
    });
  });
});

describe('formats', () => {
  test('text: strings as they are, other values as JSON', async () => {
    await run(FileSink.text<unknown>('out'), 'a', [['a b', 5, { x: 1n }, null]]);
    expect(await output()).toEqual({ 'part-0.txt': 'a b\n5\n{"x":1}\nnull\n' });
  });

  test('JSON Lines come back as the values that were written', async () => {
    const type = types.record({
      n: types.int64,
      tags: types.list(types.string),
      raw: types.bytes,
      more: types.map(types.double),
      none: types.optional(types.string),
    });
    const values = [
      { n: 1n, tags: ['a\n"b'], raw: new Uint8Array([1, 255]), more: new Map([['x', 0.5]]) },
      { n: -(2n ** 63n), tags: [], raw: new Uint8Array(), more: new Map(), none: 'ü' },
    ];
    const buffer = { ...values[0]!, raw: Buffer.from([1, 255]) };
    await run(FileSink.jsonl('out'), 'a', [[buffer, values[1]!]]);
    expect((await readAll(FileSource.jsonl(join(out, '*.jsonl'), type))).records).toEqual(values);
  });

  test('columns, their order and their formats', async () => {
    interface Row {
      readonly at: number;
      readonly mean: number;
      readonly note?: string;
    }
    const sink = FileSink.csv<Row>('out', {
      columns: ['note', 'mean', 'at'],
      format: { mean: 2, at: 'time' },
      separator: ';',
    });
    const at = Date.UTC(2024, 1, 3, 4);
    await run(sink, 'a', [
      [
        { at, mean: -0.001, note: 'a;b' },
        { at, mean: 1.005e3 },
      ],
    ]);
    expect(await output()).toEqual({
      'part-0.csv':
        'note;mean;at\n"a;b";0.00;2024-02-03T04:00:00.000Z\n;1005.00;2024-02-03T04:00:00.000Z\n',
    });
    const dates = FileSink.csv<Row>('out', {
      columns: ['at', 'mean'],
      format: { at: 'date', mean: (n: number) => `"${n}"` },
    });
    await run(dates, 'b', [[{ at, mean: 1 }]]);
    expect(await output()).toEqual({ 'part-0.csv': 'at,mean\n2024-02-03,"""1"""\n' });
  });

  test.each([
    [9.9125, 3, '9.913'],
    [-9.9125, 3, '-9.913'],
    [1.005, 2, '1.01'],
    [0.0625, 3, '0.063'],
    [9.912499, 3, '9.912'],
    [0.5, 0, '1'],
    [-0.0004, 3, '0.000'],
    [0.0005, 3, '0.001'],
    [12, 3, '12.000'],
    [1e21, 1, '1e+21'],
    [5e-324, 3, '0.000'],
    [Number.NaN, 1, 'NaN'],
  ])('%d with %i decimals is %s', async (value, decimals, text) => {
    const sink = FileSink.csv<{ n: number }>('out', { columns: ['n'], format: { n: decimals } });
    await run(sink, 'a', [[{ n: value }]]);
    expect(await output()).toEqual({ 'part-0.csv': `n\n${text}\n` });
  });

  test('decimals round as exact arithmetic on fractions does', async () => {
    const fraction = fc.record({
      sum: fc.integer({ min: -100_000, max: 100_000 }),
      // Odd sums over the named ones end in half a thousandth.
      count: fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.constantFrom(80, 400, 2000)),
    });
    let job = 0;
    const sink = FileSink.csv<{ n: number }>('out', {
      columns: ['n'],
      format: { n: 3 },
      header: false,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fraction, { minLength: 1, maxLength: 200 }), async (all) => {
        await run(sink, `job${job++}`, [all.map(({ sum, count }) => ({ n: sum / count }))]);
        const lines = (await output())['part-0.csv']!.trimEnd().split('\n');
        const wanted = all.map(({ sum, count }) => {
          const thousandths = Math.floor((Math.abs(sum) * 2000 + count) / (2 * count));
          return sum < 0 ? -thousandths || 0 : thousandths;
        });
        expect(lines.map((line) => Math.round(Number(line) * 1000))).toEqual(wanted);
      }),
      { numRuns: 50 },
    );
  });

  test('columns have to be known', () => {
    expect(() => FileSink.csv('out', {})).toThrow('FileSink.csv needs `columns`');
    expect(() => FileSink.csv('out', { type: types.string as never })).toThrow('needs `columns`');
  });

  const text = fc.string({
    unit: fc.constantFrom('"', ',', ';', '\n', '\r', ' ', 'a', 'ü', '\uFEFF', '|', ']', '\\', '\t'),
  });

  test.each([
    ['one column', ['a']],
    ['three columns', ['a', 'b', 'c']],
  ])('any text of %s comes back through CSV', async (_what, names) => {
    const type = types.record(Object.fromEntries(names.map((name) => [name, types.string])));
    const row = fc.record(Object.fromEntries(names.map((name) => [name, text])));
    const options = fc.record({
      header: fc.boolean(),
      separator: fc.constantFrom(',', ';', '\t', '|', ']', '\\', '||'),
    });
    let job = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 6 }), options, async (rows, chosen) => {
        await run(FileSink.csv<object>('out', { type, ...chosen }), `job${job++}`, [rows]);
        const source = FileSource.csv<object>(join(out, 'part-0.csv'), type, chosen);
        const { records } = await readAll(source);
        expect(records).toEqual(rows.map((r) => ({ ...r })));
      }),
      { numRuns: 150 },
    );
  });
});

describe('the path of the output', () => {
  const written = async (path: string) => {
    await run(FileSink.csv<City>(path, { type: city }), 'a', [[rome]]);
  };

  test.each(['a b', '100%', '#1?', 'ü', 'line\nbreak', 's3:', '[a]*'])(
    'may hold any character: %j',
    async (name) => {
      await written(`./${name}/out`);
      expect(await output(join(base, name, 'out'))).toEqual(romeOnly);
    },
  );

  test('file: and ~ mean what they say', async () => {
    await written(pathToFileURL(join(base, 'a b')).href);
    expect(await output(join(base, 'a b'))).toEqual(romeOnly);
    vi.stubEnv('HOME', join(base, 'home'));
    try {
      await written('~/out');
    } finally {
      vi.unstubAllEnvs();
    }
    expect(await output(join(base, 'home/out'))).toEqual(romeOnly);
  });

  test.each(['', ' ', 's3://bucket/out', 'hdfs://name:8020/out', 'file:out'])(
    '%j is refused, and nothing is written',
    async (path) => {
      const refused = { name: 'StorageError', fault: 'unsupported' };
      const sink = FileSink.text(path) as Sink<never>;
      await expect(committerOf(sink, 'a')).rejects.toMatchObject(refused);
      expect(() => writerOf(sink, 'a')).toThrow(`the path '${path}' `);
      expect(await readdir(base)).toEqual([]);
    },
  );

  test('is no file', async () => {
    await writeFile(out, 'mine');
    await expect(written('out')).rejects.toThrow(/out cannot be written by .*: it is not a folder/);
    expect(await readFile(out, 'utf8')).toBe('mine');
  });

  test.skipIf(whyNoTmpfs !== null)('says so when its file system is read-only', async () => {
    await mkdir(out);
    await onTmpfs(out, 64, async () => {
      execFileSync('mount', ['-o', 'remount,ro', out]);
      await expect(written('out/deep/er')).rejects.toThrow(': the file system is read-only');
    });
  });
});
