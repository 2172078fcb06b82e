/** Cancelling, where JobManagers die meanwhile and there are several, on a platform in memory. */
import { expect, it, onTestFinished } from 'vitest';
import { demo } from '../demo.ts';
import { ExitCode } from '../../src/contract/exit-codes.ts';
import { ApplicationStatus } from '../../src/contract/outcome.ts';
import { cancel } from '../../src/deployment/cancel.ts';
import { ClusterState, clusterStatus } from '../../src/deployment/status.ts';
import type { ClusterApi } from '../../src/engines/cluster-api.ts';
import { World, type WorldOptions } from './world.ts';

function newWorld(options: WorldOptions = {}): World {
  const world = new World(options);
  onTestFinished(() => world.close());
  return world;
}

const { signal } = new AbortController();

/** The site of a world whose JobManagers hear `cancel` in another way. */
function siteWith(world: World, cancelApplication: (api: ClusterApi) => Promise<void>) {
  const { engine } = world;
  const changed = {
    ...engine,
    cluster: (...args: Parameters<typeof engine.cluster>) => {
      const api = engine.cluster(...args);
      return { ...api, cancelApplication: () => cancelApplication(api) };
    },
  };
  return { ...world.site(), engines: { bundled: async () => changed } };
}

it('asks a JobManager anew that was started again before it had ended the application', async () => {
  const world = newWorld();
  await world.deploy();
  let asked = 0;
  const site = siteWith(world, async (api) => {
    asked++;
    if (asked > 1) return api.cancelApplication();
    world.platform.crash(demo, 'jobmanager-0');
    world.clock.after(1000, () => world.platform.restart(demo, 'jobmanager-0'));
  });
  const outcome = await cancel(site, demo, null, signal);
  expect(outcome?.status).toBe(ApplicationStatus.canceled);
  expect(asked).toBe(2);
});

it('says so when the JobManager dies for good without an outcome', async () => {
  const world = newWorld();
  await world.deploy();
  const site = siteWith(world, async () => world.platform.exit(demo, 'jobmanager-0', 1));
  const cancelled = cancel(site, demo, null, signal);
  await expect(cancelled).rejects.toMatchObject({
    exitCode: ExitCode.deploymentFailed,
    message: expect.stringContaining('the JobManager of demo died without an outcome'),
  });
});

it.each(['crash', 'exit'] as const)(
  'reaches the second JobManager when it leads and the first is gone (%s)',
  async (end) => {
    const world = newWorld({ jobManagers: 2 });
    await world.deploy();
    world.platform[end](demo, 'jobmanager-0', 1);
    await world.lead('jobmanager-1');
    const status = await clusterStatus(world.site(), demo);
    expect(status).toMatchObject({ state: ClusterState.running, jobs: [{ name: 'endless' }] });
    const outcome = await cancel(world.site(), demo, null, signal);
    expect(outcome?.status).toBe(ApplicationStatus.canceled);
  },
);

it('waits for a standby that takes over when the leader dies of being asked', async () => {
  const world = newWorld({ jobManagers: 2 });
  await world.deploy();
  let asked = 0;
  const site = siteWith(world, async (api) => {
    asked++;
    if (asked > 1) return api.cancelApplication();
    world.platform.exit(demo, 'jobmanager-0', 1);
    world.clock.after(3000, () => void world.lead('jobmanager-1'));
  });
  const outcome = await cancel(site, demo, null, signal);
  expect(outcome?.status).toBe(ApplicationStatus.canceled);
  expect(asked).toBe(2);
});

it('lets the leading JobManager end its jobs before a destroy, whichever it is', async () => {
  const world = newWorld({ jobManagers: 2 });
  await world.deploy();
  world.platform.crash(demo, 'jobmanager-0');
  await world.lead('jobmanager-1');
  let outcome = null as Awaited<ReturnType<World['outcome']>>;
  const provider = world.provider();
  await world.destroy({
    ...provider,
    destroy: async (id, options) => {
      outcome = await world.outcome();
      return provider.destroy(id, options);
    },
  });
  expect(outcome).toMatchObject({ status: ApplicationStatus.canceled });
});

it('protects state of jobs of the second JobManager when the first has crashed', async () => {
  const world = newWorld({ jobManagers: 2, isStateful: true });
  await world.deploy();
  world.clock.skip(1000);
  world.platform.crash(demo, 'jobmanager-0');
  await world.lead('jobmanager-1');
  const upgraded = world.deploy({ application: 'second' });
  await expect(upgraded).rejects.toMatchObject({ exitCode: ExitCode.stateWouldBeLost });
  expect(await world.releases()).toEqual(['deploy stable']);
});

it('refuses what has ended, and what is not there', async () => {
  const world = newWorld();
  await expect(cancel(world.site(), demo, null, signal)).rejects.toMatchObject({
    exitCode: ExitCode.notFound,
  });
  await world.deploy();
  await world.end(ApplicationStatus.succeeded);
  const cancelled = cancel(world.site(), demo, null, signal);
  await expect(cancelled).rejects.toThrow('cluster demo is SUCCEEDED: there is nothing to cancel');
});

it('reaches nobody while the only JobManager is suspended, and says so at once', async () => {
  const world = newWorld();
  await world.deploy();
  const provider = world.provider();
  const observe: typeof provider.observe = async (...args) => {
    const observed = await provider.observe(...args);
    const processes = observed!.processes.map((each) => ({ ...each, suspended: true }));
    return { ...observed!, processes };
  };
  const site = world.site({ ...provider, observe });
  const before = world.clock.monotonic();
  expect(await clusterStatus(site, demo)).toMatchObject({
    state: ClusterState.unreachable,
    explanation: expect.stringContaining('does nothing until it is continued'),
  });
  await expect(cancel(site, demo, null, signal)).rejects.toMatchObject({
    exitCode: ExitCode.conflict,
    problems: [{ hint: expect.stringContaining('does nothing until it is continued') }],
  });
  expect(world.clock.monotonic()).toBe(before);
});
