import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { abortable } from '../../src/contract/abort.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('a step that may be aborted', () => {
  it('gives what it gives when nothing aborts it', async () => {
    const { signal } = new AbortController();
    expect(await abortable(Promise.resolve(7), signal)).toBe(7);
    await expect(abortable(Promise.reject(new Error('boom')), signal)).rejects.toThrow('boom');
  });

  it('rejects with the reason, before and while it is under way, also in the turn of its end', async () => {
    const stop = new AbortController();
    const never = abortable(new Promise(() => {}), stop.signal);
    const ended = abortable(Promise.resolve(7), stop.signal);
    const failed = abortable(Promise.reject(new Error('boom')), stop.signal);
    stop.abort();
    for (const step of [never, ended, failed, abortable(Promise.resolve(7), stop.signal)])
      await expect(step).rejects.toBe(stop.signal.reason);
  });

  it('leaves nothing on a signal that lives longer', async () => {
    const { signal } = new AbortController();
    const given = new WeakRef(await abortable(Promise.resolve({ split: 1 }), signal));
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    expect(given.deref()).toBeUndefined();
    expect(signal.aborted).toBe(false);
  });
});
