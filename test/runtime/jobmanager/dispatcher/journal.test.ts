import { readDocument } from '../../../../src/record/record.ts';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobOutcome } from '../../../../src/contract/outcome.ts';
import { Redactor } from '../../../../src/contract/secrets.ts';
import type { JobGraph } from '../../../../src/graph/job-graph.ts';
import { LeadershipLostError } from '../../../../src/runtime/ha/leadership.ts';
import {
  Journal,
  type JournalOptions,
} from '../../../../src/runtime/jobmanager/dispatcher/journal.ts';
import { MemoryRecord } from '../../ha/memory-record.ts';
import { ManualClock } from '../../rpc/manual-clock.ts';
import { pipeline } from '../graphs.ts';

let record: MemoryRecord;
let clock: ManualClock;
beforeEach(() => {
  record = new MemoryRecord();
  clock = new ManualClock(1000);
});

/** The journal of the JobManager of that epoch. */
async function open(epoch: number, options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = new Journal({
    record,
    epoch,
    resourceId: `jobmanager-0/${epoch}`,
    release: 'r1',
    mode: 'application',
    redactor: new Redactor(['s3cret']),
    clock,
    ...options,
  });
  await journal.open();
  return journal;
}

const idOf = (n: number) => n.toString(16).padStart(32, '0');
const graphOf = (name: string, hash = 'c', args = {}): JobGraph => {
  const graph = pipeline(name, 1);
  return { ...graph, hash: hash.repeat(64), code: { ...graph.code, args } };
};
const execute = (journal: Journal, index: number, graph = graphOf('job'), id = 10 + index) =>
  journal.admit({ jobId: idOf(id), graph, executeIndex: index });

const outcomeOf = (id: number, state = 'FINISHED'): JobOutcome => ({
  id: idOf(id),
  name: 'job',
  state,
  startTime: 1000,
  endTime: 2000,
  error: null,
  accumulators: { lines: 7 },
  vertices: [],
});

const stored = async () => (await readDocument(record, 'jobs')).value!;

