/** A TaskManager that speaks the real RPC and runs nothing: it answers and reports what a test tells it to. */
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
import { noFigures } from '../metrics/no-figures.ts';

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
    deployTasks: (deployment: SlotDeployment) =>
      this.#handle('deployTasks', deployment, async () => {}),
    cancelTasks: (target: SlotTarget) => this.#handle('cancelTasks', target, async () => {}),
    freeSlot: (target: SlotTarget) => this.#handle('freeSlot', target, async () => {}),
    listLogs: () => this.#handle('listLogs', undefined, async () => []),
    readLog: (range) => this.#handle('readLog', range, async () => null),
    threadDump: () => this.#handle('threadDump', undefined, async () => []),
    dismiss: () => this.#handle('dismiss', undefined, async () => {}),
  };

  async #handle<R>(
    method: keyof TaskManagerApi,
    argument: unknown,
    answer: () => Promise<R>,
  ): Promise<R> {
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

  /** Resolves when the JobManager has got every answer that was given before. */
  async answered(): Promise<void> {
    await this.connection.call('heartbeat', {
      tasks: {},
      accumulators: {},
      process: noFigures,
    });
  }

  get deployments(): readonly SlotDeployment[] {
    return this.calls
      .filter((c) => c.method === 'deployTasks')
      .map((c) => c.argument as SlotDeployment);
  }

  get tasks(): readonly TaskDeployment[] {
    return this.deployments.flatMap((deployment) => deployment.tasks);
  }

  report(
    task: TaskDeployment,
    state: ExecutionState,
    fields: Partial<TaskChange> = {},
  ): Promise<void> {
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

export interface FakeTaskManagerOptions {
  readonly url: string;
  readonly token: string | null;
  readonly clusterId: string;
  readonly epoch: number;
  /** `taskmanager-0/1` */
  readonly id: string;
  readonly slots: number;
  readonly behaviour?: (self: FakeTaskManager) => Partial<TaskManagerApi>;
}

/** Connects and registers. */
export async function connectFakeTaskManager(
  options: FakeTaskManagerOptions,
): Promise<FakeTaskManager> {
  const { clusterId, epoch, id, slots, token, url } = options;
  const fake = new FakeTaskManager(id);
  fake.behaviour = options.behaviour?.(fake) ?? {};
  fake.connection = await connectJobManager({
    url,
    token,
    clusterId,
    resourceId: id,
    expectedEpoch: epoch,
    api: fake.api,
    heartbeat: { intervalMs: 1_000_000, timeoutMs: 1_000_000 },
    maxFrameBytes: 1024 * 1024,
    signal: new AbortController().signal,
    connectTimeoutMs: 10_000,
  });
  const registration = {
    protocol: 1,
    address: '127.0.0.1',
    slots,
    cpuCores: 1,
    memoryBytes: 1,
    pid: 1,
  };
  fake.registered = await fake.connection.call('register', registration);
  return fake;
}

/** Behaviour of a TaskManager whose tasks finish as soon as they are deployed. */
export function finishing(self: FakeTaskManager): Partial<TaskManagerApi> {
  return {
    deployTasks: async ({ tasks }) => {
      void (async () => {
        for (const task of tasks) {
          await self.run(task);
          await self.report(task, 'FINISHED');
        }
      })();
    },
  };
}

/** Behaviour of a TaskManager whose tasks run until they are cancelled. */
export function obedient(self: FakeTaskManager): Partial<TaskManagerApi> {
  let started = Promise.resolve();
  return {
    deployTasks: async ({ tasks }) => {
      started = (async () => {
        for (const task of tasks) await self.run(task);
      })();
    },
    cancelTasks: async () => {
      void started.then(async () => {
        for (const task of self.tasks) await self.report(task, 'CANCELED');
      });
    },
  };
}
