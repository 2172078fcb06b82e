/** Which artifacts a cluster keeps after an operation. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { demo } from '../../demo.ts';
import { sha256 } from '../../../src/contract/hash.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import { DocumentName } from '../../../src/record/documents.ts';
import { readDocument } from '../../../src/record/record.ts';
import { World } from '../world.ts';

const [first, second, third] = ['first', 'second', 'third'].map((name) => sha256(`// ${name}`));

let world: World;
beforeEach(async () => {
  world = new World();
  await world.deploy({ application: 'first' });
  await world.deploy({ application: 'second' });
});
afterEach(() => world.close());

const there = () => [...world.platform.cluster(demo).artifacts.keys()];

/** As if the record had kept none of the releases but the newest. */
async function forgetOlder(): Promise<void> {
  const record = world.provider().record(demo);
  const { value, version } = await readDocument(record, DocumentName.releases);
  await record.write(DocumentName.releases, { releases: value!.releases.slice(-1) }, version);
}

it('keeps those that releases of the record need, and removes others', async () => {
  await world.deploy({ application: 'third' });
  expect(there()).toEqual([first, second, third]);
  await world.rollback();
  await forgetOlder();
  await world.deploy({ application: 'third' });
  expect(there()).toEqual([second, third]);
});

it('keeps those of what runs, whatever the record says', async () => {
  await forgetOlder();
  const record = world.provider().record(demo);
  const { value, version } = await readDocument(record, DocumentName.releases);
  const [release] = value!.releases;
  await record.write(
    DocumentName.releases,
    { releases: [{ ...release, bundleHash: null }] },
    version,
  );
  await world.scale(3);
  expect(there()).toEqual([second]);
});

it('removes them also when an operation that failed was rolled back', async () => {
  await forgetOlder();
  world.registers = 0;
  const failed = world.deploy(
    { application: 'third' },
    {
      healthTimeoutMs: 1000,
      rollbackOnFailure: true,
      onEvent: ({ type }) => {
        if (type === 'rolling-back') world.registers = Infinity;
      },
    },
  );
  await expect(failed).rejects.toThrow('TaskManagers registered');
  expect(await world.releases()).toEqual([
    'deploy stable',
    'deploy rolled-back',
    'rollback stable',
  ]);
  // The record has the release that failed still.
  expect(there()).toEqual([second, third]);
});

it('removes nothing when an operation fails', async () => {
  await forgetOlder();
  world.registers = 0;
  const failed = world.deploy({ application: 'third' }, { healthTimeoutMs: 1000 });
  await expect(failed).rejects.toThrow('TaskManagers registered');
  expect(there()).toEqual([first, second, third]);
});

it('removes nothing where nobody knows what a process was made from', async () => {
  await forgetOlder();
  const provider = world.provider();
  const unknown: Provider = {
    ...provider,
    observe: async (id, call) => {
      const observed = await provider.observe(id, call);
      const processes = observed?.processes.map((p) => ({ ...p, spec: null })) ?? [];
      return observed && { ...observed, processes };
    },
  };
  await world.deploy({ application: 'third' }, {}, unknown);
  expect(there()).toEqual([first, second, third]);
});

it('does not fail because one cannot be removed', async () => {
  await forgetOlder();
  const provider = world.provider();
  const stuck: Provider = {
    ...provider,
    artifacts: (id) => ({
      ...provider.artifacts(id),
      remove: () => Promise.reject(new Error('it is read-only')),
    }),
  };
  await world.deploy({ application: 'third' }, {}, stuck);
  expect((await world.releases()).at(-1)).toBe('deploy stable');
  expect(there()).toEqual([first, second, third]);
});
