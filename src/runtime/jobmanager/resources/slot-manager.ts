/**
 * Which slot belongs to whom. Plain data, no I/O.
 *
 * S1  A slot has at most one allocation, an allocation exactly one slot.
 * S2  A request is granted as a whole or not at all: half a job computes nothing, and two jobs that each
 *     hold half of the slots would wait for each other for ever.
 * S3  Requests are granted in the order in which their jobs were submitted, and none overtakes: narrow jobs
 *     cannot starve a wide one, and a job that starts again comes before jobs that are younger than it.
 * S4  `none` fills TaskManagers one after the other: the next slot is of the one with the largest part in
 *     use. `slots` spreads: of the one with the smallest part in use. The names are Flink's
 *     (`taskmanager.load-balance.mode`).
 */
import type { LoadBalanceMode } from '../../../contract/runtime-config.ts';

export interface SlotGrant {
  readonly allocationId: string;
  readonly taskManagerId: string;
  readonly slotIndex: number;
}

export interface SlotRequest {
  readonly jobId: string;
  readonly jobName: string;
  /** Grows with every job that is submitted (S3). */
  readonly submission: number;
  readonly count: number;
  readonly granted: (grants: readonly SlotGrant[]) => void;
}

/** An allocated slot. */
export interface SlotAllocationInfo extends SlotGrant {
  readonly jobId: string;
}

export interface SlotOverview {
  readonly taskManagers: number;
  readonly total: number;
  readonly free: number;
}

/** Why a request is not granted yet. */
export interface SlotWait extends SlotOverview {
  readonly needed: number;
  /** Names of the jobs that come first, in their order. */
  readonly behind: readonly string[];
}

interface Holder {
  readonly id: string;
  readonly slots: (SlotAllocationInfo | null)[];
}

export class SlotManager {
  readonly #newId: () => string;
  readonly #mode: LoadBalanceMode;
  readonly #holders = new Map<string, Holder>();
  /** In the order of S3. */
  readonly #waiting: SlotRequest[] = [];

  /**
   * @param newId makes unique allocation ids.
   * @param mode S4
   */
  constructor(newId: () => string, mode: LoadBalanceMode) {
    this.#newId = newId;
    this.#mode = mode;
  }

  get overview(): SlotOverview {
    const all = [...this.#holders.values()].flatMap((holder) => holder.slots);
    return {
      taskManagers: this.#holders.size,
      total: all.length,
      free: all.filter((slot) => slot === null).length,
    };
  }

  /** @throws Error when there is one of that id. */
  addTaskManager(id: string, slots: number): void {
    if (this.#holders.has(id)) throw new Error(`TaskManager ${id} is there already`);
    this.#holders.set(id, { id, slots: Array.from({ length: slots }, () => null) });
    this.#grant();
  }

  /** @returns the allocations that are gone with it. */
  removeTaskManager(id: string): readonly SlotAllocationInfo[] {
    const allocations = this.allocationsOf(id);
    this.#holders.delete(id);
    return allocations;
  }

  allocationsOf(taskManagerId: string): readonly SlotAllocationInfo[] {
    return (this.#holders.get(taskManagerId)?.slots ?? []).filter((slot) => slot !== null);
  }

  /**
   * Asks for slots. `granted` is called once, at the earliest before this returns.
   * @returns how to withdraw the request; does nothing once it was granted.
   */
  request(request: SlotRequest): () => void {
    const after = this.#waiting.findIndex((other) => other.submission > request.submission); // S3
    this.#waiting.splice(after < 0 ? this.#waiting.length : after, 0, request);
    this.#grant();
    return () => {
      const at = this.#waiting.indexOf(request);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      this.#grant();
    };
  }

  /** `null`: the job waits for no slots. */
  waitOf(jobId: string): SlotWait | null {
    const at = this.#waiting.findIndex((request) => request.jobId === jobId);
    if (at < 0) return null;
    const behind = this.#waiting.slice(0, at).map(({ jobName }) => jobName);
    return { ...this.overview, needed: this.#waiting[at]!.count, behind };
  }

  /** Gives a slot back. An allocation that is gone already is no error. */
  release(allocationId: string): void {
    for (const { slots } of this.#holders.values()) {
      const at = slots.findIndex((slot) => slot?.allocationId === allocationId);
      if (at < 0) continue;
      slots[at] = null;
      this.#grant();
      return;
    }
  }

  #grant(): void {
    // S3: the first one, or none.
    for (
      let next = this.#waiting[0];
      next && next.count <= this.overview.free;
      next = this.#waiting[0]
    ) {
      const { jobId, count, granted } = next;
      this.#waiting.shift();
      granted(Array.from({ length: count }, () => this.#allocate(jobId))); // S2
    }
  }

  #allocate(jobId: string): SlotGrant {
    const used = ({ slots }: Holder) => slots.filter((slot) => slot !== null).length;
    /** Positive: `a` has the larger part in use. */
    const compare = (a: Holder, b: Holder) => used(a) * b.slots.length - used(b) * a.slots.length;
    let best: Holder | null = null;
    for (const holder of this.#holders.values()) {
      if (used(holder) === holder.slots.length) continue;
      const difference = best === null ? 0 : compare(holder, best);
      const isBetter = this.#mode === 'slots' ? difference < 0 : difference > 0; // S4
      if (best === null || isBetter) best = holder;
    }
    if (best === null) throw new Error('no slot is free'); // excluded by the caller
    const slotIndex = best.slots.indexOf(null);
    const allocation = { allocationId: this.#newId(), taskManagerId: best.id, slotIndex, jobId };
    best.slots[slotIndex] = allocation; // S1
    return { allocationId: allocation.allocationId, taskManagerId: best.id, slotIndex };
  }
}

const plural = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;

/** Why a job waits: `waits for 3 of 4 slots; 1 free; queued behind job 'x' and 2 more`. */
export function describeSlotWait({ behind, free, needed, taskManagers }: SlotWait): string {
  const what =
    free < needed
      ? `waits for ${needed - free} of ${plural(needed, 'slot')}`
      : `waits for its turn to get ${plural(needed, 'slot')}`;
  const there = taskManagers === 0 ? 'no TaskManager is registered' : `${free} free`;
  const [first] = behind;
  const more = behind.length > 1 ? ` and ${behind.length - 1} more` : '';
  return [
    what,
    there,
    ...(first === undefined ? [] : [`queued behind job '${first}'${more}`]),
  ].join('; ');
}

/** Why a job did not get its slots, and what to do. */
export function describeMissingSlots(
  jobName: string,
  needed: number,
  { taskManagers, total, free }: SlotOverview,
): string {
  const used = total - free;
  const offer = taskManagers === 1 ? 'offers' : 'offer';
  const there =
    taskManagers === 0
      ? 'no TaskManager is registered'
      : `${plural(taskManagers, 'TaskManager')} ${offer} ${total}${used > 0 ? `, of which ${used} ${used === 1 ? 'is' : 'are'} used by other jobs` : ''}`;
  return (
    `job '${jobName}' needs ${plural(needed, 'slot')}, ${there}; ` +
    'raise taskmanager.replicas or taskmanager.slots, or lower application.parallelism'
  );
}