describe('the journal of an application', () => {
  it('says to a new run of main() which jobs have ended, with their results', async () => {
    const first = await open(1);
    expect(await execute(first, 0)).toEqual({ type: 'start', jobId: idOf(10), attempt: 0 });
    await first.ended(outcomeOf(10), { top: [1, 2] });
    const second = await open(2);
    expect(await execute(second, 0, graphOf('job'), 99)).toMatchObject({
      type: 'ended',
      job: { id: idOf(10), outcome: outcomeOf(10), collected: { top: [1, 2] } },
    });
    expect(await execute(second, 1)).toMatchObject({ type: 'start', attempt: 0 });
  });

  it.each(['FAILED', 'CANCELED'])('keeps that a job is %s, too', async (state) => {
    const first = await open(1);
    await execute(first, 0);
    await first.ended(outcomeOf(10, state), {});
    expect(await execute(await open(2), 0)).toMatchObject({ type: 'ended' });
  });

  it('uses the number of an attempt once, also of those that failed under one JobManager', async () => {
    const first = await open(1);
    await execute(first, 0);
    await first.restarted(idOf(10), 1, 1500);
    await first.restarted(idOf(10), 2, 1600);
    expect(await execute(await open(2), 0)).toMatchObject({ type: 'start', attempt: 3 });
    expect((await stored()).jobs[0]!.attempts).toMatchObject([
      { attempt: 0, epoch: 1, state: 'FAILED', endTime: 1500 },
      { attempt: 1, epoch: 1, state: 'FAILED', endTime: 1600 },
      { attempt: 2, epoch: 1, state: 'LOST' },
      { attempt: 3, epoch: 2, state: 'RUNNING', endTime: null },
    ]);
  });

  it('starts an unfinished job again: the same id, the next attempt, all of them listed', async () => {
    const first = await open(1);
    await execute(first, 0);
    clock.advance(10);
    const second = await open(2);
    expect(second.startTime).toBe(1000); // of the application
    expect(second.past).toMatchObject([{ id: idOf(10), outcome: null }]);
    expect(second.mayResume(second.pastJob(idOf(10))!)).toBe(true);
    expect(await execute(second, 0, graphOf('job'), 99)).toEqual({
      type: 'start',
      jobId: idOf(10),
      attempt: 1,
    });
    expect(second.past).toEqual([]);
    await second.ended(outcomeOf(10), {});
    const [job] = (await stored()).jobs;
    expect(job!.attempts).toEqual([
      { attempt: 0, epoch: 1, startTime: 1000, endTime: 1010, state: 'LOST' },
      { attempt: 1, epoch: 2, startTime: 1010, endTime: 2000, state: 'FINISHED' },
    ]);
  });

  it.each([
    ['another job', graphOf('other', 'd'), "was job 'job' before", "it is job 'other' now"],
    ['other arguments', graphOf('job', 'd', { n: 2 }), "was job 'job'", 'it has other arguments'],
    ['another graph', graphOf('job', 'd'), "was job 'job'", 'the graph dddddddd now, it had cccc'],
  ])('refuses %s in the same place', async (_what, graph, ...messages) => {
    await execute(await open(1), 0);
    const answer = await execute(await open(2), 0, graph);
    expect(answer.type).toBe('refused');
    for (const text of ['main() is not deterministic: execute number 1', ...messages]) {
      expect(answer).toMatchObject({ message: expect.stringContaining(text) });
    }
  });

  it('takes jobs of main() in that overlap, each in its own place', async () => {
    const first = await open(1);
    await Promise.all([0, 1, 2].map((index) => execute(first, index)));
    await first.ended(outcomeOf(11), {});
    const second = await open(2);
    const again = await Promise.all([0, 1, 2].map((index) => execute(second, index)));
    expect(again.map(({ type }) => type)).toEqual(['start', 'ended', 'start']);
  });

  it('begins anew with another release, and after an outcome (N3)', async () => {
    await execute(await open(1), 0);
    clock.advance(7);
    const fresh = await open(2, { release: 'r2' });
    expect([fresh.past, fresh.startTime]).toEqual([[], 1007]);
    await execute(await open(3, { release: 'r2' }), 0);
    await record.write('outcome', { epoch: 3 }, null);
    const next = await open(4, { release: 'r2' });
    expect(await execute(next, 0, graphOf('other', 'e'))).toMatchObject({ type: 'start' });
  });

  it('keeps no collected values that are too many or secret, and says why', async () => {
    const first = await open(1);
    for (const index of [0, 1]) await execute(first, index);
    await first.ended(outcomeOf(10), { top: ['x'.repeat(300_000)] });
    await first.ended(outcomeOf(11), { top: ['the s3cret'] });
    const second = await open(2);
    expect(second.pastJob(idOf(10))).toMatchObject({
      collected: {},
      collectedError: expect.stringMatching(/293.0 KiB are more than the 128.0 KiB kept/),
    });
    expect(second.pastJob(idOf(11))).toMatchObject({
      collected: {},
      collectedError: expect.stringContaining('there is a secret in it'),
    });
    expect(JSON.stringify(await stored())).not.toContain('s3cret');
  });
});

describe('however often the JobManager is lost', () => {
  it('every job is seen to its end once, and main() sees the same results each time', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('FINISHED', 'FAILED', 'CANCELED'), { minLength: 1, maxLength: 6 }),
        // How many steps each JobManager lives, and how many jobs main() lets overlap.
        fc.array(fc.nat({ max: 9 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 3 }),
        async (states, lives, overlap) => {
          record = new MemoryRecord();
          const ends = new Map<string, number>();
          const seen: (readonly [string, string])[][] = [];
          let epoch = 0;
          for (const steps of [...lives, Infinity]) {
            const journal = await open(++epoch);
            seen.push(await runMain(journal, { ends, overlap, states, steps, epoch }));
          }
          const last = seen.at(-1)!;
          expect(last.map(([, state]) => state)).toEqual(states);
          expect([...ends.values()]).toEqual(states.map(() => 1));
          for (const earlier of seen) expect(last.slice(0, earlier.length)).toEqual(earlier);
          const { jobs } = await stored();
          for (const { attempts } of jobs) {
            expect(attempts.map(({ attempt }) => attempt)).toEqual(attempts.map((_, i) => i));
            expect(attempts.slice(0, -1).every(({ state }) => state === 'LOST')).toBe(true);
          }
        },
      ),
    ));
});

interface Run {
  readonly states: readonly string[];
  readonly overlap: number;
  /** Submissions and ends until the JobManager is lost. */
  readonly steps: number;
  readonly epoch: number;
  /** How often a job has ended, by id. */
  readonly ends: Map<string, number>;
}

