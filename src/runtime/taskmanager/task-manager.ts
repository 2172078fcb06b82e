/**
 * The slots of a TaskManager, and what the JobManager may do with them.
 *
 * T1  Slots belong to the leader that allocated them: when its connection is gone, they end.
 * T2  What slots say goes to the leader in order. A report that cannot be delivered is dropped when the
 *     leader is gone, whose successor begins anew, or does not know the task any more. The end of a task
 *     that is too large for a message is a failure of that task.
 * T3  A task that was told to cancel and does not within the timeout costs its slot.
 *
 * Over the usual length: it is all of `TaskManagerApi`, whose methods share the table of slots.
 */
import { availableParallelism } from 'node:os';
import type { UserMetric } from '../../contract/metrics/user-metrics.ts';
import type { TaskMetrics } from '../../contract/metrics/task-metrics.ts';
import { systemClock } from '../../contract/clock.ts';
import { createFailure, shortFailure } from '../../contract/failure.ts';
import type { FailureInfo } from '../../contract/outcome.ts';
import { PROTOCOL_VERSION } from '../../record/documents.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { TaskManagerConfig } from '../../contract/runtime-config.ts';
import type { Redactor } from '../../contract/secrets.ts';
import { listLogFiles, readLogFile } from '../logging/log-files.ts';
import type { Logger, Output } from '../logging/logger.ts';
import { measuredTaskManager, measuredTasks } from '../metrics/measured-tasks.ts';
import { ProcessMeter } from '../metrics/process-meter.ts';
import { MetricsWindow } from '../metrics/recent-metrics.ts';
import type { Measured } from '../metrics/samples.ts';
import { mainThread, threadInfo } from '../metrics/thread-dump.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import {
  ExecutionState,
  type JobManagerApi,
  type LogFileInfo,
  type LogRange,
  type SlotAllocation,
  type SlotDeployment,
  type SlotLocation,
  type SlotTarget,
  type TaskChange,
  type TaskManagerApi,
  type TaskManagerRegistration,
  type TaskManagerReport,
  type ThreadInfo,
} from '../rpc/protocol.ts';
import type { BundleCache, BundleLease, FetchBlob } from './bundle-cache.ts';
import { MEMORY_POLL_MS, MemoryRounds, slotMemoryBytes } from './memory-guard.ts';
import { Slot } from './slot.ts';
import type { FromSlot } from './slot-messages.ts';

/** The leader, as long as it is connected. */
export interface Leader {
  readonly call: <M extends keyof JobManagerApi>(
    method: M,
    ...args: Parameters<JobManagerApi[M]>
  ) => Promise<Awaited<ReturnType<JobManagerApi[M]>>>;
  /** Address under which other TaskManagers reach this one. */
  readonly address: string;
  readonly fetchBlob: FetchBlob;
  /** Parts with it and says why: its jobs are told so. */
  readonly part: (why: string) => void;
}

export interface TaskManagerOptions {
  readonly config: TaskManagerConfig;
  /** `Envelope.resourceId` */
  readonly resourceId: string;
  readonly token: string | null;
  readonly slotScript: URL;
  readonly bundles: BundleCache;
  /** Cached files of jobs. */
  readonly files: BundleCache;
  /** Learns the secrets of jobs. */
  readonly redactor: Redactor;
  readonly logger: Logger;
  readonly output: Output;
  readonly dismissed: () => void;
  /** A slot cannot be ended, so the process must. */
  readonly unstoppable: (why: string) => void;
}

interface Entry {
  readonly slot: Slot;
  readonly location: Promise<SlotLocation>;
  /** Attempt ids of tasks that have not ended. */
  readonly liveTasks: Set<string>;
  readonly bundle: BundleLease;
  /** Of the deployment, by name. */
  files: ReadonlyMap<string, BundleLease>;
  deployment: SlotDeployment | null;
  cancelTimer: NodeJS.Timeout | null;
  metrics: Readonly<Record<string, TaskMetrics>>;
  /** For rates, by attempt id; kept where there are reporters. */
  readonly windows: Map<string, MetricsWindow>;
  userMetrics: Readonly<Record<string, readonly UserMetric[]>>;
  accumulators: Readonly<Record<string, Readonly<Record<string, JsonValue>>>>;
}

