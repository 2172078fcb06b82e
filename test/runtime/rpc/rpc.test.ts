import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { RpcConnection } from '../../../src/runtime/rpc/connection.ts';
import {
  connectJobManager,
  type JobManagerClientOptions,
} from '../../../src/runtime/rpc/client.ts';
import { decodeFrame, encodeFrame } from '../../../src/runtime/rpc/frame.ts';
import type { JobManagerApi, TaskManagerApi } from '../../../src/runtime/rpc/protocol.ts';
import { createRpcServer, type RpcServerOptions } from '../../../src/runtime/rpc/server.ts';
import { HostileClock } from '../hostile-clock.ts';
import { ManualClock } from './manual-clock.ts';

const token = 'secret';
const clusterId = 'flights';
const cleanup: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const action of cleanup.splice(0).reverse()) await action();
});

const registration = { protocol: 1, address: 'a', slots: 1, cpuCores: 1, memoryBytes: 1, pid: 1 };
const registered = (epoch: number) => ({
  epoch,
  jobManagerResourceId: 'jobmanager-0/1',
  heartbeat: { intervalMs: 100, timeoutMs: 500 },
  freeAllocations: [],
});

function jobManagerApi(overrides: Partial<JobManagerApi> = {}): JobManagerApi {
  return {
    register: async () => registered(7),
    heartbeat: async () => {},
    taskChanged: async () => {},
    requestSplit: async () => null,
    slotLost: async () => {},
    ...overrides,
  };
}

function taskManagerApi(overrides: Partial<TaskManagerApi> = {}): TaskManagerApi {
  return {
    heartbeat: async () => {},
    allocateSlot: async ({ allocationId }) => ({
      allocationId,
      taskManager: 't',
      host: 'h',
      dataPort: 1,
    }),
    deployTasks: async () => {},
    cancelTasks: async () => {},
    freeSlot: async () => {},
    listLogs: async () => [],
    readLog: async () => null,
    threadDump: async () => [],
    dismiss: async () => {},
    ...overrides,
  };
}

interface Rig {
  readonly url: string;
  readonly server: Server;
  readonly connections: RpcConnection<TaskManagerApi>[];
  connect(options?: Partial<JobManagerClientOptions>): Promise<RpcConnection<JobManagerApi>>;
}