/** A main() that executes its jobs in groups that overlap. @returns the results that it saw. */
async function runMain(journal: Journal, { ends, epoch, overlap, states, steps }: Run) {
  const results: (readonly [string, string])[] = [];
  let left = steps;
  for (let from = 0; from < states.length; from += overlap) {
    const group = states.slice(from, from + overlap).entries();
    const running: [string, string][] = [];
    for (const [offset, state] of group) {
      if (left-- <= 0) return results;
      const index = from + offset;
      const admitted = await execute(journal, index, graphOf(`job ${index}`), 100 * epoch + index);
      if (admitted.type === 'refused') throw new Error(admitted.message);
      running.push(admitted.type === 'ended' ? [admitted.job.id, ''] : [admitted.jobId, state]);
    }
    for (const [id, state] of running) {
      if (state === '') continue;
      if (left-- <= 0) return results;
      ends.set(id, (ends.get(id) ?? 0) + 1);
      await journal.ended({ ...outcomeOf(0, state), id }, {});
    }
    results.push(...running.map(([id]) => [id, journal.job(id)!.outcome!.state] as const));
  }
  return results;
}

describe('writing', () => {
  it('of another leader ends this one, which writes nothing more (N1)', async () => {
    const old = await open(1);
    await execute(old, 0);
    await open(2);
    await expect(execute(old, 1)).rejects.toBeInstanceOf(LeadershipLostError);
    await expect(old.ended(outcomeOf(10), {})).rejects.toThrow("its epoch is 2, this one's 1");
    expect(await stored()).toMatchObject({ epoch: 2, jobs: [{ outcome: null }] });
    await expect(open(1)).rejects.toBeInstanceOf(LeadershipLostError);
  });

  it('is over before a job may start, and shared by those who come meanwhile (N2)', async () => {
    const journal = await open(1);
    const gate = Promise.withResolvers<void>();
    record.gate = gate.promise;
    const before = record.writes;
    let started = 0;
    const all = [0, 1, 2, 3].map((index) => execute(journal, index).then(() => started++));
    await new Promise((resolve) => setImmediate(resolve));
    expect(started).toBe(0);
    gate.resolve();
    await Promise.all(all);
    expect(record.writes - before).toBeLessThanOrEqual(2);
    expect((await stored()).jobs).toHaveLength(4);
  });

  it('that fails after it was published loses nothing (N7)', async () => {
    const journal = await open(1);
    record.failsAfterwards = new Error('EMFILE: too many open files');
    await expect(execute(journal, 0)).rejects.toThrow('EMFILE');
    expect(await execute(journal, 0)).toMatchObject({ type: 'start', attempt: 0 });
    record.failsAfterwards = new Error('EIO');
    await expect(journal.ended(outcomeOf(10), {})).rejects.toThrow('EIO');
    await journal.ended(outcomeOf(10), {});
    expect(await execute(journal, 1)).toMatchObject({ type: 'start' });
    expect((await stored()).jobs).toMatchObject([{ outcome: { state: 'FINISHED' } }, {}]);
  });

  it('of another JobManager under the same epoch is not written over (N7)', async () => {
    const journal = await open(1);
    const { version } = await readDocument(record, 'jobs');
    const other = { ...(await stored()), writer: 'jobmanager-0/other' };
    await record.write('jobs', other, version);
    await expect(execute(journal, 0)).rejects.toBeInstanceOf(LeadershipLostError);
    await expect(execute(journal, 0)).rejects.toBeInstanceOf(LeadershipLostError);
  });

  it('that fails takes nothing in', async () => {
    const journal = await open(1);
    const failing = Promise.reject(new Error('disk full'));
    failing.catch(() => {});
    record.gate = failing;
    await expect(execute(journal, 0)).rejects.toThrow('disk full');
    record.gate = Promise.resolve();
    expect(journal.job(idOf(10))).toBeNull();
    expect(await execute(journal, 0)).toMatchObject({ type: 'start', attempt: 0 });
  });
});

/** What the record takes on every platform. */
const maxBytes = 256 * 1024;

