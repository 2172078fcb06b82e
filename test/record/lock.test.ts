/** The lock by a clock that is moved by hand and a store whose calls a test holds back. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { LockDocument } from '../../src/record/documents.ts';
import { MemoryStore } from '../../src/record/drivers/memory.ts';
import {
  type Lock,
  type LockOptions,
  type LockTaker,
  acquireLock,
  releaseLock,
} from '../../src/record/lock.ts';
import { readDocument } from '../../src/record/record.ts';
import type { RecordStore } from '../../src/record/store.ts';
import { ManualClock } from '../runtime/rpc/manual-clock.ts';

let clock: ManualClock;
let store: MemoryStore;
beforeEach(() => {
  clock = new ManualClock();
  store = new MemoryStore(() => clock.monotonic());
});

/** Lets everything go on that waits for nothing but promises. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 250) {
    clock.advance(Math.min(250, left));
    await settle();
  }
}

const taker = (name: string, change: Partial<LockTaker> = {}): Partial<LockTaker> => ({
  holder: `${name}@host-${name}/1`,
  machine: name,
  isRunning: () => true,
  nonce: () => `nonce of ${name}`,
  clock,
  ...change,
});

const take = (name: string, change: Partial<LockOptions> = {}, at: RecordStore = store) =>
  acquireLock(at, `deploy of ${name}`, {
    waitMs: 60_000,
    signal: new AbortController().signal,
    taker: taker(name),
    ...change,
  });

const stored = async () => (await readDocument(store, 'lock')).value as LockDocument;

/** What has become of a promise so far. */
async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'fulfilled' | 'rejected'> {
  await settle();
  return Promise.race([
    promise.then(
      () => 'fulfilled' as const,
      () => 'rejected' as const,
    ),
    settle().then(() => 'pending' as const),
  ]);
}

const reasonOf = (lock: Lock) => (lock.lost.reason as Error | undefined)?.message;

/** Writes of the lock wait at a gate, are lost before they are made, or lose their answer. */
class Troubled implements RecordStore {
  readonly maxBytes = 1e6;
  gate: Promise<void> = Promise.resolve();
  fails: 'before' | 'after' | 'as a conflict' | null = null;
  underWay = 0;
  mostUnderWay = 0;
  writes = 0;

  read: RecordStore['read'] = (names) => store.read(names);

  write: RecordStore['write'] = async (name, value, expected) => {
    this.writes++;
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
    try {
      const { fails } = this;
      await this.gate;
      if (fails === 'before') throw new Error('the place does not answer');
      const version = await store.write(name, value, expected);
      if (fails === 'after') throw new Error('the answer was lost');
      return fails === 'as a conflict' ? null : version;
    } finally {
      this.underWay--;
    }
  };
}

describe('K1: of clients at the same time', () => {
  it('one has the lock, the other waits and gets it with a higher epoch when it is released', async () => {
    const waits: LockDocument[] = [];
    const racing = ['a', 'b'].map((name) => take(name, { onWait: (lock) => waits.push(lock) }));
    const first = await Promise.race(racing);
    expect(await Promise.all(racing.map(stateOf))).toContain('pending');
    expect(waits).toMatchObject([{ epoch: 1 }]);
    await first.release();
    await pass(250);
    const locks = await Promise.all(racing);
    expect(locks.map(({ epoch }) => epoch).toSorted((a, b) => a - b)).toEqual([1, 2]); // K3
  });

  it('one that does not wait is told who has it', async () => {
    await take('a');
    const refused = take('b', { waitMs: 0 });
    await expect(refused).rejects.toMatchObject({
      exitCode: 8,
      message: expect.stringContaining('a@host-a/1') as string,
    });
  });

  it('one that is interrupted while it waits stops at once', async () => {
    await take('a');
    const interrupt = new AbortController();
    const waiting = take('b', { signal: interrupt.signal });
    waiting.catch(() => {});
    await settle();
    interrupt.abort(new Error('Ctrl-C'));
    await expect(waiting).rejects.toThrow('Ctrl-C');
    await pass(20_000);
    expect((await stored()).holder).toBe('a@host-a/1');
  });
});

describe('K2: a holder', () => {
  it('that renews keeps the lock for any time', async () => {
    const lock = await take('a');
    const waiting = take('b', { waitMs: 600_000 });
    await pass(120_000);
    expect(await stateOf(waiting)).toBe('pending');
    expect(lock.lost.aborted).toBe(false);
    await lock.release();
    await pass(250);
    expect((await waiting).epoch).toBe(2);
  });

  it('that is silent loses it after its term, also where nobody knows the age of a document', async () => {
    const silent: RecordStore = {
      maxBytes: 1e6,
      read: async (names) => {
        const found = await store.read(names);
        return new Map([...found].map(([name, stored]) => [name, { ...stored, ageMs: null }]));
      },
      write: (name, value, expected) => store.write(name, value, expected),
    };
    const troubled = new Troubled();
    await take('a', {}, troubled);
    troubled.gate = new Promise(() => {}); // paused for ever
    const waiting = take('b', {}, silent);
    await pass(15_000);
    expect(await stateOf(waiting)).toBe('pending');
    await pass(500);
    expect((await waiting).epoch).toBe(2);
  });

  it('whose process is gone is replaced at once by who can see that, and by nobody else', async () => {
    await take('a', {
      taker: taker('a', { machine: 'here', holder: 'a@host/77', clock: new ManualClock() }),
    });
    const elsewhere = take('b', { taker: taker('b', { isRunning: () => false }) });
    expect(await stateOf(elsewhere)).toBe('pending');
    const seen: number[] = [];
    const isRunning = (pid: number) => {
      seen.push(pid);
      return false;
    };
    const here = await take('c', { taker: taker('c', { machine: 'here', isRunning }) });
    expect([here.epoch, seen]).toEqual([2, [77]]);
  });

  it('that was paused beyond its term finds out when it wakes up, and takes nothing back', async () => {
    const pausedClock = new ManualClock();
    const paused = await take('a', { taker: taker('a', { clock: pausedClock }) });
    const waiting = take('b');
    await pass(16_000);
    const next = await waiting;
    expect(paused.lost.aborted).toBe(false); // it sleeps
    pausedClock.advance(16_000);
    await settle();
    expect(reasonOf(paused)).toBe('b@host-b/1 took over the cluster: deploy of b');
    await paused.release();
    expect(await stored()).toMatchObject({
      holder: 'b@host-b/1',
      epoch: next.epoch,
      released: false,
    });
  });
});

