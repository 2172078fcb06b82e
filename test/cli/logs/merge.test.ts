import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type TimedLine, isWanted, parseEntry, timeOf } from '../../../src/cli/logs/line.ts';
import { Reorder, merge } from '../../../src/cli/logs/merge.ts';

const line = (process: string, at: number, number = 0): TimedLine => ({
  process,
  at,
  entry: `${process} ${number}`,
});

/** How many of its lines somebody has asked for. */
async function* source(lines: readonly TimedLine[], taken: { count: number }) {
  for (const each of lines) {
    taken.count++;
    yield each;
  }
}

const times = fc.array(fc.array(fc.nat(50), { maxLength: 12 }), { maxLength: 5 });

describe('merge', () => {
  it('gives all lines, those of a process in their order, and all in that of time where each is', async () => {
    await fc.assert(
      fc.asyncProperty(times, fc.boolean(), async (all, isSorted) => {
        const logs = all.map((log, p) =>
          (isSorted ? log.toSorted((a, b) => a - b) : log).map((at, n) => line(`p${p}`, at, n)),
        );
        const merged: TimedLine[] = [];
        for await (const each of merge(logs.map((log) => source(log, { count: 0 }))))
          merged.push(each);
        for (const [p, log] of logs.entries())
          expect(merged.filter(({ process }) => process === `p${p}`)).toEqual(log);
        expect(merged).toHaveLength(all.flat().length);
        const ats = merged.map(({ at }) => at);
        if (isSorted) expect(ats).toEqual(ats.toSorted((a, b) => a - b));
      }),
    );
  });

  it('holds one line of each process', async () => {
    const taken = [{ count: 0 }, { count: 0 }];
    const logs = taken.map((count, p) =>
      source(
        Array.from({ length: 100 }, (_, n) => line(`p${p}`, n, n)),
        count,
      ),
    );
    let given = 0;
    for await (const _ of merge(logs)) {
      given++;
      expect(taken[0]!.count + taken[1]!.count).toBeLessThanOrEqual(given + 2);
    }
    expect(given).toBe(200);
  });
});

describe('lines that arrive', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are shown in order where they follow each other closely, and all at the end', () => {
    const shown: number[] = [];
    const order = new Reorder(({ at }) => shown.push(at));
    order.take(line('a', 3));
    order.take(line('b', 1));
    expect(shown).toEqual([]);
    vi.advanceTimersByTime(250);
    expect(shown).toEqual([1, 3]);
    order.take(line('a', 2));
    order.flush();
    expect(shown).toEqual([1, 3, 2]);
  });
});

describe('which lines are wanted', () => {
  const any = { level: null, since: null, until: null, grep: null };
  const entry = parseEntry(
    '{"time":"2026-01-31T09:05:00Z","level":"info","message":"took 3","task":"Map"}',
  );
  const at = timeOf(entry)!;
  const own = { process: 'a', entry, at };

  it.each([
    [{}, true],
    [{ level: 'info' }, true],
    [{ level: 'warn' }, false],
    [{ since: at, until: at }, true],
    [{ since: at + 1 }, false],
    [{ until: at - 1 }, false],
    [{ grep: /took \d/u }, true],
    [{ grep: /"task":"Map"/u }, true],
    [{ grep: /info/u }, false],
  ] as const)('%j: %s', (filter, wanted) => {
    expect(isWanted({ ...any, ...filter }, own)).toBe(wanted);
  });

  it('keeps what belongs to a line of a level', () => {
    expect(isWanted({ ...any, level: 'error' }, { process: 'a', entry: '  at x', at })).toBe(true);
  });
});
