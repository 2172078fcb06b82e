import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SendWindow } from '../../../../src/runtime/stream/network/send-window.ts';

function createWindow() {
  const sent: { readonly id: number; readonly cost: number }[] = [];
  const task = { blocked: 0, drains: 0 };
  const window = new SendWindow<{ readonly id: number; readonly cost: number }>(
    {
      changed: (by) => {
        task.blocked += by;
      },
      drained: () => {
        task.drains++;
      },
    },
    (item) => sent.push(item),
  );
  return { sent, task, window };
}

describe('SendWindow', () => {
  it('sends nothing before it is accepted', () => {
    const { sent, task, window } = createWindow();
    expect(task.blocked).toBe(1);
    window.send({ id: 0, cost: 1 });
    expect(sent).toEqual([]);
    window.accepted(10);
    expect(sent).toHaveLength(1);
    expect(task.blocked).toBe(0);
  });

  it('lets the last item overdraw the credit, and tells when it is given back', () => {
    const { sent, task, window } = createWindow();
    window.accepted(10);
    window.send({ id: 0, cost: 100 });
    window.send({ id: 1, cost: 1 });
    expect(sent.map(({ id }) => id)).toEqual([0]);
    expect(task.blocked).toBe(1);
    expect(window.isDrained).toBe(false);
    window.returned(100);
    expect(sent.map(({ id }) => id)).toEqual([0, 1]);
    expect(task.blocked).toBe(0);
    window.returned(1);
    expect(window.isDrained).toBe(true);
    expect(task.drains).toBe(1);
  });

  it('keeps order, bounds what is under way, and is blocked exactly when it would wait', () => {
    const step = fc.oneof(
      fc.record({ send: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ giveBack: fc.constant(true) }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.array(step, { maxLength: 100 }),
        (credit, steps) => {
          const { sent, task, window } = createWindow();
          window.accepted(credit);
          let offered = 0;
          let returned = 0;
          let largest = 0;
          for (const step of steps) {
            if ('send' in step) {
              window.send({ id: offered++, cost: step.send });
              largest = Math.max(largest, step.send);
            } else if (returned < sent.length) {
              window.returned(sent[returned++]!.cost);
            }
            const underWay = sent.slice(returned).reduce((sum, { cost }) => sum + cost, 0);
            expect(underWay).toBeLessThan(credit + largest + 1);
            expect(sent.map(({ id }) => id)).toEqual(sent.map((_, i) => i));
            expect(task.blocked).toBe(sent.length < offered || underWay >= credit ? 1 : 0);
          }
        },
      ),
    );
  });
});
