/** A keeper that is silent, or says nonsense, keeps nobody waiting and ends nobody's process. */
import { PassThrough } from 'node:stream';
import { expect, it, vi } from 'vitest';
import { ProviderError } from '../../../src/contract/errors.ts';
import { Keeper } from '../../../src/providers/docker/keeper.ts';

function open() {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  return { keeper: new Keeper({ id: 'c1', stdin, stdout, stderr }), stdin, stdout };
}
const read = { names: ['lock'] };

it('answers each in turn', async () => {
  const { keeper, stdout } = open();
  const both = [keeper.ask('read', read), keeper.ask('hash', { path: 'a' })];
  stdout.write('{"id":1,"answer":"abc"}\n{"id":0,"answer":[]}\n');
  expect(await Promise.all(both)).toEqual([[], 'abc']);
});

it('is given up when it does not answer in time, with all who wait', async () => {
  vi.useFakeTimers();
  try {
    const { keeper, stdin } = open();
    const asked = [keeper.ask('read', read), keeper.ask('read', read, { timeoutMs: 600_000 })];
    const outcomes = Promise.allSettled(asked);
    await vi.advanceTimersByTimeAsync(30_000);
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ reason: { problems: [{ code: 'keeper-lost' }] } });
    expect(keeper.isAlive).toBe(false);
    expect(stdin.destroyed).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});

it('lets go of whoever gives up, and serves the others', async () => {
  const { keeper, stdout } = open();
  const giveUp = new AbortController();
  const first = keeper.ask('read', read, { signal: giveUp.signal });
  const second = keeper.ask('read', read);
  giveUp.abort(new Error('given up'));
  await expect(first).rejects.toThrow('given up');
  stdout.write('{"id":0,"answer":["late"]}\n{"id":1,"answer":["in time"]}\n');
  expect(await second).toEqual(['in time']);
});

it.each(['no json', 'null', '17', '{"id":"x"}', '{"id":0}', '{"answer":1}'])(
  'is lost when it says %s',
  async (line) => {
    const { keeper, stdout } = open();
    const asked = keeper.ask('read', read);
    stdout.write(`${line}\n`);
    await expect(asked).rejects.toBeInstanceOf(ProviderError);
    await expect(asked).rejects.toThrow(line);
    await expect(keeper.ask('read', read)).rejects.toThrow('is gone');
  },
);
