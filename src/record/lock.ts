/**
 * The lock of a cluster: whoever changes it holds the lock until it is done. It lives in the record.
 *
 *     wait ─▶ held ─▶ released | abandoned | lost
 *
 * K1  Taking, renewing and releasing are compare-and-set on one document: two clients cannot both win.
 * K2  A holder whose process is provably gone (same machine, pid gone) is replaced at once; any other only
 *     after its lock was not renewed for its whole term. That is judged by the clock of the place where the
 *     lock lies, or by the lock not having changed while somebody watched; two clocks are never compared.
 * K3  Each holder has a higher epoch than the one before. What it does carries the epoch (provider.ts, V4).
 * K4  Renewals never overlap: the next one is planned when the last one has ended. So a slow store makes
 *     renewals rare, and nothing else.
 * K5  A lock is lost to another holder, never to its own: what is found under its own nonce was written by a
 *     call of this holder whose answer was lost.
 * K6  A renewal that fails is repeated. Only when none has succeeded for the whole term the lock counts as
 *     lost, for somebody else may hold it by then.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { type Clock, systemClock } from '../contract/clock.ts';
import { ClusterError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import { localUser } from '../contract/user.ts';
import { DocumentName, type LockDocument } from './documents.ts';
import { lockLost, takenOver } from './fence.ts';
import { readDocument } from './record.ts';
import type { RecordStore, Version } from './store.ts';

const termMs = 15_000;
const renewMs = 5000;
/** After a renewal that failed (K6). */
const retryMs = 1000;
const pollMs = 250;
/** Nobody waits longer for the lock to be released: it is free after its term in any case. */
const releaseMs = 5000;

export interface Lock {
  /** K3 */
  readonly epoch: number;
  /** Aborts when the lock was lost to somebody else. */
  readonly lost: AbortSignal;
  /**
   * Lets others have it. Never rejects, and ends within 5 s: a lock that cannot be released is free after
   * its term. Does nothing where it was lost or abandoned.
   */
  release(): Promise<void>;
  /** Stops renewing without releasing: the record is removed now, and the lock in it. */
  abandon(): Promise<void>;
}

/** The process that takes a lock, and what it knows of time and of others. */
export interface LockTaker {
  /** `user@host/pid` */
  readonly holder: string;
  /** Machine, boot and container in which the pid means something. */
  readonly machine: string;
  /** Whether a process of this machine is there. */
  readonly isRunning: (pid: number) => boolean;
  /** Different each time. */
  readonly nonce: () => string;
  readonly clock: Clock;
}

/** `user@host/pid` */
export function lockHolder(): string {
  return `${localUser().name}@${hostname()}/${process.pid}`;
}

function thisMachine(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

const thisProcess = (): LockTaker => ({
  holder: lockHolder(),
  machine: thisMachine(),
  isRunning,
  nonce: () => randomBytes(8).toString('hex'),
  clock: systemClock,
});

export interface LockOptions {
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** Called once, when somebody else holds the lock. */
  readonly onWait?: (holder: LockDocument) => void;
  /** Default: this process. */
  readonly taker?: Partial<LockTaker>;
}

/**
 * Takes the lock, waiting up to `waitMs` for another holder.
 * @throws ClusterError (exit 8) naming the holder.
 */
export async function acquireLock(
  store: RecordStore,
  message: string,
  { onWait, signal, waitMs, ...options }: LockOptions,
): Promise<Lock> {
  const taker = { ...thisProcess(), ...options.taker };
  const { clock } = taker;
  const start = clock.monotonic();
  const nonce = taker.nonce();
  let seen = null as { readonly version: Version | null; readonly since: number } | null;
  let told = false;
  for (;;) {
    signal.throwIfAborted();
    const { ageMs, value, version } = await readDocument(store, DocumentName.lock, { signal });
    const now = clock.monotonic();
    if (seen === null || version !== seen.version) seen = { version, since: now };
    const unchangedMs = Math.max(ageMs ?? 0, now - seen.since);
    if (value === null || isFree(value, unchangedMs, taker)) {
      const lock: LockDocument = {
        holder: taker.holder,
        machine: taker.machine,
        message,
        epoch: (value?.epoch ?? 0) + 1, // K3
        acquiredAt: clock.now(),
        termMs,
        released: false,
        nonce,
      };
      const writtenAt = clock.monotonic();
      const written = await writeLock(store, lock, version); // K1
      if ('version' in written) return new HeldLock(store, clock, lock, written.version, writtenAt);
      continue;
    }
    if (now - start >= waitMs) throw held(value);
    if (!told) onWait?.(value);
    told = true;
    await pause(clock, pollMs, signal);
  }
}

/** K2. @param unchangedMs how long nobody has renewed it, as far as is known. */
function isFree(
  lock: LockDocument,
  unchangedMs: number,
  { isRunning: runs, machine }: Pick<LockTaker, 'isRunning' | 'machine'>,
): boolean {
  if (lock.released || unchangedMs > lock.termMs) return true;
  return lock.machine === machine && !runs(Number(lock.holder.split('/').at(-1)));
}

type Written =
  | { readonly version: Version }
  /** Somebody else wrote; `null`: the record was removed. */
  | { readonly other: LockDocument | null };

/** K5. Rejects when nobody knows whether it was written. */
async function writeLock(
  store: RecordStore,
  lock: LockDocument,
  expected: Version | null,
): Promise<Written> {
  let failure: { readonly error: unknown } | null = null;
  try {
    const version = await store.write(DocumentName.lock, lock, expected);
    if (version !== null) return { version };
  } catch (error) {
    failure = { error };
  }
  const { value, version } = await readDocument(store, DocumentName.lock);
  const isOwn = value?.nonce === lock.nonce && value?.released === lock.released;
  if (isOwn && version !== null && version !== expected) return { version };
  if (failure !== null && version === expected) throw failure.error;
  return { other: value };
}

/** Resolves after about `ms`. Rejects when the signal is aborted. Keeps the process alive. */
function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const awake = setInterval(() => {}, 60_000);
  const paused = new Promise<void>((resolve, reject) => {
    const aborted = () => {
      cancel();
      reject(signal.reason as Error);
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', aborted);
      resolve();
    });
    signal.addEventListener('abort', aborted, { once: true });
  });
  return paused.finally(() => clearInterval(awake));
}

