/**
 * Jobs with state go on over upgrades, in memory and as real processes: nothing that they counted is lost or
 * counted twice, whoever is killed in between.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cancel } from '../../../src/deployment/cancel.ts';
import { deploy, planDeployment } from '../../../src/deployment/deploy.ts';
import { restart } from '../../../src/deployment/restart.ts';
import { scale } from '../../../src/deployment/scale.ts';
import { clusterStatus } from '../../../src/deployment/status.ts';
import { DocumentName } from '../../../src/record/documents.ts';
import { releaseLock } from '../../../src/record/lock.ts';
import { readDocument } from '../../../src/record/record.ts';
import { counterEngine } from './engine.ts';
import { CounterWorld, localPlatform, memoryPlatform } from './world.ts';

const { signal } = new AbortController();

/** Whoever is killed after a call that changes nothing is killed after the one before. */
const changes = /^(?:record\.write|converge|connect|list)/;

describe.each([
  ['in memory', memoryPlatform, /./],
  ['as local processes', localPlatform, changes],
])('jobs with state, %s,', (_, platform, killedAfter) => {
  let world: CounterWorld;
  beforeEach(async () => {
    world = await CounterWorld.open(platform);
  });
  afterEach(() => world.close());

  /** Each job was suspended so often, and began each time where it had left off. */
  function expectNothingLost(suspensions: number, at = ''): void {
    for (const job of [0, 1]) {
      const suspended = world.counts(job, 'suspended');
      expect(suspended, at).toHaveLength(suspensions);
      expect(world.counts(job, 'started'), at).toEqual([0, ...suspended]);
    }
  }

  const stateOf = async () => (await clusterStatus(world.site(), world.id))!.state;

  it('go on over upgrades, and over what ends their JobManager', async () => {
    const first = await world.deploy();
    expect(first.plan).toMatchObject({ restore: [], stateLoss: [] });
    const planned = await planDeployment(await world.input({ version: 2 }));
    expect(planned.restore).toMatchObject([
      { executeIndex: 0, name: 'count 0', kind: 'savepoint', path: null },
      { executeIndex: 1, name: 'count 1', kind: 'savepoint', path: null },
    ]);
    expectNothingLost(0);

    const { plan } = await world.deploy({ version: 2 });
    expectNothingLost(1);
    const [entry] = (await world.releases()).slice(-1);
    expect(entry).toMatchObject({ number: 2, status: 'stable' });
    expect(entry!.restore).toEqual(plan.restore);
    expect(plan.restore.every(({ directory, path }) => path!.startsWith(directory))).toBe(true);
    // Being restored is no change.
    expect((await planDeployment(await world.input({ version: 2 }))).changes).toBe(false);
    expect((await world.deploy({ version: 2 })).release).toBeNull();
    expectNothingLost(1);
    // What ends no JobManager keeps what its jobs were restored from.
    const kept = await world.deploy({ version: 2, retention: '1h' });
    expect(kept.plan.restore).toEqual([]);
    expect(kept.release!.restore).toEqual(entry!.restore);

    const running = { ...(await world.input({ version: 2 })), clusterId: world.id };
    await restart(running, { process: null, role: null }, world.options());
    expectNothingLost(2);
    await scale(running, 2, world.options());
    const [before, after] = (await world.releases()).slice(-2);
    expect(after!.restore).toEqual(before!.restore);
    expectNothingLost(2);
    await cancel(world.site(), world.id, null, signal);
    expect(await stateOf()).toBe('CANCELED');
  });

  it('go on in a cluster whose record an fctl wrote that restored nothing', async () => {
    await world.deploy();
    const { value, version } = await readDocument(world.record, DocumentName.releases);
    const releases = value!.releases.map((entry) => ({ ...entry, restore: undefined }));
    await world.record.write(DocumentName.releases, { releases }, version);
    await world.deploy({ version: 2 });
    expectNothingLost(1);
    await world.rollback();
    expect(world.counts(0, 'started').at(-1)).toBe(world.counts(0, 'suspended')[0]);
  });

  it('begin from nothing once the application was cancelled', async () => {
    await world.deploy();
    await cancel(world.site(), world.id, null, signal);
    const { plan } = await world.deploy({ version: 2 });
    expect(plan.restore).toEqual([]);
    expect(world.counts(0, 'started')).toEqual([0, 0]);
  });

  it('all run on where one of them cannot stop', async () => {
    await world.deploy({ stuck: 1 });
    await expect(world.deploy({ version: 2 })).rejects.toThrow("job 'count 1' cannot stop");
    expect(world.eventsOf(0).map(({ what }) => what)).toEqual(['started', 'suspended', 'resumed']);
    expect(world.eventsOf(1).map(({ what }) => what)).toEqual(['started']);
    expect(await stateOf()).toBe('RUNNING');
    const [, failed] = await world.releases();
    expect(failed).toMatchObject({ status: 'failed', restore: [{ path: null }, { path: null }] });
    // Allowed to, the next release goes on from the last checkpoints.
    await world.checkpointed();
    const { plan } = await world.deploy({ version: 2 }, { allowStateLoss: true });
    expect(plan.restore).toMatchObject([{ kind: 'checkpoint' }, { kind: 'checkpoint' }]);
    expect(world.counts(1, 'started')[1]).toBeGreaterThan(0);
  });

  it('are suspended once by clients that follow each other while that is under way', async () => {
    await world.deploy({ suspendMs: 300 });
    const stop = new AbortController();
    const first = deploy(
      await world.input({ version: 2 }),
      world.options({
        signal: stop.signal,
        onEvent: ({ type }) => {
          if (type === 'suspending') setTimeout(() => stop.abort(new Error('interrupted')), 100);
        },
      }),
    );
    await expect(first).rejects.toThrow('interrupted');
    await world.deploy({ version: 3 });
    expectNothingLost(1);
  });

  it('go on from the last checkpoint of a cluster that crashed', async () => {
    await world.deploy();
    await world.checkpointed();
    await world.crash();
    const { plan } = await world.deploy({ version: 2 });
    expect(plan.restore).toMatchObject([{ kind: 'checkpoint' }, { kind: 'checkpoint' }]);
    for (const job of [0, 1]) {
      const [, restored] = world.counts(job, 'started');
      expect(restored! % 5).toBe(0);
      expect(restored).toBeGreaterThan(0);
    }
    expect((await world.releases()).at(-1)!.restore).toEqual(plan.restore);
  });

  it('go on from what they were restored from where they completed no checkpoint since', async () => {
    await world.deploy();
    await world.deploy({ version: 2 });
    await world.crash();
    await rm(join(world.state, 'checkpoints'), { recursive: true });
    const { plan } = await world.deploy({ version: 3 });
    expect(plan.restore).toEqual((await world.releases())[1]!.restore);
    expect(world.counts(0, 'started').at(-1)).toBe(world.counts(0, 'suspended')[0]);
  });

  it('are not started from nothing without being allowed to', async () => {
    await world.deploy();
    await world.checkpointed();
    await world.crash();
    await rm(join(world.state, 'checkpoints'), { recursive: true });
    expect((await planDeployment(await world.input({ version: 2 }))).stateLoss).toEqual([
      expect.stringContaining("job 'count 0' has state, and would start again from nothing"),
      expect.stringContaining("job 'count 1' has state, and would start again from nothing"),
    ]);
    await expect(world.deploy({ version: 2 })).rejects.toMatchObject({ exitCode: 9 });
    expect(await world.releases()).toHaveLength(1);
    await world.deploy({ version: 2 }, { allowStateLoss: true });
    expect(world.counts(0, 'started')).toEqual([0, 0]);
  });

  it('return with a rollback to where its release had left them', async () => {
    await world.deploy();
    await world.deploy({ version: 2 });
    const [left] = world.counts(0, 'suspended');
    const back = await world.rollback();
    expect(back.to.number).toBe(1);
    expect(world.counts(0, 'started').at(-1)).toBe(left);
    const entries = await world.releases();
    expect(entries[2]!.restore).toEqual(entries[1]!.restore);
    // What is gone is not silently replaced by nothing.
    await world.deploy({ version: 3 });
    await rm(join(world.state, 'savepoints'), { recursive: true });
    await expect(world.rollback()).rejects.toMatchObject({ exitCode: 9 });
  });

  it('return where the next release did not become healthy', async () => {
    await world.deploy();
    const failing = world.deploy({ version: 2, dies: true }, { rollbackOnFailure: true });
    await expect(failing).rejects.toThrow('rolled back to release 1');
    expectNothingLost(1);
    const [, failed, back] = await world.releases();
    expect(failed!.status).toBe('rolled-back');
    expect(back).toMatchObject({ cause: 'rollback', status: 'stable', restore: failed!.restore });
    // Without being rolled back they wait, and go on with what comes next.
    await expect(world.deploy({ version: 3, dies: true })).rejects.toThrow('died');
    expect(world.eventsOf(0).at(-1)!.what).toBe('suspended');
    await world.deploy({ version: 4 });
    expectNothingLost(2);
  });

  it('go on under their own release when the next one was interrupted and is given up', async () => {
    await world.deploy();
    const stop = new AbortController();
    const find = async () => {
      stop.abort(new Error('interrupted'));
      return null;
    };
    const engine = { ...counterEngine, state: { ...counterEngine.state, find } };
    const client = await world.input({ version: 2 }, world.provider, engine);
    const interrupted = deploy(client, world.options({ signal: stop.signal }));
    await expect(interrupted).rejects.toThrow();
    expect(await stateOf()).toBe('SUSPENDED');
    const { plan } = await world.deploy();
    expect(plan.actions[0]).toMatchObject({ kind: 'restart', reason: 'its jobs are suspended' });
    expectNothingLost(1);
  });

  it('are shown as suspended, and wait, when their JobManager is gone', async () => {
    await world.deploy();
    await expect(world.deploy({ version: 2, dies: true })).rejects.toThrow('died');
    await world.crash();
    const status = await clusterStatus(world.site(), world.id);
    expect(status).toMatchObject({ state: 'SUSPENDED', outcome: null });
    await world.deploy();
    expectNothingLost(1);
  });

  it('are not taken back behind a savepoint that is gone', async () => {
    await world.deploy();
    await world.checkpointed();
    await expect(world.deploy({ version: 2, dies: true })).rejects.toThrow('died');
    await rm(join(world.state, 'savepoints'), { recursive: true });
    await expect(world.deploy({ version: 3 })).rejects.toMatchObject({ exitCode: 9 });
  });

  it('lose nothing by a client that is killed, and are suspended once', async () => {
    const upgrade = (k: number) =>
      world.killedAt(k, async (provider, engine) =>
        deploy(await world.input({ version: 2 }, provider, engine), world.options()),
      );
    await world.deploy();
    const { calls } = await upgrade(0);
    const first = calls.indexOf('record.write releases');
    const last = calls.findLastIndex((name) => name.startsWith('converge'));
    // Suspending, before and after it, and looking for each savepoint.
    expect(calls.slice(first, last).filter((name) => name === 'list')).toHaveLength(4);
    for (let k = first + 1; k <= last + 3; k++) {
      if (!killedAfter.test(calls[k - 1]!)) continue;
      await world.close();
      world = await CounterWorld.open(platform);
      await world.deploy();
      const { failed } = await upgrade(k);
      const at = `killed after call ${k}, ${failed}`;
      await releaseLock(world.record);
      await world.deploy({ version: 2 }).catch((error: unknown) => {
        throw new Error(at, { cause: error });
      });
      expect((await world.releases()).at(-1)!.status, at).toBe('stable');
      expectNothingLost(1, at);
    }
  }, 240_000);
});
