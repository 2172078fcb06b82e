/** What could tell the secrets of a cluster on hosts: the way to its REST API, and what stays behind. */
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Provider } from '../../../src/providers/provider.ts';
import {
  actionOn,
  converge,
  convergeAll,
  idle,
  processNames,
  smallCluster,
} from '../../../src/providers/testing/small-cluster.ts';
import { DocumentName, type LockDocument } from '../../../src/record/documents.ts';
import { demo } from '../../demo.ts';
import { Place } from './place.ts';

const signal = new AbortController().signal;
const fenced = { fence: 1, signal };
const spec = {
  ...smallCluster({ clusterId: demo, taskManager: idle, taskManagers: 2, clientDir: tmpdir() }),
  transient: true,
};
const lock: LockDocument = {
  holder: 'me@here/1',
  machine: 'here',
  message: 'testing',
  epoch: 1,
  acquiredAt: 0,
  termMs: 60_000,
  released: false,
};
const endpoint = {
  protocol: 1,
  rest: 'http://10.9.8.7:8081',
  rpc: 'ws://10.9.8.7:8081/fctl/v1/rpc',
  epoch: 1,
  jobmanager: { resourceId: 'jobmanager-0/1', pid: 1 },
};

let place: Place;
let provider: Provider;
beforeEach(async () => {
  place = await Place.start();
  provider = await place.open();
  await provider.install(spec.runtime, { onProgress: () => {}, signal });
  await provider.record(demo).write(DocumentName.lock, lock, null);
  await convergeAll(provider, spec, fenced);
});
afterEach(async () => {
  await provider.destroy(demo, { fence: null, deleteState: false, signal });
  await provider.close();
  await place.close();
});

it('of a cluster that nobody deploys again go with its last process, on every host', async () => {
  const partsOn = () =>
    Promise.all(place.hosts.map((host) => readdir(join(place.dirOn(host), 'clusters', demo))));
  expect((await partsOn()).flat()).toContain('secrets');
  const actions = processNames(spec).map((name) => actionOn(spec, name, 'delete'));
  await converge(provider, spec, actions, fenced);
  for (const parts of await partsOn()) {
    expect(parts).not.toContain('secrets');
    expect(parts).not.toContain('artifacts');
  }
});

it('go to REST through SSH, unless the user says otherwise', async () => {
  await provider.record(demo).write(DocumentName.endpoint, endpoint, null);
  const urls = new Map<string, string>();
  for (const rest of ['auto', 'tunnel', 'direct'] as const) {
    const client = await place.open({ rest });
    urls.set(rest, (await client.connect(demo, { signal }))!.url);
    await client.close();
  }
  expect(urls.get('auto')).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(urls.get('tunnel')).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(urls.get('direct')).toBe(endpoint.rest);
});
