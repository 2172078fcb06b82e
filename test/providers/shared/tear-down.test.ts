/** In which order a cluster is removed, and that whoever fails on the way leaves its record. */
import { expect, it } from 'vitest';
import { DocumentName } from '../../../src/record/documents.ts';
import { MemoryStore } from '../../../src/record/drivers/memory.ts';
import { tearDown } from '../../../src/providers/shared/tear-down.ts';

const steps = ['endAll', 'onRecordGoes', 'removeRecord'] as const;
type Step = (typeof steps)[number];

/** Tears down a place, of which a step may fail. @returns the steps that were begun. */
async function run(
  faulty: Step | null,
  fence: number | null,
  signal = new AbortController().signal,
) {
  const record = new MemoryStore();
  await record.write(DocumentName.lock, { epoch: 2, holder: 'ada', message: 'destroy' }, null);
  const begun: Step[] = [];
  const step = (name: Step) => async () => {
    begun.push(name);
    if (name === faulty) throw new Error(`${name} fails`);
  };
  const place = { endAll: step('endAll'), removeRecord: step('removeRecord') };
  const options = { fence, signal, onRecordGoes: step('onRecordGoes') };
  const error = await tearDown(record, place, options).then(
    () => null,
    (reason: unknown) => reason as Error,
  );
  return { begun, error };
}

it('ends all, says that the record goes, and removes it', async () => {
  expect(await run(null, 2)).toEqual({ begun: steps, error: null });
  expect(await run(null, null)).toEqual({ begun: steps, error: null });
});

it.each(steps)('goes no further when %s fails', async (faulty) => {
  const { begun, error } = await run(faulty, 2);
  expect(begun).toEqual(steps.slice(0, steps.indexOf(faulty) + 1));
  expect(error?.message).toBe(`${faulty} fails`);
});

it('does nothing for whoever has lost the lock, or gave up', async () => {
  const lost = await run(null, 1);
  expect(lost).toMatchObject({ begun: [], error: { problems: [{ code: 'lock-lost' }] } });
  const gaveUp = await run(null, 2, AbortSignal.abort(new Error('Ctrl-C')));
  expect(gaveUp).toMatchObject({ begun: [], error: { message: 'Ctrl-C' } });
});
