import { describe, expect, it } from 'vitest';
import { Mailbox, type MailboxTask } from '../../../../src/runtime/stream/task/mailbox.ts';

/** Time passes only by what tasks do. */
function createMailbox() {
  const clock = { now: 0 };
  return { clock, mailbox: new Mailbox({ monotonic: () => clock.now }) };
}

class CountingTask implements MailboxTask {
  isQueued = false;
  turns = 0;
  busyMs = 0;
  private readonly work: (deadline: number) => boolean;

  constructor(work: (deadline: number) => boolean) {
    this.work = work;
  }

  turn(deadline: number): boolean {
    this.turns++;
    return this.work(deadline);
  }

  busy(ms: number): void {
    this.busyMs += ms;
  }
}

const immediate = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('Mailbox', () => {
  it('gives turns alternately, and the event loop its share', async () => {
    const { clock, mailbox } = createMailbox();
    const order: string[] = [];
    const task = (name: string) =>
      new CountingTask(() => {
        order.push(name);
        clock.now += 2;
        return true;
      });
    const [a, b] = [task('a'), task('b')];
    mailbox.wake(a);
    mailbox.wake(b);
    await immediate();
    expect(order.join('')).toBe('abab');
    await immediate();
    expect(order.join('')).toBe('abababab');
    expect([a.busyMs, b.busyMs]).toEqual([8, 8]);
  });

  it('gives one turn to a task that is woken several times', async () => {
    const { mailbox } = createMailbox();
    const task = new CountingTask(() => false);
    mailbox.wake(task);
    mailbox.wake(task);
    await immediate();
    expect(task.turns).toBe(1);
    await immediate();
    expect(task.turns).toBe(1);
  });

  it('does not forget a task that is woken during its turn', async () => {
    const { mailbox } = createMailbox();
    const task: CountingTask = new CountingTask(() => {
      if (task.turns === 1) mailbox.wake(task);
      return false;
    });
    mailbox.wake(task);
    await immediate();
    expect(task.turns).toBe(2);
  });
});