export class TaskManager implements TaskManagerApi {
  private readonly options: TaskManagerOptions;
  private readonly meter = new ProcessMeter();
  /** By allocation id. */
  private readonly entries = new Map<string, Entry>();
  /** Slots whose threads are not gone, among them those that were freed. */
  private readonly threads = new Set<Slot>();
  private leader: Leader | null = null;
  private readonly memoryRounds: MemoryRounds;
  private memoryTimer: NodeJS.Timeout | null = null;

  constructor(options: TaskManagerOptions) {
    this.options = options;
    const { memoryBytes, slots } = options.config;
    this.memoryRounds = new MemoryRounds(slotMemoryBytes(memoryBytes, slots));
  }

  /** From now on slots are allocated by, and report to, this leader. */
  follow(leader: Leader): void {
    this.leader = leader;
  }

  /** T1. Resolves when all slots are gone. */
  async abandonLeader(): Promise<void> {
    this.leader = null;
    await this.endAll([...this.entries.keys()]);
  }

  /** Whether threads of slots are left: an ordinary exit of the process would wait for them. */
  get hasThreads(): boolean {
    return this.threads.size > 0;
  }

  registration(address: string): TaskManagerRegistration {
    const { memoryBytes, slots } = this.options.config;
    return {
      protocol: PROTOCOL_VERSION,
      address,
      slots,
      cpuCores: availableParallelism(),
      memoryBytes,
      pid: process.pid,
    };
  }

  report(): TaskManagerReport {
    const tasks: Record<string, TaskMetrics> = {};
    const userMetrics: Record<string, readonly UserMetric[]> = {};
    const accumulators: Record<string, Readonly<Record<string, JsonValue>>> = {};
    for (const entry of this.entries.values()) {
      Object.assign(tasks, entry.metrics);
      Object.assign(accumulators, entry.accumulators);
      Object.assign(userMetrics, entry.userMetrics);
    }
    return { tasks, accumulators, userMetrics, process: this.meter.measure() };
  }

  /** For reporters: this process, and each task that runs and has reported. */
  measured(): Measured[] {
    const { resourceId } = this.options;
    const tasks = Array.from(this.entries.values()).flatMap(
      ({ deployment, metrics, slot, userMetrics, windows }) =>
        deployment === null
          ? []
          : measuredTasks({
              deployment,
              metrics,
              userMetrics,
              windows,
              jobName: slot.allocation.jobName,
            }),
    );
    const { memoryBytes } = this.options.config;
    const figures = { ...this.meter.measure(), heapLimitBytes: memoryBytes };
    return measuredTaskManager(resourceId, figures, tasks);
  }

  private keepForRates({ metrics, windows }: Entry): void {
    if ((this.options.config.reporters ?? []).length === 0) return;
    const now = systemClock.now();
    for (const [attemptId, reported] of Object.entries(metrics)) {
      const known = windows.get(attemptId);
      const window = known ?? new MetricsWindow(now);
      if (known === undefined) windows.set(attemptId, window);
      window.add(reported, now);
    }
  }

  async endAll(allocationIds: readonly string[]): Promise<void> {
    await Promise.all(allocationIds.map((allocationId) => this.endSlot(allocationId)));
  }

  async heartbeat(): Promise<void> {}

  async allocateSlot(request: SlotAllocation): Promise<SlotLocation> {
    const existing = this.entries.get(request.allocationId);
    if (existing !== undefined) return existing.location;
    const leader = this.requireLeader();
    const taken = [...this.entries.values()].find(
      ({ slot }) => slot.allocation.slotIndex === request.slotIndex,
    );
    if (taken !== undefined) throw new RpcError('failed', `slot ${request.slotIndex} is in use`);
    const entry = this.makeEntry(request, leader);
    this.entries.set(request.allocationId, entry);
    this.memoryTimer ??= setInterval(() => this.checkMemory(), MEMORY_POLL_MS);
    this.options.logger.info('slot allocated', {
      ...slotFields(request),
      bundle: request.bundleHash,
    });
    try {
      return await entry.location;
    } catch (error) {
      await this.endSlot(request.allocationId);
      throw error;
    }
  }

