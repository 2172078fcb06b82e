/**
 * Aligns the channels of one task at a checkpoint's barrier: what stood before it in every channel has been
 * processed, and nothing behind it, when it goes on.
 *
 * A1  A channel at which the barrier has come is blocked until it has come from every channel that lives.
 * A2  A channel that has ended holds no barrier back.
 * A3  A barrier of a later checkpoint ends the alignment of an earlier one, which was given up. One of an
 *     earlier checkpoint than the last is ignored.
 * A4  When the barrier has come from all, channels stay blocked until `release`: the task may still be in the
 *     middle of what came before.
 */

/** Separates the records of two checkpoints. Travels in-band. */
export interface CheckpointBarrier {
  readonly checkpointId: number;
  readonly timestamp: number;
}

export class BarrierAligner<Channel> {
  private readonly unblocked: (channel: Channel) => void;
  private readonly blocked = new Set<Channel>();
  private live = 0;
  private lastId = -1;
  private pending: CheckpointBarrier | null = null;

  /** @param unblocked what it holds may be processed again. */
  constructor(unblocked: (channel: Channel) => void) {
    this.unblocked = unblocked;
  }

  /** @param channels how many there are. */
  start(channels: number): void {
    this.live = channels;
  }

  /** Channels that have not ended. */
  get liveChannels(): number {
    return this.live;
  }

  isBlocked(channel: Channel): boolean {
    return this.blocked.has(channel);
  }

  /** @returns the barrier, when it has come from all now (A4). */
  barrier(channel: Channel, barrier: CheckpointBarrier): CheckpointBarrier | null {
    if (barrier.checkpointId < this.lastId) return null; // A3
    if (barrier.checkpointId > this.lastId) {
      this.release();
      this.lastId = barrier.checkpointId;
      this.pending = barrier;
    }
    this.blocked.add(channel); // A1
    return this.completed();
  }

  /** The channel has ended. @returns as `barrier` does (A2). */
  end(channel: Channel): CheckpointBarrier | null {
    this.live--;
    this.blocked.delete(channel);
    return this.completed();
  }

  /** Unblocks all channels. */
  release(): void {
    this.pending = null;
    const channels = [...this.blocked];
    this.blocked.clear();
    for (const channel of channels) this.unblocked(channel);
  }

  private completed(): CheckpointBarrier | null {
    return this.blocked.size === this.live ? this.pending : null;
  }
}
