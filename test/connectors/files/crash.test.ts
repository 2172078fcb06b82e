/**
 * A job with two parts replaces the output of one with three, while each call to the file system in turn
 * fails, or is the last one. A part under its final name is always complete, and once the next job, or the
 * next attempt of the same one, has put things in order the output is that of one job.
 */
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Committable, SinkWriter } from '../../../src/api/sink.ts';
import { FileSink } from '../../../src/connectors/files/index.ts';
import { createCommitter } from '../../../src/connectors/registry.ts';
import { FaultKind } from './faults.ts';

const faults = await vi.hoisted(async () => {
  const { Faults } = await import('./faults.ts');
  return new Faults();
});
vi.mock('node:fs/promises', async (importOriginal) => faults.wrap(await importOriginal()));

let base: string;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'fctl-crash-'));
});
afterAll(() => rm(base, { recursive: true, force: true }));

const sink = FileSink.csv<{ n: number }>('out', { columns: ['n'] });

/** A job of which each subtask writes one record; rejects with what failed. */
class Job {
  readonly #context: {
    readonly jobId: string;
    readonly epoch: number;
    readonly workingDirectory: string;
  };
  readonly #writers: SinkWriter<{ n: number }>[] = [];

  constructor(jobId: string, workingDirectory: string, epoch = 1) {
    this.#context = { jobId, epoch, workingDirectory };
  }

  async run(records: readonly number[], attempt = 0): Promise<void> {
    const committer = await this.committer();
    await committer.prepare();
    await committer.commit(await this.write(records, attempt));
  }

  async write(records: readonly number[], attempt = 0): Promise<readonly Committable[]> {
    const committables: Committable[] = [];
    for (const [subtaskIndex, n] of records.entries()) {
      const writer = sink.createWriter({
        ...this.#context,
        subtaskIndex,
        parallelism: records.length,
        attempt,
        stdout: { write: () => {}, ready: () => null, flushed: async () => {} },
      });
      this.#writers.push(writer);
      await writer.open();
      writer.write({ n }, 0);
      committables.push(...(await writer.finish()));
    }
    return committables;
  }

  committer() {
    return createCommitter(sink.committer!, this.#context);
  }

  /** As the JobManager and the TaskManagers do when the job has failed. */
  async abort(): Promise<void> {
    for (const writer of this.#writers) await writer.abort();
    await (await this.committer()).abort();
  }
}

interface Output {
  readonly parts: Readonly<Record<string, string>>;
  readonly hidden: readonly string[];
}

async function outputOf(folder: string): Promise<Output> {
  const names = (await readdir(join(folder, 'out'))).sort();
  const parts = names.filter((name) => !name.startsWith('.'));
  const contents = parts.map(async (name) => [
    name,
    await readFile(join(folder, 'out', name), 'utf8'),
  ]);
  return {
    parts: Object.fromEntries(await Promise.all(contents)) as Record<string, string>,
    hidden: names.filter((name) => name.startsWith('.')),
  };
}

const before = { 'part-0.csv': 'n\n1\n', 'part-1.csv': 'n\n2\n', 'part-2.csv': 'n\n3\n' };
const after = { 'part-0.csv': 'n\n4\n', 'part-1.csv': 'n\n5\n' };

/** @returns the call that was hit, and whether job `b` ended well; `null` when there are fewer calls. */
async function runWithFault(kind: FaultKind, at: number) {
  const folder = await mkdtemp(join(base, 'run-'));
  await new Job('a', folder).run([1, 2, 3]);
  const job = new Job('b', folder);
  faults.set(kind, at);
  const error = await job.run([4, 5]).then(
    () => null,
    (reason: Error) => reason,
  );
  const { hit } = faults;
  await faults.clear();
  return hit === null ? null : { folder, job, hit, error };
}

const kills = [FaultKind.killedBefore, FaultKind.killedWithin, FaultKind.killedNearEnd];

test.each(kills)('%s each call', async (kind) => {
  const hits: string[] = [];
  for (;;) {
    const result = await runWithFault(kind, hits.length + 1);
    if (result === null) break;
    const { folder, hit, error } = result;
    const what = `${kind} ${hit}, call ${hits.push(hit)}`;
    expect(error, what).not.toBeNull();

    const { parts } = await outputOf(folder);
    for (const [name, content] of Object.entries(parts)) {
      const complete: Readonly<Record<string, string>>[] = [before, after];
      expect(
        complete.map((output) => output[name]),
        `${what}: ${name}`,
      ).toContain(content);
    }

    const next = await new Job('c', folder).committer();
    await next.prepare();
    await next.abort();
    expect([before, after], what).toContainEqual((await outputOf(folder)).parts);

    await new Job('d', folder).run([6]);
    expect((await outputOf(folder)).parts, what).toEqual({ 'part-0.csv': 'n\n6\n' });
  }
  expect(hits.length).toBeGreaterThan(25);
});

test('a call that fails fails the job, and its end puts things in order', async () => {
  let calls = 0;
  for (;;) {
    const result = await runWithFault(FaultKind.failed, ++calls);
    if (result === null) break;
    const { folder, job, hit, error } = result;
    const what = `failed ${hit}, call ${calls}`;
    if (error === null) {
      expect(await outputOf(folder), what).toEqual({ parts: after, hidden: [] });
      continue;
    }
    expect(error.message, what).toMatch(/^(?:cannot (?:write|publish)|the output folder) .*: EIO/);
    await job.abort();
    const output = await outputOf(folder);
    expect([before, after], what).toContainEqual(output.parts);
    expect(output.hidden, what).toEqual([]);
  }
  expect(calls).toBeGreaterThan(25);
});

test.each(
  kills.flatMap((kind) => [
    [kind, 'attempt', 1] as const,
    [kind, "JobManager's attempt", 2] as const,
  ]),
)('%s each call: the next %s replaces what is left', async (kind, _who, epoch) => {
  let calls = 0;
  for (;;) {
    const result = await runWithFault(kind, ++calls);
    if (result === null) break;
    const { folder, hit } = result;
    await new Job('b', folder, epoch).run([4, 5], 1);
    expect(await outputOf(folder), `${kind} ${hit}, call ${calls}`).toEqual({
      parts: after,
      hidden: [],
    });
  }
  expect(calls).toBeGreaterThan(25);
});

/** A job `b` that has written its parts, beside one that an attempt before lost. */
async function written(parts: readonly number[]) {
  const folder = await mkdtemp(join(base, 'written-'));
  await new Job('a', folder).run([1, 2, 3]);
  const job = new Job('b', folder);
  await (await job.committer()).prepare();
  await job.write([7]);
  const committables = await job.write(parts, 1);
  return { folder, job, committables };
}

const results = [
  { parts: [4, 5], output: after },
  { parts: [], output: { 'part-0.csv': 'n\n' } },
];

test.each(results)(
  'a call that fails while $parts are published: the same committer commits again',
  async ({ parts, output }) => {
    let calls = 0;
    for (;;) {
      const { folder, job, committables } = await written(parts);
      const committer = await job.committer();
      faults.set(FaultKind.failed, ++calls);
      const error = await committer.commit(committables).catch((reason: unknown) => reason);
      await faults.clear();
      if (faults.hit === null) break;
      const what = `failed ${faults.hit}, call ${calls}`;
      expect(error, what).toBeInstanceOf(Error);
      await committer.commit(committables);
      expect(await outputOf(folder), what).toEqual({ parts: output, hidden: [] });
    }
    expect(calls).toBeGreaterThan(12);
  },
);

const crash = fc.record({
  kind: fc.constantFrom(...kills),
  at: fc.integer({ min: 1, max: 24 }),
  prepares: fc.boolean(),
});

test.each(results)(
  'however often committers of $parts are killed, the result is published once',
  async ({ parts, output }) => {
    const complete: Readonly<Record<string, string>>[] = [before, output];
    await fc.assert(
      fc.asyncProperty(fc.array(crash, { maxLength: 4 }), async (crashes) => {
        const { folder, committables } = await written(parts);
        for (const { kind, at, prepares } of crashes) {
          const committer = await new Job('b', folder).committer();
          faults.set(kind, at);
          const commit = async () => {
            if (prepares) await committer.prepare();
            await committer.commit(committables);
          };
          await commit().catch(() => {}); // it may have been through before the fault
          await faults.clear();
          for (const [name, content] of Object.entries((await outputOf(folder)).parts)) {
            expect(complete.map((files) => files[name])).toContain(content);
          }
        }
        for (const _ of ['goes on', 'finds it done']) {
          await (await new Job('b', folder).committer()).commit(committables);
          expect(await outputOf(folder)).toEqual({ parts: output, hidden: [] });
        }
      }),
      { numRuns: 60 },
    );
  },
);

/** What a newer JobManager does while an older one, which it has displaced, publishes its attempt. */
const takeovers = [
  {
    what: 'makes its folder, and has not looked for decisions yet',
    takeOver: (folder: string) => mkdir(join(folder, 'out/.staging-b-2.csv')),
  },
  {
    what: 'prepares',
    takeOver: async (folder: string) => (await new Job('b', folder, 2).committer()).prepare(),
  },
];

test.each(takeovers)(
  'before each call of a commit a newer JobManager $what: then nothing more is decided',
  async ({ takeOver }) => {
    let undecided = 0;
    for (let calls = 1; ; calls++) {
      const { folder, job, committables } = await written([4, 5]);
      const staging = join(folder, 'out/.staging-b-1.csv');
      let isBeforeDecision = false;
      faults.delay(calls, async () => {
        const names = await readdir(staging).catch((): string[] => []);
        isBeforeDecision = names.includes('part-1-1.csv') && !names.includes('COMMIT');
        await takeOver(folder);
      });
      const committer = await job.committer();
      const error = await committer.commit(committables).catch((reason: unknown) => reason);
      if (error !== undefined) await committer.abort();
      const { hit } = faults;
      await faults.clear();
      if (hit === null) break;
      const what = `${hit}, call ${calls}`;
      if (isBeforeDecision) {
        undecided++;
        expect(error, what).toBeInstanceOf(Error);
        expect((await outputOf(folder)).parts, what).toEqual(before);
      }
      await new Job('b', folder, 2).run([6]);
      expect(await outputOf(folder), what).toEqual({
        parts: { 'part-0.csv': 'n\n6\n' },
        hidden: [],
      });
    }
    expect(undecided).toBeGreaterThan(8);
  },
);
