/**
 * Finds the JobManager through the cluster's record, registers, sends heartbeats, and begins again when
 * the connection is lost.
 *
 *     searching ─▶ registered ─▶ searching ─▶ … ─▶ ended
 *
 * J1  Without a JobManager for `registrationTimeoutMs` the session ends: no orphan stays. It ends at once
 *     when no JobManager will come, because the cluster has ended: its current release has an outcome.
 * J2  Slots of a leader that is gone end before another one is asked.
 */
import { DocumentName } from '../../record/documents.ts';
import { readDocument } from '../../record/record.ts';
import type { RecordReader } from '../../record/store.ts';
import type { TaskManagerConfig } from '../../contract/runtime-config.ts';
import { systemClock } from '../../contract/clock.ts';
import { hasEnded } from '../ha/ended.ts';
import { openRecordReader } from '../ha/record.ts';
import type { Logger } from '../logging/logger.ts';
import { pause } from '../../contract/pause.ts';
import { connectJobManager } from '../rpc/client.ts';
import { type RpcConnection, describeReason } from '../rpc/connection.ts';
import type { JobManagerApi } from '../rpc/protocol.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import { httpBlobs } from './bundle-cache.ts';
import type { TaskManager } from './task-manager.ts';

const firstPollMs = 25;
const slowestPollMs = 1000;
const connectTimeoutMs = 5000;
const maxRpcFrameBytes = 64 * 1024 * 1024;

export interface LeaderSessionOptions {
  readonly config: TaskManagerConfig;
  readonly resourceId: string;
  readonly token: string | null;
  readonly taskManager: TaskManager;
  readonly logger: Logger;
  /** Ends the session. */
  readonly signal: AbortSignal;
  /** Ends it once it has no JobManager. */
  readonly leave: AbortSignal;
}

/** How a session ended: `cluster-ended` and `no-jobmanager` as J1 says, `told-to` by one of its signals. */
export type SessionEnd = 'cluster-ended' | 'no-jobmanager' | 'told-to';

/** Resolves when it has ended; the log says why. */
export async function runLeaderSession(options: LeaderSessionOptions): Promise<SessionEnd> {
  const { config, leave, logger, signal, token } = options;
  const record = openRecordReader(config.record, token);
  let lastSeen = performance.now();
  let pollMs = firstPollMs;
  let lastProblem = '';
  const ending = AbortSignal.any([signal, leave]);
  while (!ending.aborted) {
    const connection = await tryRegister(options, record).catch((error: Error) => {
      if (error.message !== lastProblem) logger.info(`no JobManager yet: ${error.message}`);
      lastProblem = error.message;
      return null;
    });
    if (connection !== null) {
      const why = describeReason(await connection.closed);
      if (signal.aborted) break;
      logger.warn(`lost the JobManager: ${why}`);
      await options.taskManager.abandonLeader(); // J2
      lastSeen = performance.now();
      pollMs = firstPollMs;
      lastProblem = '';
    } else if (await hasEnded(record)) {
      logger.info('TaskManager ends: the cluster has ended, there is an outcome of its release'); // J1
      return 'cluster-ended';
    } else if (performance.now() - lastSeen >= config.registrationTimeoutMs) {
      logger.error(
        `found no JobManager for ${config.registrationTimeoutMs} ms, ending: ${lastProblem}`,
      );
      return 'no-jobmanager'; // J1
    }
    await pause(systemClock, pollMs, ending);
    pollMs = Math.min(pollMs * 1.3, slowestPollMs);
  }
  return 'told-to';
}

/** @returns the connection once registered; `null` when there is no endpoint. Rejects when it does not answer. */
async function tryRegister(
  options: LeaderSessionOptions,
  record: RecordReader,
): Promise<RpcConnection<JobManagerApi> | null> {
  const { config, resourceId, token, taskManager, logger, signal } = options;
  const { value } = await readDocument(record, DocumentName.endpoint);
  if (value === null) throw new Error('none has published its endpoint');
  const connection = await connectJobManager({
    url: value.rpc,
    token,
    clusterId: config.clusterId,
    resourceId,
    expectedEpoch: value.epoch,
    api: taskManager,
    heartbeat: config.heartbeat,
    maxFrameBytes: maxRpcFrameBytes,
    signal,
    connectTimeoutMs,
  });
  try {
    const address = config.advertise ?? connection.localAddress;
    taskManager.follow({
      call: (method, ...args) => connection.call(method, ...(args as never)) as never,
      address,
      fetchBlob: httpBlobs(value.rest, token),
      part: (why) => connection.close(why),
    });
    const { epoch, freeAllocations, heartbeat } = await connection.call(
      'register',
      taskManager.registration(address),
    );
    await taskManager.endAll(freeAllocations);
    logger.info('registered', { jobmanager: value.rpc, epoch, address });
    sendHeartbeats(connection, taskManager, heartbeat.intervalMs, logger);
    return connection;
  } catch (error) {
    connection.close();
    await taskManager.abandonLeader();
    throw error;
  }
}

function sendHeartbeats(
  connection: RpcConnection<JobManagerApi>,
  taskManager: TaskManager,
  intervalMs: number,
  logger: Logger,
): void {
  const timer = setInterval(() => {
    const report = taskManager.report();
    connection.call('heartbeat', report).catch((error: unknown) => {
      // Any other heartbeat that fails shows as silence, or closes the connection.
      if (!(error instanceof RpcError && error.code === 'too-large')) return;
      logger.warn(
        `accumulators and metrics of the application are not shown before their tasks end: ${error.message}`,
      );
      connection
        .call('heartbeat', { ...report, accumulators: {}, userMetrics: {} })
        .catch(() => {});
    });
  }, intervalMs);
  void connection.closed.then(() => clearInterval(timer));
}
