/**
 * The lock of a cluster: one deployment at a time. It lives in the cluster's record.
 *
 * K1  Taking, renewing and releasing are compare-and-set on one document: two clients cannot both win.
 * K2  A holder whose process is provably gone (same host, pid gone) is replaced at once; any other only
 *     after its lock has not been renewed for its whole term.
 */
import { hostname, userInfo } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { DocumentName, type LockDocument } from '../contract/documents.ts';
import { ClusterError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import type { DocumentStore } from '../providers/provider.ts';

const termMs = 15_000;
const renewMs = 5000;
const pollMs = 250;

export interface Lock {
  /** Aborts when the lock was lost to somebody else. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
  /** Stops renewing without releasing: the record, and the lock in it, is about to be removed. */
  abandon(): Promise<void>;
}

/** `user@host/pid` */
export function lockHolder(): string {
  return `${userInfo().username}@${hostname()}/${process.pid}`;
}

/**
 * Takes the lock, waiting up to `waitMs` for another holder.
 * @throws ClusterError (exit 8) naming the holder.
 */
export async function acquireLock(
  store: DocumentStore,
  message: string,
  options: { waitMs: number; signal: AbortSignal; onWait?: (holder: LockDocument) => void },
): Promise<Lock> {
  const deadline = Date.now() + options.waitMs;
  let told = false;
  for (;;) {
    options.signal.throwIfAborted();
    const { version, value } = await store.read<LockDocument>(DocumentName.lock);
    if (value === null || value.released || isGone(value)) {
      const lock: LockDocument = {
        holder: lockHolder(),
        message,
        epoch: (value?.epoch ?? 0) + 1,
        acquiredAt: Date.now(),
        expiresAt: Date.now() + termMs,
        released: false,
      };
      const written = await store.write(DocumentName.lock, version, lock); // K1
      if (written !== null) return hold(store, lock, written);
      continue;
    }
    if (Date.now() > deadline) throw held(value);
    if (!told) options.onWait?.(value);
    told = true;
    await delay(pollMs, undefined, { signal: options.signal });
  }
}

/** K2 */
function isGone(lock: LockDocument): boolean {
  if (lock.expiresAt < Date.now()) return true;
  const [owner, pid] = lock.holder.split('/');
  if (owner?.split('@')[1] !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
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
      hint: 'wait for it to finish, then try again',
    }),
  );
}

function hold(store: DocumentStore, first: LockDocument, firstVersion: number): Lock {
  const lost = new AbortController();
  let document = first;
  let version = firstVersion;
  const write = async (next: LockDocument) => {
    const written = await store.write(DocumentName.lock, version, next);
    if (written === null) {
      lost.abort(held(next));
      return;
    }
    document = next;
    version = written;
  };
  let renewing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    renewing = write({ ...document, expiresAt: Date.now() + termMs }).catch((error: unknown) =>
      lost.abort(error),
    );
  }, renewMs);
  timer.unref();
  const abandon = async () => {
    clearInterval(timer);
    await renewing;
  };
  return {
    lost: lost.signal,
    abandon,
    release: async () => {
      await abandon();
      if (!lost.signal.aborted) await write({ ...document, released: true });
    },
  };
}