  async deployTasks(deployment: SlotDeployment): Promise<void> {
    const entry = this.entries.get(deployment.allocationId);
    if (entry === undefined)
      throw new RpcError('failed', `slot ${deployment.allocationId} is not allocated here`);
    if (deployment.jobAttempt !== entry.slot.allocation.jobAttempt) {
      throw new RpcError(
        'stale',
        `the slot is of attempt ${entry.slot.allocation.jobAttempt}, not ${deployment.jobAttempt}`,
      );
    }
    if (entry.deployment !== null) return;
    this.options.redactor.add(deployment.secrets);
    entry.deployment = deployment;
    for (const task of deployment.tasks) entry.liveTasks.add(task.attemptId);
    entry.files = this.acquireFiles(deployment);
    Promise.all([entry.bundle.file, arrived(entry.files)]).then(
      ([bundleFile, cachedFiles]) =>
        entry.slot.send({ type: 'deploy', deployment, bundleFile, cachedFiles }),
      (error: Error) =>
        entry.slot.send({ type: 'undeployable', deployment, message: error.message }),
    );
  }

  private acquireFiles({ graph }: SlotDeployment): ReadonlyMap<string, BundleLease> {
    const { fetchBlob } = this.requireLeader();
    const cached = Object.entries(graph.cachedFiles ?? {});
    return new Map(
      cached.map(([name, { hash }]) => [name, this.options.files.acquire(hash, fetchBlob)]),
    );
  }

  async cancelTasks({ allocationId }: SlotTarget): Promise<void> {
    const entry = this.entries.get(allocationId);
    if (entry === undefined || entry.cancelTimer !== null) return;
    entry.slot.send({ type: 'cancel' });
    const { cancellationTimeoutMs } = entry.deployment ?? this.options.config;
    entry.cancelTimer = setTimeout(() => {
      if (entry.liveTasks.size === 0) return;
      entry.slot.lose(
        createFailure(
          `${entry.slot.name} did not react within ${cancellationTimeoutMs} ms to being cancelled: ` +
            'user code spins, or waits in native code',
        ),
      ); // T3
    }, cancellationTimeoutMs);
  }

  async freeSlot({ allocationId }: SlotTarget): Promise<void> {
    await this.endSlot(allocationId);
  }

  async listLogs(): Promise<readonly LogFileInfo[]> {
    return listLogFiles(this.options.config.logging.directory);
  }

  async readLog(range: LogRange): Promise<Uint8Array | null> {
    return readLogFile(this.options.config.logging.directory, range);
  }

  async threadDump(): Promise<readonly ThreadInfo[]> {
    const slots = Array.from(this.entries.values(), (entry) => {
      const { jobAttempt, jobId, slotIndex } = entry.slot.allocation;
      const job = `${entry.slot.name} (${jobId}), attempt ${jobAttempt}`;
      const tasks = liveTaskNames(entry);
      const lines = tasks === null ? [`of ${job}: no task runs`] : [`of ${job}`, `runs ${tasks}`];
      return threadInfo(`slot-${slotIndex}`, slotIndex + 1, lines);
    });
    return [mainThread(), ...slots];
  }

  async dismiss(): Promise<void> {
    this.options.dismissed();
  }

