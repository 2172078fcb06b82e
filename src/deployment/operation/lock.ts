/**
 * The lock of a cluster: one deployment at a time. It lives in the cluster's record.
 *
 * K1  Taking, renewing and releasing are compare-and-set on one document: two clients cannot both win.
 * K2  A holder whose process is provably gone (same machine, pid gone) is replaced at once; any other only
 *     after its lock was not renewed for its whole term. That is judged by the clock of the place where the
 *     lock lies, or by the lock not having changed while somebody watched; two clocks are never compared.
 * K3  Each holder has a higher epoch than the one before. What it does carries the epoch (provider.ts, V4).
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { DocumentName, type LockDocument } from '../../record/documents.ts';
import { ClusterError, problem } from '../../contract/errors.ts';
import { localUser } from '../../contract/user.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { readDocument } from '../../record/record.ts';
import type { RecordStore, Version } from '../../record/store.ts';

const termMs = 15_000;
const renewMs = 5000;
const pollMs = 250;

export interface Lock {
  /** K3 */
  readonly epoch: number;
  /** Aborts when the lock was lost to somebody else. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
  /** Stops renewing without releasing: the record, and the lock in it, is about to be removed. */
  abandon(): Promise<void>;
}

/** `user@host/pid` */
export function lockHolder(): string {
  return `${localUser().name}@${hostname()}/${process.pid}`;
}

/** Tells in which machine, boot and container a pid means something. */
function thisMachine(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

export interface LockOptions {
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** Called once, when somebody else holds the lock. */
  readonly onWait?: (holder: LockDocument) => void;
}

/**
 * Takes the lock, waiting up to `waitMs` for another holder.
 * @throws ClusterError (exit 8) naming the holder.
 */
export async function acquireLock(
  store: RecordStore,
  message: string,
  options: LockOptions,
): Promise<Lock> {
  const start = performance.now();
  let seen: { version: Version | null; since: number } = { version: null, since: start };
  let told = false;
  for (;;) {
    options.signal.throwIfAborted();
    const { ageMs, value, version } = await readDocument(store, DocumentName.lock);
    const now = performance.now();
    if (version !== seen.version) seen = { version, since: now };
    const unchangedMs = Math.max(ageMs ?? 0, now - seen.since);
    if (value === null || isFree(value, unchangedMs)) {
      const lock: LockDocument = {
        holder: lockHolder(),
        machine: thisMachine(),
        message,
        epoch: (value?.epoch ?? 0) + 1, // K3
        acquiredAt: Date.now(),
        termMs,
        released: false,
      };
      const written = await store.write(DocumentName.lock, lock, version); // K1
      if (written !== null) return hold(store, lock, written);
      continue;
    }
    if (now - start >= options.waitMs) throw held(value);
    if (!told) options.onWait?.(value);
    told = true;
    await delay(pollMs, undefined, { signal: options.signal });
  }
}

/** K2. @param unchangedMs how long nobody has renewed it, as far as is known. */
function isFree(lock: LockDocument, unchangedMs: number): boolean {
  if (lock.released || unchangedMs > lock.termMs) return true;
  if (lock.machine !== thisMachine()) return false;
  try {
    process.kill(Number(lock.holder.split('/').at(-1)), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
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
  new ClusterError(
    ExitCode.conflict,
    problem({
      code: 'lock-lost',
      message:
        lock === null
          ? 'the cluster was removed meanwhile'
          : `${lock.holder} took over the cluster: ${lock.message}`,
      hint: "'fctl status' shows what is true now",
    }),
  );

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
  return { lock: value, held: value !== null && !isFree(value, ageMs ?? 0), ageMs };
}

/**
 * Takes the lock away from whoever holds it: nothing that its holder does from now on counts (K3).
 * @returns who held it; `null`: nobody did, and nothing was changed.
 */
export async function releaseLock(store: RecordStore): Promise<LockDocument | null> {
  for (;;) {
    const { ageMs, value, version } = await readDocument(store, DocumentName.lock);
    if (value === null || isFree(value, ageMs ?? 0)) return null;
    const released: LockDocument = {
      ...value,
      holder: lockHolder(),
      machine: thisMachine(),
      message: `released the lock of ${value.holder}`,
      epoch: value.epoch + 1,
      acquiredAt: Date.now(),
      released: true,
    };
    if ((await store.write(DocumentName.lock, released, version)) !== null) return value; // K1
  }
}

function hold(store: RecordStore, first: LockDocument, firstVersion: Version): Lock {
  const lost = new AbortController();
  let document = first;
  let version = firstVersion;
  const write = async (next: LockDocument) => {
    const written = await store.write(DocumentName.lock, next, version);
    if (written === null) {
      const { value } = await readDocument(store, DocumentName.lock);
      lost.abort(takenBy(value));
      return;
    }
    document = next;
    version = written;
  };
  let renewing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    renewing = write(document).catch((error: unknown) => lost.abort(error));
  }, renewMs);
  timer.unref();
  const abandon = async () => {
    clearInterval(timer);
    await renewing;
  };
  return {
    epoch: first.epoch,
    lost: lost.signal,
    abandon,
    release: async () => {
      await abandon();
      if (!lost.signal.aborted) await write({ ...document, released: true });
    },
  };
}
