/** What `fctl status` says of a cluster that has no processes. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ClusterState, clusterStatus } from '../../src/deployment/status.ts';
import { DocumentName } from '../../src/record/documents.ts';
import { readDocument } from '../../src/record/record.ts';
import { demo } from '../demo.ts';
import { World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const status = () => clusterStatus(world.site(), demo);
const loseAll = () => world.platform.cluster(demo).processes.clear();

it('is LOST once it ran: all of its processes are gone', async () => {
  await world.deploy();
  await world.deploy({ application: 'second' });
  loseAll();
  const { explanation, release, state } = (await status())!;
  expect(state).toBe(ClusterState.lost);
  expect(explanation).toBe(
    `it ran as release 2 (${release!.release}), and its processes are gone: 'fctl deploy' starts it again, 'fctl destroy' removes it`,
  );
});

it.each([
  ['has never run', 0],
  ['ran as an earlier release', 1],
])('is INCOMPLETE where the deployment of its release was interrupted: it %s', async (_it, ran) => {
  if (ran > 0) await world.deploy();
  world.letsLead = false;
  const deploying = new AbortController();
  const failed = world.deploy({ application: 'second' }, { signal: deploying.signal });
  const record = world.provider().record(demo);
  for (let isThere = false; !isThere;) {
    await new Promise((resolve) => setImmediate(resolve));
    const { value } = await readDocument(record, DocumentName.releases);
    isThere = value?.releases.length === ran + 1;
  }
  deploying.abort(new Error('interrupted'));
  await expect(failed).rejects.toThrow('interrupted');
  loseAll();
  const { explanation, state } = (await status())!;
  expect(state).toBe(ClusterState.incomplete);
  expect(explanation).toContain('its deployment was interrupted');
});
