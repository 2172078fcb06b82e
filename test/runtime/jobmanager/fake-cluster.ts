/**
 * A JobManager's inside, without REST and `main()`, and fake TaskManagers that speak the real RPC to it.
 * Time passes only when a test says so.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JobGraph } from '../../../src/graph/job-graph.ts';
import type { JsonObject } from '../../../src/contract/json.ts';
import type { Coordinators } from '../../../src/runtime/jobmanager/coordinators.ts';
import { createCoordinators } from '../../../src/runtime/jobmanager/coordinators.ts';
import { Dispatcher } from '../../../src/runtime/jobmanager/dispatcher.ts';
import type { JobMaster } from '../../../src/runtime/jobmanager/job-master.ts';
import { ResourceManager } from '../../../src/runtime/jobmanager/resource-manager.ts';
import { SlotManager } from '../../../src/runtime/jobmanager/slot-manager.ts';
import type { Logger } from '../../../src/runtime/logging/logger.ts';
import { connectJobManager } from '../../../src/runtime/rpc/client.ts';
import type { RpcConnection } from '../../../src/runtime/rpc/connection.ts';
import type {
  ExecutionState,
  JobManagerApi,
  SlotAllocation,
  SlotDeployment,
  SlotTarget,
  TaskChange,
  TaskDeployment,
  TaskManagerApi,
} from '../../../src/runtime/rpc/protocol.ts';
import { createRpcServer } from '../../../src/runtime/rpc/server.ts';
import { ManualClock } from '../rpc/manual-clock.ts';

export const timeouts = { slotRequest: 60_000, cancellation: 20_000, call: 30_000, heartbeat: 1_000_000 };

export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
  close: () => {},
};

const network = { bufferTimeoutMs: 0, bufferSizeBytes: 1024, channelCreditBytes: 1024, maxFrameBytes: 1024 * 1024 };

interface Call {
  readonly method: keyof TaskManagerApi;
  readonly argument: unknown;
}

export class FakeTaskManager {
  readonly id: string;
  readonly calls: Call[] = [];
  /** What the next calls do instead of answering at once. */
  behaviour: Partial<TaskManagerApi> = {};
  connection!: RpcConnection<JobManagerApi>;
  registered!: Awaited<ReturnType<JobManagerApi['register']>>;
  readonly #waiting = new Set<() => void>();

  constructor(id: string) {
    this.id = id;
  }

  readonly api: TaskManagerApi = {
    heartbeat: () => this.#handle('heartbeat', undefined, async () => {}),
    allocateSlot: (request: SlotAllocation) =>
      this.#handle('allocateSlot', request, async () => ({
        allocationId: request.allocationId,
        taskManager: this.id,
        host: '127.0.0.1',
        dataPort: 1000 + request.slotIndex,
      })),
    deployTasks: (deployment: SlotDeployment) => this.#handle('deployTasks', deployment, async () => {}),
    cancelTasks: (target: SlotTarget) => this.#handle('cancelTasks', target, async () => {}),
    freeSlot: (target: SlotTarget) => this.#handle('freeSlot', target, async () => {}),
    dismiss: () => this.#handle('dismiss', undefined, async () => {}),
  };

  async #handle<R>(method: keyof TaskManagerApi, argument: unknown, answer: () => Promise<R>): Promise<R> {
    this.calls.push({ method, argument });
    for (const check of this.#waiting) check();
    const own = this.behaviour[method] as ((argument: unknown) => Promise<R>) | undefined;
    return own ? own(argument) : answer();
  }

  /** How often a method was called. */
  count(method: keyof TaskManagerApi): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  /** Resolves when a method has been called `times` times. */
  called(method: keyof TaskManagerApi, times = 1): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (this.count(method) < times) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }

  get deployments(): readonly SlotDeployment[] {
    return this.calls.filter((c) => c.method === 'deployTasks').map((c) => c.argument as SlotDeployment);
  }

  get tasks(): readonly TaskDeployment[] {
    return this.deployments.flatMap((deployment) => deployment.tasks);
  }

  report(task: TaskDeployment, state: ExecutionState, fields: Partial<TaskChange> = {}): Promise<void> {
    const { jobId, jobAttempt } = this.deployments.find((d) => d.tasks.includes(task))!;
    return this.connection.call('taskChanged', {
      jobId,
      jobAttempt,
      attemptId: task.attemptId,
      state,
      error: null,
      metrics: null,
      committables: null,
      accumulators: null,
      ...fields,
    });
  }

  async run(task: TaskDeployment): Promise<void> {
    await this.report(task, 'INITIALIZING');
    await this.report(task, 'RUNNING');
  }
}

export interface FakeCluster {
  readonly clock: ManualClock;
  readonly dispatcher: Dispatcher;
  readonly resources: ResourceManager;
  taskManager(name: string, slots: number, instance?: string): Promise<FakeTaskManager>;
  submit(graph: JobGraph): Promise<JobMaster>;
  close(): Promise<void>;
}

export interface FakeClusterOptions {
  readonly coordinators?: (made: Coordinators) => Coordinators;
  readonly heartbeatTimeoutMs?: number;
  readonly workingDirectory?: string;
}

const clusterId = 'flights';

export async function startFakeCluster(options: FakeClusterOptions = {}): Promise<FakeCluster> {
  const clock = new ManualClock();
  let id = 0;
  const newId = () => (id++).toString(16).padStart(32, '0');
  const heartbeat = { intervalMs: 1_000_000, timeoutMs: options.heartbeatTimeoutMs ?? timeouts.heartbeat };
  const resources: ResourceManager = new ResourceManager({
    slots: new SlotManager(newId),
    epoch: 3,
    resourceId: 'jobmanager-0/1',
    heartbeat,
    events: () => dispatcher,
    logger: silentLogger,
    clock,
  });
  const dispatcher: Dispatcher = new Dispatcher({
    slots: resources,
    blobs: { find: async () => ({ file: '/bundle', sizeBytes: 1 }) },
    createCoordinators: (graph, context) => {
      const made = createCoordinators(graph, context);
      return options.coordinators?.(made) ?? made;
    },
    workingDirectory: options.workingDirectory ?? '/',
    network,
    slotRequestTimeoutMs: timeouts.slotRequest,
    cancellationTimeoutMs: timeouts.cancellation,
    newId,
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
    resources,
    taskManager: async (name, slots, instance = '1') => {
      const fake = new FakeTaskManager(`${name}/${instance}`);
      fake.connection = await connectJobManager({
        url,
        token: null,
        clusterId,
        resourceId: fake.id,
        expectedEpoch: 3,
        api: fake.api,
        heartbeat: { intervalMs: 1_000_000, timeoutMs: 1_000_000 },
        maxFrameBytes: network.maxFrameBytes,
        signal: new AbortController().signal,
        connectTimeoutMs: 10_000,
      });
      const registration = { protocol: 1, address: '127.0.0.1', slots, cpuCores: 1, memoryBytes: 1, pid: 1 };
      fake.registered = await fake.connection.call('register', registration);
      return fake;
    },
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
