import { describe, expect, it } from 'vitest';
import {
  MemoryGuard,
  MemoryRounds,
  slotMemoryBytes,
  v8LimitMb,
} from '../../../src/runtime/taskmanager/memory-guard.ts';

const MiB = 1024 * 1024;

function createGuard(limit = 1000) {
  const clock = { now: 0 };
  return { clock, guard: new MemoryGuard(limit, () => clock.now) };
}

describe('MemoryGuard', () => {
  it('asks for a collection near the limit, once, and then at half of what was left', () => {
    const { guard } = createGuard();
    expect(guard.judge(700)).toBe('fine');
    expect(guard.judge(750)).toBe('collect');
    expect(guard.judge(800)).toBe('fine');
    guard.collected();
    expect(guard.judge(780)).toBe('fine');
    expect(guard.judge(880)).toBe('fine');
    expect(guard.judge(890)).toBe('collect');
  });

  it('ends a slot that is above its limit after it has collected', () => {
    const { guard } = createGuard();
    expect(guard.judge(1001)).toBe('collect');
    guard.collected();
    expect(guard.judge(1001)).toBe('end');
  });

  it('lets a slot live whose garbage was above the limit', () => {
    const { clock, guard } = createGuard();
    expect(guard.judge(1001)).toBe('collect');
    guard.collected();
    clock.now = 240;
    expect(guard.judge(300)).toBe('fine');
    clock.now = 500;
    expect(guard.judge(1001)).toBe('collect');
  });

  it('does not wait for a slot that does not collect', () => {
    const { clock, guard } = createGuard();
    expect(guard.judge(1001)).toBe('collect');
    clock.now = 249;
    expect(guard.judge(1100)).toBe('fine');
    clock.now = 250;
    expect(guard.judge(1001)).toBe('end');
  });

  it('ends a slot at once that is far above its limit', () => {
    expect(createGuard().guard.judge(1201)).toBe('end');
  });
});

describe('shares', () => {
  it('leaves a base for the process and V8 room above the limit', () => {
    expect(slotMemoryBytes(1024 * MiB, 2)).toBe(464 * MiB);
    expect(slotMemoryBytes(192 * MiB, 1)).toBe(128 * MiB);
    expect(v8LimitMb(464 * MiB)).toBe(1440);
  });
});

describe('rounds (G3)', () => {
  const slots = Array.from({ length: 40 }, (_, index) => ({ index, usesMuch: index === 7 }));

  it('look at each slot once in twenty, and always at those that use much', () => {
    const rounds = new MemoryRounds(100 * MiB);
    rounds.next(slots, 1000 * MiB);
    const looks = new Map<number, number>();
    for (let i = 0; i < 20; i++) {
      for (const { index } of rounds.next(slots, 1000 * MiB)) {
        looks.set(index, (looks.get(index) ?? 0) + 1);
      }
    }
    expect([...looks.keys()].toSorted((a, b) => a - b)).toEqual(slots.map(({ index }) => index));
    expect([...looks].filter(([, times]) => times !== 1)).toEqual([[7, 20]]);
  });

  it('look at all when the process has grown by a quarter of a share, however slowly', () => {
    const rounds = new MemoryRounds(100 * MiB);
    expect(rounds.next(slots, 1000 * MiB)).toHaveLength(40);
    const grown = [1010, 1020, 1026, 1050, 1060, 900, 910, 926].map(
      (mib) => rounds.next(slots, mib * MiB).length === slots.length,
    );
    expect(grown).toEqual([false, false, true, false, true, false, false, true]);
  });
});
