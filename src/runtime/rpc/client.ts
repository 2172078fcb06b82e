/**
 * The TaskManager's end of the RPC: dials the JobManager.
 *
 * P1  Before registration it sends epoch 0. The first message of the JobManager binds the connection to
 *     that leader's epoch, unless it is older than the one that was expected.
 */
import { WebSocket } from 'ws';
import { type HeartbeatConfig, TOKEN_HEADER } from '../../contract/runtime-config.ts';
import { type Clock, systemClock } from '../../contract/clock.ts';
import { createConnection, type RpcConnection } from './connection.ts';
import { DEFAULT_CALL_TIMEOUT_MS, taskManagerMethods } from './methods.ts';
import type { Frame } from './frame.ts';
import type { JobManagerApi, TaskManagerApi } from './protocol.ts';
import { RpcError } from './rpc-error.ts';

export interface JobManagerClientOptions {
  /** `EndpointDocument.rpc` */
  readonly url: string;
  /** `null`: the cluster needs none. */
  readonly token: string | null;
  readonly clusterId: string;
  /** `Envelope.resourceId` of this process. */
  readonly resourceId: string;
  /** `EndpointDocument.epoch`: an older leader is refused. */
  readonly expectedEpoch: number;
  /** What the JobManager may call. */
  readonly api: TaskManagerApi;
  /** Silence longer than `timeoutMs` closes the connection. */
  readonly heartbeat: HeartbeatConfig;
  readonly maxFrameBytes: number;
  /** Aborting closes the connection, or ends the attempt to connect. */
  readonly signal: AbortSignal;
  /** How long connecting may take. */
  readonly connectTimeoutMs: number;
  /** Default: 30 s. `requestSplit` waits as long as it takes. */
  readonly callTimeoutMs?: number;
  readonly clock?: Clock;
}

/**
 * Connects. The caller then calls `register`, and sends `heartbeat` every `intervalMs`.
 * @throws RpcError `unreachable`, `unauthorized`, `closed` (aborted).
 */
export async function connectJobManager(
  options: JobManagerClientOptions,
): Promise<RpcConnection<JobManagerApi>> {
  const { clusterId, resourceId, clock = systemClock, signal } = options;
  const socket = await dial(options);
  const { localAddress = '', remoteAddress = '' } = addressesOf(socket);
  let epoch = 0;
  const connection = createConnection<JobManagerApi, TaskManagerApi>({
    socket,
    addresses: { local: localAddress, remote: remoteAddress },
    clock,
    envelope: () => ({ clusterId, resourceId, epoch }),
    refuse: (frame) => {
      const refusal = refuse(frame, options, epoch);
      if (refusal === null) epoch = frame.envelope.epoch; // P1
      return refusal;
    },
    api: options.api,
    methods: taskManagerMethods,
    callTimeoutMs: options.callTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS,
    unlimited: ['requestSplit'],
    maxFrameBytes: options.maxFrameBytes,
    heartbeat: { ...options.heartbeat, beat: null },
  });
  const abort = () => connection.close();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) connection.close();
  socket.resume();
  void connection.closed.then(() => signal.removeEventListener('abort', abort));
  return connection;
}

function refuse(
  { envelope }: Frame,
  options: JobManagerClientOptions,
  epoch: number,
): string | null {
  if (envelope.clusterId !== options.clusterId) {
    return `this is a TaskManager of cluster ${options.clusterId}, not of ${envelope.clusterId}`;
  }
  if (epoch === 0 && envelope.epoch < options.expectedEpoch) {
    return `the JobManager's epoch ${envelope.epoch} is older than ${options.expectedEpoch}`;
  }
  if (epoch !== 0 && envelope.epoch !== epoch) {
    return `registered at a JobManager of epoch ${epoch}, the message is of ${envelope.epoch}`;
  }
  return null;
}

const addressesOf = (socket: WebSocket) =>
  (socket as unknown as { _socket: { localAddress?: string; remoteAddress?: string } })._socket;

function dial(options: JobManagerClientOptions): Promise<WebSocket> {
  const { url, token, signal, maxFrameBytes, connectTimeoutMs } = options;
  if (signal.aborted) return Promise.reject(new RpcError('closed', 'connecting was aborted'));
  const socket = new WebSocket(url, {
    headers: token === null ? {} : { [TOKEN_HEADER]: `Bearer ${token}` },
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
    handshakeTimeout: connectTimeoutMs,
    followRedirects: false,
  });
  return new Promise((resolve, reject) => {
    const settle = (error: RpcError | null) => {
      signal.removeEventListener('abort', aborted);
      socket.removeListener('error', failed);
      if (error === null) return resolve(socket);
      socket.on('error', () => {}); // of ending it below
      socket.terminate();
      reject(error);
    };
    const aborted = () => settle(new RpcError('closed', 'connecting was aborted'));
    const failed = (error: Error) =>
      settle(
        new RpcError('unreachable', `the JobManager at ${url} does not answer: ${error.message}`, {
          cause: error,
        }),
      );
    signal.addEventListener('abort', aborted, { once: true });
    socket.once('open', () => {
      socket.pause(); // until the connection listens
      settle(null);
    });
    socket.once('error', failed);
    socket.once('unexpected-response', (_request, response) => {
      const { statusCode } = response;
      settle(
        statusCode === 401
          ? new RpcError('unauthorized', `the JobManager at ${url} refuses the token`)
          : new RpcError('unreachable', `${url} answers ${statusCode}: no JobManager`),
      );
    });
  });
}
