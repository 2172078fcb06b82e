/** What processes use, with the names that Flink has for a JVM. */
import { describe, expect, it } from 'vitest';
import { fakeView } from './fake-view.ts';
import { serve } from './server.ts';

/** All metrics of a process, by name. */
async function valuesOf(path: string): Promise<ReadonlyMap<string, number>> {
  const { url } = await serve({ view: fakeView('running') });
  const read = async (query: string) => {
    const answer = await fetch(`${url}${path}/metrics${query}`);
    return (await answer.json()) as { readonly id: string; readonly value: string }[];
  };
  const names = (await read('')).map(({ id }) => id);
  const values = await read(`?get=${names.join(',')}`);
  return new Map(values.map(({ id, value }) => [id, Number(value)]));
}

describe.each(['/jobmanager', '/taskmanagers/taskmanager-0-3f2a'])('%s', (path) => {
  it('has numbers only', async () => {
    const values = [...(await valuesOf(path)).values()];
    expect(values.length).toBeGreaterThan(15);
    expect(values.filter((value) => Number.isNaN(value))).toEqual([]);
  });

  it('has memory that sums up to what the process occupies', async () => {
    const values = await valuesOf(path);
    const of = (name: string) => values.get(`Status.JVM.Memory.${name}`)!;
    const sum = of('Heap.Committed') + of('NonHeap.Committed') + of('Direct.MemoryUsed');
    expect(sum).toBe(90_000_000);
    expect(of('Heap.Used')).toBe(30_000_000);
  });

  it('has a load that is a share of all cores, and CPU time in nanoseconds', async () => {
    const values = await valuesOf(path);
    expect(values.get('Status.JVM.CPU.Load')).toBe(0.125);
    expect(values.get('Status.JVM.CPU.Time')).toBe(1_234_500_000);
  });
});

describe('the heap', () => {
  it('of a TaskManager may be as large as its memory, that of the JobManager as V8 allows', async () => {
    const name = 'Status.JVM.Memory.Heap.Max';
    expect((await valuesOf('/taskmanagers/taskmanager-0')).get(name)).toBe(1024 ** 3);
    expect((await valuesOf('/jobmanager')).get(name)).toBe(2_000_000_000);
  });
});
