/** What the JobManager's answers mean to whoever asks through the engine. */
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bundledEngine } from '../../../src/engines/bundled/index.ts';

let server: Server;
let status: number;
let body: string;
beforeEach(async () => {
  server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => void server.close());

const api = () => {
  const { port } = server.address() as AddressInfo;
  return bundledEngine.cluster({ url: `http://127.0.0.1:${port}`, token: null }, 300);
};

it.each([
  [503, 'not-leading'],
  [404, 'not-found'],
  [409, 'refused'],
  [401, 'refused'],
])('takes %i for %s, in the words of the JobManager', async (answered, kind) => {
  status = answered;
  body = JSON.stringify({ errors: ['not now'] });
  await expect(api().cancelApplication()).rejects.toMatchObject({ kind, message: 'not now' });
});

it('takes it for silent where nobody listens', async () => {
  const gone = api();
  server.close();
  await once(server, 'close');
  await expect(gone.info()).rejects.toMatchObject({ kind: 'silent' });
});

it('knows TaskManagers by their processes, and which have nothing to do', async () => {
  status = 200;
  const manager = (name: string, freeSlots: number) => ({
    id: name,
    path: `pekko.tcp://10.0.0.1/${name}`,
    dataPort: 1,
    jmxPort: -1,
    timeSinceLastHeartbeat: 1,
    slotsNumber: 2,
    freeSlots,
  });
  body = JSON.stringify({
    taskmanagers: [manager('taskmanager-0', 2), manager('taskmanager-1', 1)],
  });
  expect(await api().taskManagers()).toEqual([
    { name: 'taskmanager-0', isIdle: true },
    { name: 'taskmanager-1', isIdle: false },
  ]);
});
