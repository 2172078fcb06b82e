/**
 * Credit-based flow control of one channel, at its producing end: how many bytes the consumer still takes.
 *
 * F1  Nothing is sent before the consumer has accepted the channel and given its first credit.
 * F2  An item is sent only while credit is left; the last one may overdraw it. What finds none waits here,
 *     in order. So what is under way never exceeds the credit by more than one item.
 * F3  A window that is blocked (no credit, or items waiting) makes its task stop before the next buffer:
 *     what waits here is at most what one input buffer expanded to.
 * F4  The channel is drained when the consumer has given back everything it was sent: it has processed it.
 */
import { Fifo } from './fifo.ts';

/** Counts the blocked channels of a task. */
export interface BlockedChannels {
  /** Called with 1 when a channel becomes blocked, with −1 when it no longer is. */
  changed(by: 1 | -1): void;
  /** A channel became drained (F4). */
  drained(): void;
}

/** What an item costs besides its bytes: many tiny ones must not be free. */
export const ITEM_OVERHEAD_BYTES = 64;

export class SendWindow<T extends { readonly cost: number }> {
  private readonly deliver: (item: T) => void;
  private readonly task: BlockedChannels;
  private readonly waiting = new Fifo<T>();
  private available = 0;
  /** Cost of what was sent and not given back. */
  private underWay = 0;
  private isBlocked = true; // F1

  constructor(task: BlockedChannels, deliver: (item: T) => void) {
    this.task = task;
    this.deliver = deliver;
    task.changed(1);
  }

  get isDrained(): boolean {
    return this.underWay === 0 && this.waiting.length === 0;
  }

  send(item: T): void {
    if (this.available > 0 && this.waiting.length === 0) this.release(item);
    else this.waiting.push(item); // F2
    this.update();
  }

  /** The consumer is there. */
  accepted(credit: number): void {
    this.available += credit;
    this.pump();
  }

  /** The consumer has processed this much. */
  returned(cost: number): void {
    this.available += cost;
    this.underWay -= cost;
    this.pump();
    if (this.isDrained) this.task.drained(); // F4
  }

  private pump(): void {
    while (this.available > 0) {
      const item = this.waiting.shift();
      if (item === undefined) break;
      this.release(item);
    }
    this.update();
  }

  private release(item: T): void {
    this.available -= item.cost;
    this.underWay += item.cost;
    this.deliver(item);
  }

  private update(): void {
    const isBlocked = this.available <= 0 || this.waiting.length > 0;
    if (isBlocked === this.isBlocked) return;
    this.isBlocked = isBlocked;
    this.task.changed(isBlocked ? 1 : -1); // F3
  }
}