describe('the journal of an application that executes jobs for ever (N6)', () => {
  it('stays small, and main() finds its place all the same', async () => {
    const first = await open(1);
    const count = 600; // far more than fit
    for (let index = 0; index < count; index++) {
      await execute(first, index);
      const state = index === 7 ? 'FAILED' : 'FINISHED';
      await first.ended(outcomeOf(10 + index, state), { top: [index] });
    }
    await execute(first, count); // it runs when its JobManager is lost
    const document = await stored();
    expect(JSON.stringify(document).length).toBeLessThan(maxBytes);
    const kept = document.jobs.length - 1;
    expect(document.forgotten).toEqual([
      { from: 0, to: 6, state: 'FINISHED' },
      { from: 7, to: 7, state: 'FAILED' },
      { from: 8, to: count - kept - 1, state: 'FINISHED' },
    ]);

    const second = await open(2);
    expect(await execute(second, 7, graphOf('job'), 90_007)).toMatchObject({
      type: 'ended',
      job: { id: idOf(90_007), outcome: { state: 'FAILED', error: { task: null } } },
    });
    expect(await execute(second, 8, graphOf('job'), 90_008)).toMatchObject({
      job: { outcome: { state: 'FINISHED' }, collectedError: expect.stringContaining('is gone') },
    });
    expect(second.pastJob(idOf(90_008))).toMatchObject({ outcome: { state: 'FINISHED' } });
    expect(second.isForgotten(idOf(90_008))).toBe(true);
    expect(await execute(second, count - 1, graphOf('job'), 90_009)).toMatchObject({
      type: 'ended',
      job: { id: idOf(10 + count - 1), collected: { top: [count - 1] } },
    });
    expect(await execute(second, count)).toMatchObject({ type: 'start', attempt: 1 });
  });

  it('lets go of what the oldest jobs collected before it forgets them', async () => {
    const first = await open(1);
    const top = ['x'.repeat(100_000)];
    for (const index of [0, 1, 2]) {
      await execute(first, index);
      await first.ended(outcomeOf(10 + index), { top });
    }
    const second = await open(2);
    expect([0, 1, 2].map((index) => second.pastJob(idOf(10 + index))!.collected)).toEqual([
      {},
      {},
      { top },
    ]);
    expect(second.pastJob(idOf(10))).toMatchObject({
      outcome: { accumulators: { lines: 7 } },
      collectedError: expect.stringContaining('later jobs have taken its place'),
    });
  });
});

describe('the history of a session', () => {
  const session = { mode: 'session' } as const;
  const submit = (journal: Journal, id: number) =>
    journal.admit({ jobId: idOf(id), graph: graphOf('job'), executeIndex: 0 });

  it('outlives its JobManagers and releases; jobs that ran are lost', async () => {
    const first = await open(1, session);
    for (const id of [1, 2]) await submit(first, id);
    await first.ended(outcomeOf(1), { top: [1] });
    const second = await open(2, { ...session, release: 'r2' });
    expect(second.past).toMatchObject([
      { id: idOf(1), outcome: { state: 'FINISHED' }, attempts: [{ state: 'FINISHED' }] },
      { id: idOf(2), outcome: null, attempts: [{ attempt: 0, epoch: 1, state: 'LOST' }] },
    ]);
    expect(second.mayResume(second.past[1]!)).toBe(false);
    expect(await submit(second, 2)).toMatchObject({
      type: 'refused',
      message: expect.stringContaining('was lost with its JobManager'),
    });
  });

  it('takes every submission for a job of its own, whatever main() counts', async () => {
    const journal = await open(1, session);
    expect(await submit(journal, 1)).toMatchObject({ jobId: idOf(1) });
    expect(await submit(journal, 2)).toMatchObject({ type: 'start', jobId: idOf(2) });
  });

  it('forgets the oldest, never one that runs, and stays small (N6)', async () => {
    const journal = await open(1, session);
    await submit(journal, 0);
    for (let id = 1; id <= 600; id++) {
      await submit(journal, id);
      await journal.ended(outcomeOf(id), {});
    }
    const document = await stored();
    expect(JSON.stringify(document).length).toBeLessThan(maxBytes);
    const ids = document.jobs.map(({ id }) => Number.parseInt(id, 16));
    expect(ids[0]).toBe(0); // it runs
    expect(ids.slice(1)).toEqual(Array.from(ids.slice(1), (_, i) => 600 - (ids.length - 2) + i));
    expect(ids.length).toBeGreaterThan(100);
    expect(document.forgotten).toBeUndefined();
  });
});