  private makeEntry(request: SlotAllocation, leader: Leader): Entry {
    const { bundles, config, output, resourceId, slotScript, token } = this.options;
    const { allocationId, jobAttempt, jobId, slotIndex } = request;
    const bundle = bundles.acquire(request.bundleHash, leader.fetchBlob);
    bundle.file.catch(() => {});
    const slot = new Slot({
      allocation: request,
      script: slotScript,
      memoryBytes: slotMemoryBytes(config.memoryBytes, config.slots),
      start: {
        allocationId,
        jobId,
        jobAttempt,
        epoch: request.epoch,
        clusterId: config.clusterId,
        token,
        taskManager: resourceId,
        name: `slot ${slotIndex} of ${config.resourceId}`,
        bind: config.bind,
        network: config.network,
        workingDirectory: request.workingDirectory,
        reportIntervalMs: config.heartbeat.intervalMs,
      },
      received: (message) => this.received(entry, message),
      stdout: (chunk) => output.write(chunk),
      lost: (error) => this.slotLost(entry, error),
      unstoppable: (why) => this.unstoppable(why),
    });
    this.threads.add(slot);
    void slot.gone.then(() => this.threads.delete(slot));
    const host = config.advertise ?? leader.address;
    const location = slot.listening.then((dataPort) => ({
      allocationId,
      taskManager: resourceId,
      host,
      dataPort,
    }));
    location.catch(() => {});
    const entry: Entry = {
      slot,
      location,
      bundle,
      files: new Map(),
      liveTasks: new Set(),
      deployment: null,
      cancelTimer: null,
      metrics: {},
      windows: new Map(),
      userMetrics: {},
      accumulators: {},
    };
    return entry;
  }

  private received(
    entry: Entry,
    message: Exclude<FromSlot, { type: 'listening' | 'garbage-collected' | 'crashed' }>,
  ): void {
    switch (message.type) {
      case 'changed': {
        const { change } = message;
        if (change.metrics !== null) {
          entry.liveTasks.delete(change.attemptId);
          entry.metrics = without(entry.metrics, change.attemptId);
          entry.windows.delete(change.attemptId);
          entry.userMetrics = without(entry.userMetrics, change.attemptId);
          entry.accumulators = without(entry.accumulators, change.attemptId);
        }
        this.options.logger[change.state === ExecutionState.failed ? 'warn' : 'debug'](
          'task changed',
          { ...change },
        );
        return this.tell('taskChanged', change);
      }
      case 'request-split':
        return this.requestSplit(entry.slot, message);
      case 'connect':
        return this.connect(entry.slot, message);
      case 'report':
        entry.metrics = message.tasks;
        entry.userMetrics = message.userMetrics;
        this.keepForRates(entry);
        entry.accumulators = message.accumulators;
        return;
      case 'warn':
        return this.options.logger.warn(message.message, slotFields(entry.slot.allocation));
    }
  }

  private requestSplit(
    slot: Slot,
    { request, split }: Extract<FromSlot, { type: 'request-split' }>,
  ): void {
    const { leader } = this;
    if (leader === null) return; // T1: the slot is about to end.
    leader.call('requestSplit', split).then(
      (answer) => slot.send({ type: 'split', request, split: answer }),
      (error: Error) => slot.send({ type: 'split-failed', request, message: error.message }),
    );
  }

  /** Connects two slots of the same job attempt. A port that leads nowhere is closed; its owner notices. */
  private connect(
    from: Slot,
    { allocationId, port }: Extract<FromSlot, { type: 'connect' }>,
  ): void {
    const to = this.entries.get(allocationId)?.slot.allocation;
    const { jobAttempt, jobId, slotIndex } = from.allocation;
    if (to === undefined || to.jobId !== jobId || to.jobAttempt !== jobAttempt) return port.close();
    const peer = `slot ${slotIndex} of ${this.options.config.resourceId}`;
    this.entries.get(allocationId)?.slot.send({ type: 'connected', port, peer }, [port]);
  }

  private slotLost(entry: Entry, error: FailureInfo): void {
    const { allocationId, jobAttempt, jobId } = entry.slot.allocation;
    const located = shortFailure({
      ...error,
      task: error.task ?? liveTaskNames(entry),
      location: error.location ?? this.options.config.resourceId,
    });
    this.options.logger.error(`slot lost: ${error.message}`, {
      ...slotFields(entry.slot.allocation),
      error: located,
    });
    this.tell('slotLost', { allocationId, jobId, jobAttempt, error: located });
  }

