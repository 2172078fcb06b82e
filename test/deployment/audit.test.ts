import { afterEach, beforeEach, expect, it } from 'vitest';
import { ClusterError, problem } from '../../src/contract/errors.ts';
import { ExitCode } from '../../src/contract/exit-codes.ts';
import { Redactor } from '../../src/contract/secrets.ts';
import { beginAudit, readAudit } from '../../src/deployment/audit.ts';
import { cancel } from '../../src/deployment/cancel.ts';
import { destroyCluster } from '../../src/deployment/destroy.ts';
import { stopSession } from '../../src/deployment/modes/session.ts';
import type { Site } from '../../src/deployment/site.ts';
import { ClusterApiError } from '../../src/engines/cluster-api.ts';
import { MemoryStore } from '../../src/record/drivers/memory.ts';
import { DocumentName } from '../../src/record/documents.ts';
import { readDocument } from '../../src/record/record.ts';
import { demo } from '../demo.ts';
import { World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

it('keeps no secret of an error, also where its message is cut', async () => {
  const store = new MemoryStore();
  const entry = await beginAudit(store, 'deploy', null, new Redactor(['hunter2']));
  const message = `${'x'.repeat(495)}hunter2 refused`;
  const error = new ClusterError(ExitCode.conflict, problem({ code: 'x', message }));
  await entry.failed(error, new AbortController().signal);
  const [written] = await readAudit(store);
  expect(written).toMatchObject({ action: 'deploy', result: 'refused' });
  expect(written!.message).toBe(`${'x'.repeat(495)}*****`);
});

/** Whatever is asked of the cluster fails, and the error tells all secrets. */
const telling = 'no: hunter2 of the config, t0k3n-of-it, pa55word and 83746512 of its processes';
async function telltale(): Promise<Site> {
  await world.deploy();
  world.platform.cluster(demo).secrets = {
    token: 't0k3n-of-it',
    arguments: JSON.stringify({ '/password': 'pa55word', '/pin': 83_746_512 }),
  };
  const refuse = () => Promise.reject(new ClusterApiError('refused', telling));
  const engine: typeof world.engine = {
    ...world.engine,
    cluster: (...args) => ({
      ...world.engine.cluster(...args),
      cancelApplication: refuse,
      cancelJob: refuse,
      shutDown: refuse,
    }),
  };
  const provider = {
    ...world.provider(),
    destroy: () =>
      Promise.reject(new ClusterError(ExitCode.conflict, problem({ code: 'x', message: telling }))),
  };
  return {
    ...world.site(provider),
    engines: { bundled: async () => engine },
    redactor: new Redactor(['hunter2']),
  };
}

async function asSession(): Promise<void> {
  const store = world.provider().record(demo);
  const { value, version } = await readDocument(store, DocumentName.cluster);
  await store.write(DocumentName.cluster, { ...value, mode: 'session' }, version);
}

const { signal } = new AbortController();

it.each<[string, (site: Site) => Promise<unknown>]>([
  ['cancel', (site) => cancel(site, demo, null, signal)],
  [`cancel job ${'a'.repeat(32)}`, (site) => cancel(site, demo, 'a'.repeat(32), signal)],
  ['destroy', (site) => destroyCluster(site, demo, { lockWaitMs: 0, deleteState: false, signal })],
  [
    'session stop',
    async (site) => {
      await asSession();
      return stopSession(site, demo, { cancel: true, signal });
    },
  ],
])('keeps no secret of the config or of the cluster: %s', async (action, act) => {
  const site = await telltale();
  await expect(act(site)).rejects.toThrow('no: ');
  const written = (await readAudit(site.provider.record(demo))).at(-1);
  expect(written).toMatchObject({
    action,
    result: 'refused',
    message: 'no: ****** of the config, ******, ****** and ****** of its processes',
  });
});