async function start(
  options: Partial<RpcServerOptions> & { api?: Partial<JobManagerApi> } = {},
): Promise<Rig> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const connections: RpcConnection<TaskManagerApi>[] = [];
  const rpc = createRpcServer({
    server,
    token,
    envelope: { clusterId, resourceId: 'jobmanager-0/1', epoch: 7 },
    heartbeat: { intervalMs: 60_000, timeoutMs: 60_000 },
    maxFrameBytes: 1024 * 1024,
    connected: (connection) => {
      connections.push(connection);
      return jobManagerApi(options.api);
    },
    ...options,
  });
  cleanup.push(() => {
    rpc.close();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/fctl/v1/rpc`;
  return {
    url,
    server,
    connections,
    connect: async (overrides) => {
      const connection = await connectJobManager({
        url,
        token,
        clusterId,
        resourceId: 'taskmanager-0/1',
        expectedEpoch: 7,
        api: taskManagerApi(),
        heartbeat: { intervalMs: 60_000, timeoutMs: 60_000 },
        maxFrameBytes: 1024 * 1024,
        signal: new AbortController().signal,
        connectTimeoutMs: 5000,
        ...overrides,
      });
      cleanup.push(() => connection.close());
      return connection;
    },
  };
}

describe('calls', () => {
  it('go in both directions over one connection', async () => {
    const rig = await start();
    const client = await rig.connect();
    expect(await client.call('register', registration)).toEqual(registered(7));
    const slot = {
      allocationId: 'x',
      jobId: 'j',
      slotIndex: 0,
      jobAttempt: 0,
      epoch: 7,
      jobName: 'n',
      bundleHash: 'b',
      workingDirectory: '/',
    };
    const location = await rig.connections[0]!.call('allocateSlot', slot);
    expect(location).toEqual({ allocationId: 'x', taskManager: 't', host: 'h', dataPort: 1 });
    expect(rig.connections[0]!.remote).toBe('taskmanager-0/1');
    expect(client.localAddress).toBe('127.0.0.1');
  });

  it('reject with what the peer threw', async () => {
    const rig = await start({
      api: { heartbeat: () => Promise.reject(new Error('no such TaskManager')) },
    });
    const client = await rig.connect();
    await client.call('register', registration);
    await expect(client.call('heartbeat', {} as never)).rejects.toMatchObject({
      code: 'failed',
      message: 'no such TaskManager',
    });
  });

  it('cannot reach anything but the methods of the API', async () => {
    const rig = await start();
    const client = await rig.connect();
    await client.call('register', registration);
    const anything = client as unknown as {
      call(name: string, ...args: unknown[]): Promise<unknown>;
    };
    for (const name of ['constructor', 'toString', '__proto__', 'dismiss']) {
      await expect(anything.call(name, {})).rejects.toThrow(/not found/);
    }
  });

  it('time out, but not requestSplit', async () => {
    const clock = new ManualClock();
    const never = () => new Promise<never>(() => {});
    const rig = await start({ api: { taskChanged: never, requestSplit: never } });
    const client = await rig.connect({ clock, callTimeoutMs: 1000 });
    await client.call('register', registration);
    const change = client.call('taskChanged', {} as never);
    const split = client.call('requestSplit', {} as never);
    const settled: string[] = [];
    void split.catch(() => settled.push('split'));
    clock.advance(1000);
    await expect(change).rejects.toMatchObject({ code: 'timed-out' });
    expect(settled).toEqual([]);
  });

  it('are refused when the frame would be too large, and the connection lives on', async () => {
    const rig = await start({ maxFrameBytes: 4096 });
    const client = await rig.connect({ maxFrameBytes: 4096 });
    await client.call('register', registration);
    const large = { address: 'x'.repeat(5000) } as never;
    await expect(client.call('register', large)).rejects.toMatchObject({ code: 'too-large' });
    expect(await client.call('register', registration)).toEqual(registered(7));
  });

  it('whose answer is too large are answered with an error', async () => {
    const api = { requestSplit: async () => ({ id: 'x'.repeat(5000) }) };
    const rig = await start({ maxFrameBytes: 4096, api });
    const client = await rig.connect();
    await client.call('register', registration);
    await expect(client.call('requestSplit', {} as never)).rejects.toMatchObject({
      code: 'too-large',
    });
    await client.call('heartbeat', {} as never);
  });
});

describe('fencing (P1)', () => {
  it('refuses a client that expects a newer leader', async () => {
    const rig = await start();
    const client = await rig.connect({ expectedEpoch: 8 });
    await expect(client.call('register', registration)).rejects.toMatchObject({ code: 'stale' });
    expect(await client.closed).toMatchObject({ type: 'fenced' });
  });

  it('refuses a TaskManager of another cluster, in both ends', async () => {
    const rig = await start();
    const client = await rig.connect({ clusterId: 'other' });
    await expect(client.call('register', registration)).rejects.toMatchObject({ code: 'stale' });
    expect(await rig.connections[0]!.closed).toMatchObject({ type: 'fenced' });
  });

  it('lets nothing but register pass before registration', async () => {
    let called = 0;
    const rig = await start({
      api: {
        heartbeat: async () => {
          called++;
        },
      },
    });
    const client = await rig.connect();
    await expect(client.call('heartbeat', {} as never)).rejects.toMatchObject({ code: 'stale' });
    expect(called).toBe(0);
  });

  it('refuses a message of an older epoch and ends that connection', async () => {
    let called = 0;
    const rig = await start({
      api: {
        taskChanged: async () => {
          called++;
        },
      },
    });
    const socket = new WebSocket(rig.url, { headers: { authorization: `Bearer ${token}` } });
    await new Promise((resolve) => socket.once('open', resolve));
    const answer = new Promise<Buffer>((resolve) => socket.once('message', resolve));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    const envelope = { clusterId, resourceId: 'taskmanager-0/1', epoch: 6 };
    socket.send(encodeFrame(envelope, { t: 'q', i: '1', m: 'taskChanged', a: [{}] }, 10_000));
    expect(decodeFrame(await answer).message).toMatchObject({ t: 's', e: { code: 'stale' } });
    expect(await closed).toBe(4409);
    expect(called).toBe(0);
  });

  it('refuses a connection that changes its resource id', async () => {
    const rig = await start();
    const socket = new WebSocket(rig.url, { headers: { authorization: `Bearer ${token}` } });
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    for (const resourceId of ['taskmanager-0/1', 'taskmanager-1/1']) {
      const frame = encodeFrame(
        { clusterId, resourceId, epoch: 7 },
        { t: 'q', i: '1', m: 'heartbeat', a: [{}] },
        9999,
      );
      socket.send(frame);
    }
    expect(await closed).toBe(4409);
  });
});

describe('connecting', () => {
  it('needs the token', async () => {
    const rig = await start();
    await expect(rig.connect({ token: 'wrong' })).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(rig.connect({ token: null })).rejects.toMatchObject({ code: 'unauthorized' });
    expect(rig.connections).toHaveLength(0);
  });

  it('needs no token where the cluster has none, but no browser may connect', async () => {
    const rig = await start({ token: null });
    const client = await rig.connect({ token: null });
    expect(await client.call('register', registration)).toEqual(registered(7));
    const socket = new WebSocket(rig.url, { origin: 'http://example.org' });
    const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
    expect(error.message).toContain('403');
  });

  it('says when nobody listens', async () => {
    const rig = await start();
    const url = new URL(rig.url);
    url.port = '1';
    await expect(rig.connect({ url: url.href })).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('can be aborted', async () => {
    const rig = await start();
    const controller = new AbortController();
    const connecting = rig.connect({ signal: controller.signal });
    controller.abort();
    await expect(connecting).rejects.toMatchObject({ code: 'closed' });
  });

  it('answers other paths with 404', async () => {
    const rig = await start();
    await expect(rig.connect({ url: `${rig.url}/other` })).rejects.toThrow(/404/);
  });
});

describe('the end of a connection (P2)', () => {
  it('rejects calls under way at once', async () => {
    const rig = await start({ api: { requestSplit: () => new Promise(() => {}) } });
    const client = await rig.connect();
    await client.call('register', registration);
    const pending = client.call('requestSplit', {} as never);
    rig.connections[0]!.close();
    await expect(pending).rejects.toMatchObject({ code: 'closed' });
    expect(await client.closed).toMatchObject({ type: 'connection-lost' });
    await expect(client.call('heartbeat', {} as never)).rejects.toMatchObject({ code: 'closed' });
  });

  it('does not come because the wall clock is set', async () => {
    const clock = new HostileClock();
    const rig = await start({ clock, heartbeat: { intervalMs: 60_000, timeoutMs: 5000 } });
    const client = await rig.connect();
    await client.call('register', registration);
    clock.step(3_600_000);
    clock.advance(4990);
    await client.call('heartbeat', {} as never);
    clock.step(-7_200_000);
    clock.advance(4990);
    await client.call('heartbeat', {} as never);
    clock.advance(5001);
    expect(await rig.connections[0]!.closed).toMatchObject({ type: 'heartbeat-timeout' });
  });

  it('comes after the heartbeat timeout when the peer is silent', async () => {
    const clock = new ManualClock();
    const rig = await start({ clock, heartbeat: { intervalMs: 1000, timeoutMs: 5000 } });
    // A peer that never answers: it does not even read.
    const socket = new WebSocket(rig.url, { headers: { authorization: `Bearer ${token}` } });
    await new Promise((resolve) => socket.once('open', resolve));
    cleanup.push(() => socket.terminate());
    clock.advance(4999);
    let ended = false;
    void rig.connections[0]!.closed.then(() => (ended = true));
    await Promise.resolve();
    expect(ended).toBe(false);
    clock.advance(1);
    expect(await rig.connections[0]!.closed).toEqual({ type: 'heartbeat-timeout', silentMs: 5000 });
    await expect.poll(() => clock.pending).toBe(0);
  });

  it('is put off by every sign of life', async () => {
    const clock = new ManualClock();
    const rig = await start({ clock, heartbeat: { intervalMs: 60_000, timeoutMs: 5000 } });
    const client = await rig.connect();
    await client.call('register', registration);
    clock.advance(4000);
    await client.call('heartbeat', {} as never);
    clock.advance(4999);
    await client.call('heartbeat', {} as never);
    client.close();
    expect(await rig.connections[0]!.closed).toMatchObject({ type: 'connection-lost' });
  });

  it('beats every interval', async () => {
    const clock = new ManualClock();
    let beats = 0;
    let second!: () => void;
    const twice = new Promise<void>((resolve) => (second = resolve));
    const api = taskManagerApi({
      heartbeat: async () => {
        if (++beats === 2) second();
      },
    });
    const rig = await start({ clock, heartbeat: { intervalMs: 1000, timeoutMs: 60_000 } });
    const client = await rig.connect({ api });
    await client.call('register', registration);
    clock.advance(2000);
    await twice;
    expect(beats).toBe(2);
  });

  it('comes with a frame above the limit', async () => {
    const rig = await start({ maxFrameBytes: 1000 });
    const client = await rig.connect();
    await expect(
      client.call('register', { address: 'x'.repeat(2000) } as never),
    ).rejects.toMatchObject({
      code: 'closed',
    });
    expect(await rig.connections[0]!.closed).toMatchObject({ type: 'protocol-violation' });
  });

  it('comes with anything that is no frame', async () => {
    const rig = await start();
    for (const garbage of ['text', Buffer.from([0xc1]), Buffer.from([0x93, 1, 2, 3])]) {
      const socket = new WebSocket(rig.url, { headers: { authorization: `Bearer ${token}` } });
      await new Promise((resolve) => socket.once('open', resolve));
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.send(garbage);
      await closed;
      expect(await rig.connections.at(-1)!.closed).toMatchObject({ type: 'protocol-violation' });
    }
  });

  it('follows the abort signal', async () => {
    const rig = await start();
    const controller = new AbortController();
    const client = await rig.connect({ signal: controller.signal });
    controller.abort();
    expect(await client.closed).toEqual({ type: 'closed-here' });
  });
});
