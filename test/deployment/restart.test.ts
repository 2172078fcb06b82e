/** Restarts of single processes, beside others that are gone. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { demo } from '../demo.ts';
import { World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = new World();
  await world.deploy({ taskManagers: 3 });
});
afterEach(() => world.close());

it('of one TaskManager succeeds, whatever became of another one', async () => {
  world.platform.exit(demo, 'taskmanager-2', 1);
  await world.restart(world.provider(), { process: 'taskmanager-0', role: null });
  expect(await world.processes()).toEqual([
    'jobmanager-0 running',
    'taskmanager-0 running',
    'taskmanager-1 running',
    'taskmanager-2 lost',
  ]);
});