function held(lock: LockDocument): ClusterError {
  return new ClusterError(
    ExitCode.conflict,
    problem({
      code: 'locked',
      message: `the cluster is locked by ${lock.holder} since ${new Date(lock.acquiredAt).toISOString()}: ${lock.message}`,
      hint: "wait for it to finish, or take it away with 'fctl lock release'",
    }),
  );
}

const takenBy = (lock: LockDocument | null) =>
  lock === null ? lockLost('the cluster was removed meanwhile') : takenOver(lock);

/** K6 */
const notRenewed = (cause: unknown) =>
  new ClusterError(
    ExitCode.conflict,
    problem({
      code: 'lock-lost',
      message: `the lock of the cluster could not be renewed for ${termMs / 1000} s, and may be somebody else's now: ${(cause as Error).message}`,
      hint: 'repeat the command',
    }),
    { cause },
  );

class HeldLock implements Lock {
  readonly epoch: number;
  readonly #store: RecordStore;
  readonly #clock: Clock;
  readonly #document: LockDocument;
  readonly #lost = new AbortController();
  #version: Version;
  /** When the last write that succeeded began. */
  #renewedAt: number;
  #renewing: Promise<void> = Promise.resolve();
  #cancelNext: () => void = () => {};
  #isOver = false;

  constructor(
    store: RecordStore,
    clock: Clock,
    document: LockDocument,
    version: Version,
    writtenAt: number,
  ) {
    this.epoch = document.epoch;
    this.#store = store;
    this.#clock = clock;
    this.#document = document;
    this.#version = version;
    this.#renewedAt = writtenAt;
    this.#plan(renewMs);
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** K4 */
  #plan(ms: number): void {
    if (this.#isOver || this.#lost.signal.aborted) return;
    this.#cancelNext = this.#clock.after(ms, () => {
      this.#renewing = this.#renew();
    });
  }

  async #renew(): Promise<void> {
    this.#plan(await this.#tryRenewing());
  }

  /** @returns after how many ms to renew again. */
  async #tryRenewing(): Promise<number> {
    const startedAt = this.#clock.monotonic();
    try {
      const written = await writeLock(this.#store, this.#document, this.#version);
      if ('version' in written) {
        this.#version = written.version;
        this.#renewedAt = startedAt;
      } else if (!this.#isOver) this.#lost.abort(takenBy(written.other));
      return renewMs;
    } catch (error) {
      if (this.#clock.monotonic() - this.#renewedAt >= termMs) this.#lost.abort(notRenewed(error));
      return retryMs;
    }
  }

  async abandon(): Promise<void> {
    this.#isOver = true;
    this.#cancelNext();
    await this.#renewing;
  }

  async release(): Promise<void> {
    if (this.#isOver) return;
    const late = Promise.withResolvers<void>();
    const cancel = this.#clock.after(releaseMs, late.resolve);
    await Promise.race([this.#release().catch(() => {}), late.promise]);
    cancel();
  }

  async #release(): Promise<void> {
    await this.abandon();
    if (this.#lost.signal.aborted) return;
    const document = { ...this.#document, released: true };
    await this.#store.write(DocumentName.lock, document, this.#version);
  }
}

/** Who holds the lock, for how long, and whether it is still renewed. */
export interface LockStatus {
  /** `null`: nobody has ever held it. */
  readonly lock: LockDocument | null;
  readonly held: boolean;
  /** Since it was written last, by the clock of where it lies; `null`: nobody knows. */
  readonly ageMs: number | null;
}

export async function lockStatus(store: RecordStore): Promise<LockStatus> {
  const { ageMs, value } = await readDocument(store, DocumentName.lock);
  return { lock: value, held: value !== null && !isFree(value, ageMs ?? 0, thisProcess()), ageMs };
}

/**
 * Takes the lock away from whoever holds it: nothing that its holder does from now on counts (K3).
 * @returns who held it; `null`: nobody did, and nothing was changed.
 */
export async function releaseLock(store: RecordStore): Promise<LockDocument | null> {
  const taker = thisProcess();
  for (;;) {
    const { ageMs, value, version } = await readDocument(store, DocumentName.lock);
    if (value === null || isFree(value, ageMs ?? 0, taker)) return null;
    const released: LockDocument = {
      ...value,
      holder: taker.holder,
      machine: taker.machine,
      message: `released the lock of ${value.holder}`,
      epoch: value.epoch + 1,
      acquiredAt: taker.clock.now(),
      released: true,
      nonce: taker.nonce(),
    };
    if ((await store.write(DocumentName.lock, released, version)) !== null) return value; // K1
  }
}
