/**
 * A JobManager's inside, without REST and `main()`, and fake TaskManagers that speak the real RPC to it.
 * Time passes only when a test says so.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../../src/contract/json.ts';
import type { JobGraph } from '../../../src/graph/job-graph.ts';
import {
  type Coordinators,
  createCoordinators,
} from '../../../src/runtime/jobmanager/scheduler/coordinators.ts';
import type {
  LoadBalanceMode,
  RestartConfig,
  StorageConfig,
} from '../../../src/contract/runtime-config.ts';
import { Dispatcher } from '../../../src/runtime/jobmanager/dispatcher/dispatcher.ts';
import type { JobMaster } from '../../../src/runtime/jobmanager/scheduler/job-master.ts';
import type { Journal } from '../../../src/runtime/jobmanager/dispatcher/journal.ts';
import type { EndedJobsOptions } from '../../../src/runtime/jobmanager/dispatcher/ended-jobs.ts';
import { ResourceManager } from '../../../src/runtime/jobmanager/resources/resource-manager.ts';
import { SlotManager } from '../../../src/runtime/jobmanager/resources/slot-manager.ts';
import { createRpcServer } from '../../../src/runtime/rpc/server.ts';
import type { MemoryRecord } from '../ha/memory-record.ts';
import { ManualClock } from '../rpc/manual-clock.ts';
import { connectFakeTaskManager, type FakeTaskManager } from './fake-task-manager.ts';
import { memoryJournal } from './dispatcher/memory-journal.ts';
import { silentLogger } from './silent-logger.ts';
import { Redactor } from '../../../src/contract/secrets.ts';

export const timeouts = {
  slotRequest: 60_000,
  cancellation: 20_000,
  call: 30_000,
  heartbeat: 1_000_000,
};

const network = {
  bufferTimeoutMs: 0,
  bufferSizeBytes: 1024,
  channelCreditBytes: 1024,
  maxFrameBytes: 1024 * 1024,
};

export interface FakeCluster {
  readonly clock: ManualClock;
  readonly dispatcher: Dispatcher;
  readonly journal: Journal;
  readonly resources: ResourceManager;
  taskManager(name: string, slots: number, instance?: string): Promise<FakeTaskManager>;
  submit(graph: JobGraph): Promise<JobMaster>;
  close(): Promise<void>;
}

export interface FakeClusterOptions {
  readonly coordinators?: (made: Coordinators) => Coordinators;
  readonly heartbeatTimeoutMs?: number;
  readonly workingDirectory?: string;
  readonly loadBalanceMode?: LoadBalanceMode;
  readonly restart?: RestartConfig;
  readonly record?: MemoryRecord;
  readonly checkLeadership?: () => Promise<void>;
  readonly remember?: EndedJobsOptions;
  readonly maxConcurrentRestarts?: number;
  readonly storage?: StorageConfig;
}

const clusterId = 'flights';

export async function startFakeCluster(options: FakeClusterOptions = {}): Promise<FakeCluster> {
  const clock = new ManualClock();
  let id = 0;
  const newId = () => (id++).toString(16).padStart(32, '0');
  const journal = memoryJournal(3, clock, options.record);
  const heartbeat = {
    intervalMs: 1_000_000,
    timeoutMs: options.heartbeatTimeoutMs ?? timeouts.heartbeat,
  };
  const resources: ResourceManager = new ResourceManager({
    slots: new SlotManager(newId, options.loadBalanceMode ?? 'none'),
    epoch: 3,
    resourceId: 'jobmanager-0/1',
    heartbeat,
    events: () => dispatcher,
    logger: silentLogger,
    clock,
  });
  const dispatcher: Dispatcher = new Dispatcher({
    journal,
    slots: resources,
    blobs: { find: async () => ({ file: '/bundle', sizeBytes: 1 }) },
    createCoordinators: (graph, context) => {
      const made = createCoordinators(graph, context);
      return options.coordinators?.(made) ?? made;
    },
    checkLeadership: options.checkLeadership ?? (async () => {}),
    ...(options.remember && { remember: options.remember }),
    workingDirectory: options.workingDirectory ?? '/',
    network,
    storage: options.storage ?? { scope: 'common', shared: [] },
    slotRequestTimeoutMs: timeouts.slotRequest,
    cancellationTimeoutMs: timeouts.cancellation,
    restart: options.restart ?? { strategy: 'none' },
    maxConcurrentRestarts: options.maxConcurrentRestarts ?? 10,
    random: () => 0.5,
    newId,
    redactor: new Redactor(),
    logger: silentLogger,
    clock,
  });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const rpc = createRpcServer({
    server,
    token: null,
    envelope: { clusterId, resourceId: 'jobmanager-0/1', epoch: 3 },
    heartbeat,
    maxFrameBytes: network.maxFrameBytes,
    connected: (connection) => resources.connected(connection),
    callTimeoutMs: timeouts.call,
    clock,
  });
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/fctl/v1/rpc`;
  return {
    clock,
    dispatcher,
    journal,
    resources,
    taskManager: (name, slots, instance = '1') =>
      connectFakeTaskManager({
        url,
        token: null,
        clusterId,
        epoch: 3,
        id: `${name}/${instance}`,
        slots,
      }),
    submit: async (graph) => {
      const jobId = newId();
      const result = await dispatcher.submit({ jobId, graph: graph as unknown as JsonObject });
      if (result.type === 'refused') throw new Error(result.message);
      return dispatcher.job(jobId)!;
    },
    close: async () => {
      rpc.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