  private unstoppable(why: string): void {
    this.leader?.part(`${why}, so ${this.options.config.resourceId} ends`);
    this.options.unstoppable(why);
  }

  /** T2 */
  private tell<M extends 'taskChanged' | 'slotLost'>(
    method: M,
    ...args: Parameters<JobManagerApi[M]>
  ): void {
    this.leader?.call(method, ...args).catch((error: unknown) => {
      const [report] = args;
      const { logger } = this.options;
      const code = error instanceof RpcError ? error.code : 'failed';
      const message = `${method} was not taken: ${(error as Error).message}`;
      if (code === 'closed' || code === 'stale') return logger.debug(message);
      logger.warn(message, { jobId: report.jobId });
      if (code !== 'too-large' || !('state' in report)) return;
      this.tell('taskChanged', tooLarge(report, this.options.config.resourceId, error as Error));
    });
  }

  private async endSlot(allocationId: string): Promise<void> {
    const entry = this.entries.get(allocationId);
    if (entry === undefined) return;
    if (entry.cancelTimer !== null) clearTimeout(entry.cancelTimer);
    await entry.slot.end();
    if (!this.entries.delete(allocationId)) return;
    entry.bundle.release();
    for (const lease of entry.files.values()) lease.release();
    this.logFreed(entry);
    if (this.entries.size > 0 || this.memoryTimer === null) return;
    clearInterval(this.memoryTimer);
    this.memoryTimer = null;
  }

  private logFreed(entry: Entry): void {
    const { logger } = this.options;
    const fields = slotFields(entry.slot.allocation);
    const tasks = liveTaskNames(entry);
    if (entry.cancelTimer === null || tasks === null) return logger.info('slot freed', fields);
    const why = 'user code spins or waits in native code';
    logger.warn(`slot freed before its tasks ended: ${why}`, { ...fields, tasks });
  }

  private checkMemory(): void {
    const slots = Array.from(this.entries.values(), ({ slot }) => slot);
    const resident = process.memoryUsage.rss();
    for (const slot of this.memoryRounds.next(slots, resident)) void slot.checkMemory();
  }

  private requireLeader(): Leader {
    if (this.leader === null) throw new RpcError('stale', 'this TaskManager has no leader');
    return this.leader;
  }
}

/** Where the files are, by name. */
async function arrived(
  leases: ReadonlyMap<string, BundleLease>,
): Promise<Readonly<Record<string, string>>> {
  const files = await Promise.all(
    Array.from(leases, async ([name, lease]) => {
      try {
        return [name, await lease.file] as const;
      } catch (error) {
        throw new Error(`the cached file '${name}': ${(error as Error).message}`, { cause: error });
      }
    }),
  );
  return Object.fromEntries(files);
}

/** What is told of a task whose report does not fit into a message: without it the job would wait for ever. */
function tooLarge(change: TaskChange, location: string, error: Error): TaskChange {
  const message =
    `the task ended as ${change.state}, but what it reports is too large: ${error.message}. Let sinks that ` +
    'collect, and accumulators, take less, or write the records to a FileSink';
  return {
    ...change,
    state: ExecutionState.failed,
    error: createFailure(message, { location }),
    committables: null,
    accumulators: null,
  };
}

function slotFields({ allocationId, jobAttempt, jobId, jobName, slotIndex }: SlotAllocation) {
  return { slot: slotIndex, jobId, jobName, jobAttempt, allocationId };
}

/** `Source: orders (1/2), Sum (1/2)`; `null` when none runs. */
function liveTaskNames({ deployment, liveTasks }: Entry): string | null {
  if (deployment === null) return null;
  const names = deployment.tasks
    .filter(({ attemptId }) => liveTasks.has(attemptId))
    .map(({ subtaskIndex, vertexId }) => {
      const vertex = deployment.graph.vertices.find(({ id }) => id === vertexId);
      return `${vertex?.name} (${subtaskIndex + 1}/${vertex?.parallelism})`;
    });
  return names.length === 0 ? null : names.join(', ');
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  const { [key]: _, ...rest } = record;
  return rest;
}