describe('K4, K5: with a store that takes 20 s for a write', () => {
  it('renewals do not overlap, and the holder does not lose to itself', async () => {
    const slow = new Troubled();
    const lock = await take('a', {}, slow);
    for (let i = 0; i < 3; i++) {
      const gate = Promise.withResolvers<void>();
      slow.gate = gate.promise;
      const before = slow.writes;
      await pass(5000);
      expect(slow.writes).toBe(before + 1);
      await pass(20_000);
      expect(slow.writes).toBe(before + 1);
      gate.resolve();
      await settle();
    }
    expect(slow.mostUnderWay).toBe(1);
    expect(lock.lost.aborted).toBe(false);
    slow.gate = Promise.resolve();
    await lock.release();
    expect(await stored()).toMatchObject({ epoch: 1, released: true });
  });

  it.each(['after', 'as a conflict'] as const)(
    'a write whose answer is lost (%s) is its own',
    async (fails) => {
      const store_ = new Troubled();
      store_.fails = fails;
      const lock = await take('a', {}, store_);
      await pass(30_000);
      expect(lock.lost.aborted).toBe(false);
      store_.fails = null;
      await pass(6000);
      await lock.release();
      expect(await stored()).toMatchObject({ epoch: 1, released: true });
    },
  );
});

describe('K6: a holder that cannot renew', () => {
  it('tries again, and goes on when it could', async () => {
    const troubled = new Troubled();
    const lock = await take('a', {}, troubled);
    troubled.fails = 'before';
    await pass(12_000);
    troubled.fails = null;
    await pass(30_000);
    expect(lock.lost.aborted).toBe(false);
    expect((await readDocument(store, 'lock')).ageMs).toBeLessThanOrEqual(5000);
  });

  it('has lost the lock when its term is over', async () => {
    const troubled = new Troubled();
    const lock = await take('a', {}, troubled);
    troubled.fails = 'before';
    await pass(14_000);
    expect(lock.lost.aborted).toBe(false);
    await pass(2000);
    expect(reasonOf(lock)).toMatch(/could not be renewed for 15 s.*the place does not answer/);
  });
});

describe('a lock', () => {
  it('that was taken away is lost, and its release changes nothing', async () => {
    const lock = await take('a');
    expect(await releaseLock(store)).toMatchObject({ holder: 'a@host-a/1' });
    await pass(5000);
    expect(reasonOf(lock)).toMatch(/took over the cluster: released the lock of a@host-a\/1/);
    const before = await stored();
    await lock.release();
    expect(await stored()).toEqual(before);
    expect(await releaseLock(store)).toBeNull();
  });

  it.each([
    ['is lost', false, 'the cluster was removed meanwhile'],
    ['is not lost where its holder removed it, and makes no record', true, undefined],
  ])('whose record is gone %s', async (_what, isAbandoned, reason) => {
    let place: RecordStore = store;
    const moving: RecordStore = {
      maxBytes: store.maxBytes,
      read: (names) => place.read(names),
      write: (name, value, expected) => place.write(name, value, expected),
    };
    const lock = await take('a', {}, moving);
    if (isAbandoned) await lock.abandon();
    place = new MemoryStore();
    await pass(60_000);
    expect(reasonOf(lock)).toBe(reason);
    await lock.release();
    expect(await place.read()).toEqual(new Map());
  });

  it('that cannot be released lets its holder go, soon and without an error', async () => {
    const troubled = new Troubled();
    const refusing = await take('a', {}, troubled);
    troubled.fails = 'before';
    await refusing.release();
    await pass(20_000);
    const hanging = await take('b', {}, troubled).catch(() => null);
    expect(hanging).toBeNull();
    troubled.fails = null;
    const other = await take('c', {}, troubled);
    troubled.gate = new Promise(() => {});
    const released = other.release();
    await pass(4000);
    expect(await stateOf(released)).toBe('pending');
    await pass(1000);
    expect(await stateOf(released)).toBe('fulfilled');
  });

  it('is not renewed any more once it was released', async () => {
    const troubled = new Troubled();
    const lock = await take('a', {}, troubled);
    await lock.release();
    const { writes } = troubled;
    await pass(60_000);
    expect([troubled.writes, clock.pending]).toEqual([writes, 0]);
  });
});
