/**
 * Decides when a slot uses too much memory. V8's own limit is no isolation: reaching it in one large step
 * (a growing Map, array or string) ends the whole process, and Buffers do not count. So it is set well
 * above the slot's limit, and the main thread looks at slots, every `MEMORY_POLL_MS` at the most.
 *
 * G1  Heap in use includes garbage that V8 sees no reason to collect. So a slot that comes near its limit
 *     is asked to collect first, and again only after half of what was left then is used up.
 * G2  Above the limit a slot is ended, unless it has not had the chance to collect yet: then at the
 *     latest `graceMs` later, or when it is `overshoot` above.
 * G3  A look interrupts the slot's thread: at hundreds of them, twenty times a second, it would cost a core.
 *     What a slot takes shows in the memory of the process, which is cheap to read. So those that use more
 *     than half of their share are looked at always, and the others when the process has grown by a quarter
 *     of a share: before any of them can have used up its own. And each in turn, once a second.
 */

export const MEMORY_POLL_MS = 50;

/** G3 */
const muchOfLimit = 0.5;
const growthOfLimit = 0.25;
const turnsOfAll = 20;

/** Of the process's memory, what no slot gets. */
const baseBytes = 96 * 1024 * 1024;
const nearLimit = 0.75;
const graceMs = 250;
const overshoot = 1.2;

/** The share of one slot. */
export function slotMemoryBytes(processBytes: number, slots: number): number {
  const base = Math.min(baseBytes, processBytes / 3);
  return Math.floor((processBytes - base) / slots);
}

/** V8's limit for a slot, in MiB: never reached before the guard has ended it. */
export function v8LimitMb(slotBytes: number): number {
  return Math.ceil((slotBytes * 2) / 1024 / 1024) + 512;
}

export type Verdict = 'fine' | 'collect' | 'end';

type Collection =
  | { readonly type: 'none' }
  | { readonly type: 'asked' }
  | { readonly type: 'done' };

export class MemoryGuard {
  readonly limitBytes: number;
  private readonly now: () => number;
  private threshold: number;
  private collection: Collection = { type: 'none' };
  private aboveSince: number | null = null;
  private lastUsedBytes = 0;

  /** @param now milliseconds, monotonous. */
  constructor(limitBytes: number, now: () => number) {
    this.limitBytes = limitBytes;
    this.now = now;
    this.threshold = limitBytes * nearLimit;
  }

  /** @param usedBytes heap in use plus memory outside of the heap. */
  judge(usedBytes: number): Verdict {
    const { limitBytes } = this;
    this.lastUsedBytes = usedBytes;
    if (this.collection.type === 'done') {
      this.collection = { type: 'none' };
      if (usedBytes > limitBytes) return 'end'; // G2
      this.threshold = Math.max(limitBytes * nearLimit, usedBytes + (limitBytes - usedBytes) / 2); // G1
    }
    if (usedBytes <= limitBytes) {
      this.aboveSince = null;
    } else {
      this.aboveSince ??= this.now();
      if (usedBytes > limitBytes * overshoot || this.now() - this.aboveSince >= graceMs)
        return 'end'; // G2
    }
    if (usedBytes < this.threshold || this.collection.type === 'asked') return 'fine';
    this.collection = { type: 'asked' };
    return 'collect';
  }

  /** G3 */
  get usesMuch(): boolean {
    return this.lastUsedBytes > this.limitBytes * muchOfLimit;
  }

  /** The slot has collected, as asked. */
  collected(): void {
    if (this.collection.type === 'asked') this.collection = { type: 'done' };
  }
}

/** Which slots to look at (G3). */
export class MemoryRounds {
  private readonly growthBytes: number;
  private least = 0;
  private turn = 0;

  /** @param limitBytes of one slot. */
  constructor(limitBytes: number) {
    this.growthBytes = limitBytes * growthOfLimit;
  }

  /** @param residentBytes of the process, now. */
  next<T extends { readonly usesMuch: boolean }>(slots: readonly T[], residentBytes: number): T[] {
    const hasGrown = residentBytes > this.least + this.growthBytes;
    this.least = hasGrown ? residentBytes : Math.min(this.least, residentBytes);
    if (hasGrown) return [...slots];
    this.turn = (this.turn + 1) % turnsOfAll;
    return slots.filter((slot, index) => slot.usesMuch || index % turnsOfAll === this.turn);
  }
}
