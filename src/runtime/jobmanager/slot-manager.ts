/**
 * Which slot belongs to whom. Plain data, no I/O.
 *
 * S1  A slot has at most one allocation, an allocation exactly one slot.
 * S2  A request is granted as a whole or not at all: half a job computes nothing, and two jobs that each
 *     hold half of the slots would wait for each other for ever.
 * S3  Requests are granted in the order they came, so that a wide job is not starved by narrow ones.
 * S4  A grant spreads over the TaskManagers: the next slot is of the one with the smallest part in use.
 */

export interface SlotGrant {
  readonly allocationId: string;
  readonly taskManagerId: string;
  readonly slotIndex: number;
}

export interface SlotRequest {
  readonly jobId: string;
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

interface Holder {
  readonly id: string;
  readonly slots: (SlotAllocationInfo | null)[];
}

export class SlotManager {
  readonly #newId: () => string;
  readonly #holders = new Map<string, Holder>();
  readonly #waiting: SlotRequest[] = [];

  /** @param newId makes unique allocation ids. */
  constructor(newId: () => string) {
    this.#newId = newId;
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
    this.#waiting.push(request);
    this.#grant();
    return () => {
      const at = this.#waiting.indexOf(request);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      this.#grant();
    };
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
    let best: Holder | null = null;
    for (const holder of this.#holders.values()) {
      if (used(holder) === holder.slots.length) continue;
      // S4, without division: used/size < best's used/size.
      const isBetter =
        best === null || used(holder) * best.slots.length < used(best) * holder.slots.length;
      if (isBetter) best = holder;
    }
    if (best === null) throw new Error('no slot is free'); // excluded by the caller
    const slotIndex = best.slots.indexOf(null);
    const allocation = { allocationId: this.#newId(), taskManagerId: best.id, slotIndex, jobId };
    best.slots[slotIndex] = allocation; // S1
    return { allocationId: allocation.allocationId, taskManagerId: best.id, slotIndex };
  }
}

/** Why a job did not get its slots, and what to do. */
export function describeMissingSlots(
  jobName: string,
  needed: number,
  { taskManagers, total, free }: SlotOverview,
): string {
  const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;
  const used = total - free;
  const offer = taskManagers === 1 ? 'offers' : 'offer';
  const there =
    taskManagers === 0
      ? 'no TaskManager is registered'
      : `${count(taskManagers, 'TaskManager')} ${offer} ${total}${used > 0 ? `, of which ${used} ${used === 1 ? 'is' : 'are'} used by other jobs` : ''}`;
  return (
    `job '${jobName}' needs ${count(needed, 'slot')}, ${there}; ` +
    'raise taskmanager.replicas or taskmanager.slots, or lower application.parallelism'
  );
}
