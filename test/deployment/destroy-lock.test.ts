/** `destroy` holds the lock until the record goes, however long it takes: by gates and a clock moved by hand. */
import type { ClusterId } from '../../src/contract/cluster-id.ts';
import { beforeEach, expect, it } from 'vitest';
import { parseClusterId } from '../../src/contract/cluster-id.ts';
import { destroyCluster } from '../../src/deployment/destroy.ts';
import { engines } from '../../src/engines/registry.ts';
import type { DestroyOptions, Provider } from '../../src/providers/provider.ts';
import { FakePlatform, openFake } from '../../src/providers/testing/index.ts';
import { DocumentName } from '../../src/record/documents.ts';
import { acquireLock } from '../../src/record/lock.ts';
import { readDocument } from '../../src/record/record.ts';
import { ManualClock } from '../runtime/rpc/manual-clock.ts';

const id = parseClusterId('demo');
let clock: ManualClock;
let platform: FakePlatform;
let provider: Provider;

beforeEach(async () => {
  clock = new ManualClock();
  platform = new FakePlatform({ now: () => clock.monotonic() });
  provider = openFake(platform);
  await provider.record(id).write(DocumentName.cluster, { protocol: 1 }, null);
});

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 250) {
    clock.advance(250);
    await settle();
  }
}

/** Ends processes for as long as the gate is shut, as a JobManager does that needs its grace. */
function destroying(gate: Promise<void>, fails: Error | null = null) {
  const reached = Promise.withResolvers<void>();
  const slow: Provider = {
    ...provider,
    destroy: async (clusterId: ClusterId, options: DestroyOptions) => {
      reached.resolve();
      await gate;
      if (fails !== null) throw fails;
      return provider.destroy(clusterId, options);
    },
  };
  const destroyed = destroyCluster({ provider: slow, engines, clock, signal: never }, id, {
    lockWaitMs: 0,
    deleteState: false,
    signal: never,
    taker: { holder: 'destroyer@here/1', machine: 'here', isRunning: () => true },
  });
  destroyed.catch(() => {});
  return { destroyed, reached: reached.promise };
}

const never = new AbortController().signal;

function deploying() {
  let epoch: number | null = null;
  const interrupt = new AbortController();
  const taken = acquireLock(provider.record(id), 'deploy', {
    waitMs: 600_000,
    signal: interrupt.signal,
    taker: { clock, holder: 'deployer@there/1', machine: 'there', isRunning: () => true },
  }).then((lock) => (epoch = lock.epoch));
  taken.catch(() => {});
  return { taken, interrupt, epoch: () => epoch };
}

it('keeps who waits from the cluster while processes end slowly, and leaves no record', async () => {
  const gate = Promise.withResolvers<void>();
  const { destroyed, reached } = destroying(gate.promise);
  await reached;
  const waiting = deploying();
  await pass(60_000);
  expect(waiting.epoch()).toBeNull();
  waiting.interrupt.abort(new Error('enough'));
  await expect(waiting.taken).rejects.toThrow('enough');
  gate.resolve();
  expect(await destroyed).toEqual([]);
  await pass(60_000);
  expect(platform.clusterIds).toEqual([]);
});

it('lets who waits have it when it fails, and says in the audit log that it did', async () => {
  const gate = Promise.withResolvers<void>();
  const { destroyed, reached } = destroying(gate.promise, new Error('a disk is full'));
  await reached;
  const waiting = deploying();
  await pass(20_000);
  gate.resolve();
  await expect(destroyed).rejects.toThrow('a disk is full');
  await pass(500);
  expect(waiting.epoch()).toBe(2);
  const { value } = await readDocument(provider.record(id), DocumentName.audit);
  expect(value?.entries).toMatchObject([{ action: 'destroy', result: 'failed' }]);
});

it('ends nothing any more once the lock was taken away', async () => {
  const gate = Promise.withResolvers<void>();
  const { destroyed, reached } = destroying(gate.promise);
  await reached;
  const record = provider.record(id);
  const { value, version } = await readDocument(record, DocumentName.lock);
  await record.write(
    DocumentName.lock,
    { ...value, epoch: value!.epoch + 1, holder: 'other@there/1', nonce: 'other' },
    version,
  );
  await pass(6000);
  gate.resolve();
  await expect(destroyed).rejects.toThrow('other@there/1 took over the cluster');
  expect(platform.clusterIds).toEqual(['demo']);
});
