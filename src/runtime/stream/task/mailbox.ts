/**
 * The loop of a slot: gives its tasks turns, and the event loop its share.
 *
 * M1  A task is in the queue at most once, and only while it may have something to do.
 * M2  A turn is bounded in time, and so is a run of turns: then the event loop gets to sockets, ports,
 *     timers and control messages.
 */
import type { Clock } from '../../../contract/clock.ts';
import { Fifo } from '../network/fifo.ts';

export interface MailboxTask {
  /** Works until there is nothing to do or `deadline` has passed. @returns whether there may be more. */
  turn(deadline: number): boolean;
  /** How long its last turn took. */
  busy(ms: number): void;
  isQueued: boolean;
}

const turnMs = 2;
const runMs = 8;

export class Mailbox {
  private readonly queue = new Fifo<MailboxTask>();
  private readonly now: () => number;
  private isScheduled = false;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.now = () => clock.monotonic();
  }

  /** The task may have something to do. */
  wake(task: MailboxTask): void {
    if (task.isQueued) return; // M1
    task.isQueued = true;
    this.queue.push(task);
    this.schedule();
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => this.run());
  }

  private run(): void {
    this.isScheduled = false;
    let time = this.now();
    const end = time + runMs; // M2
    while (time < end) {
      const task = this.queue.shift();
      if (task === undefined) return;
      task.isQueued = false;
      const hasMore = task.turn(time + turnMs);
      const before = time;
      time = this.now();
      task.busy(time - before);
      if (hasMore && !task.isQueued) {
        task.isQueued = true;
        this.queue.push(task);
      }
    }
    if (this.queue.length > 0) this.schedule();
  }
}
