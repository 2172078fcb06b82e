/**
 * The JobManager's end of the RPC: takes the WebSockets of the TaskManagers at `RPC_PATH` of its http
 * server.
 *
 * P1  Epoch 0 may only `register`; everything else must be of this leader's epoch.
 * S1  The token is checked before anything is upgraded. A request with an `Origin` comes from a browser
 *     and is refused, also when the cluster needs no token.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type HeartbeatConfig, RPC_PATH, TOKEN_HEADER } from '../../contract/runtime-config.ts';
import { type Clock, systemClock } from '../../contract/clock.ts';
import { createConnection, type RpcConnection } from './connection.ts';
import type { Frame } from './frame.ts';
import { DEFAULT_CALL_TIMEOUT_MS, jobManagerMethods } from './methods.ts';
import type { Envelope, JobManagerApi, TaskManagerApi } from './protocol.ts';

export interface RpcServerOptions {
  readonly server: Server;
  /** `null`: the cluster needs none. */
  readonly token: string | null;
  /** Of this JobManager. */
  readonly envelope: Envelope;
  readonly heartbeat: HeartbeatConfig;
  readonly maxFrameBytes: number;
  /** Called for each TaskManager that connects. @returns what it may call. */
  readonly connected: (connection: RpcConnection<TaskManagerApi>) => JobManagerApi;
  /** Default: 30 s. */
  readonly callTimeoutMs?: number;
  readonly clock?: Clock;
}

export interface RpcServer {
  /** Closes all connections at once; the http server stays. */
  close(): void;
}

export function createRpcServer(options: RpcServerOptions): RpcServer {
  const { server, maxFrameBytes } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
  });
  const connections = new Set<RpcConnection<TaskManagerApi>>();
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const status = judge(request, options.token);
    if (status !== null) return refuseUpgrade(socket, status);
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = accept(webSocket, request, options);
      connections.add(connection);
      void connection.closed.then(() => connections.delete(connection));
    });
  };
  server.on('upgrade', onUpgrade);
  return {
    close: () => {
      server.off('upgrade', onUpgrade);
      server.on('upgrade', (_request, socket) => refuseUpgrade(socket, '503 Service Unavailable'));
      for (const connection of connections) connection.close();
    },
  };
}

function accept(
  socket: WebSocket,
  { socket: tcp }: IncomingMessage,
  options: RpcServerOptions,
): RpcConnection<TaskManagerApi> {
  const { envelope, clock = systemClock } = options;
  // The API is made with the connection that it answers to.
  const api = {} as JobManagerApi;
  const connection: RpcConnection<TaskManagerApi> = createConnection<TaskManagerApi, JobManagerApi>(
    {
      socket,
      addresses: { local: tcp.localAddress ?? '', remote: tcp.remoteAddress ?? '' },
      clock,
      envelope: () => envelope,
      refuse: (frame) => refuse(frame, envelope),
      api,
      methods: jobManagerMethods,
      callTimeoutMs: options.callTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS,
      unlimited: [],
      maxFrameBytes: options.maxFrameBytes,
      heartbeat: { ...options.heartbeat, beat: () => connection.call('heartbeat') },
    },
  );
  Object.assign(api, options.connected(connection));
  return connection;
}

/** P1 */
function refuse({ envelope, message }: Frame, own: Envelope): string | null {
  if (envelope.clusterId !== own.clusterId) {
    return `this is the JobManager of cluster ${own.clusterId}, not of ${envelope.clusterId}`;
  }
  const registers = message.t === 'q' && message.m === 'register';
  if (envelope.epoch === own.epoch || (envelope.epoch === 0 && registers)) return null;
  return `the JobManager's epoch is ${own.epoch}, the message is of ${envelope.epoch}`;
}

/** S1. `null`: welcome. */
function judge(request: IncomingMessage, token: string | null): string | null {
  const path = (request.url ?? '').split('?', 1)[0];
  if (path !== RPC_PATH) return '404 Not Found';
  if (request.headers.origin !== undefined) return '403 Forbidden';
  const given = request.headers[TOKEN_HEADER];
  return token === null || sameText(String(given), `Bearer ${token}`) ? null : '401 Unauthorized';
}

/** In a time that does not tell how much of it is right. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
