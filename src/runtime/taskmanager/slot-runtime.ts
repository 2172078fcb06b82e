/**
 * What runs in the worker thread of a slot: data plane, mailbox and tasks of one job attempt.
 *
 * W1  The slot takes one deployment. It ends with its job attempt, from outside.
 * W2  Every task of the deployment reports how it ended, also when the code cannot be loaded.
 */
import { dirname } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { TextOutput } from '../../api/sink.ts';
import type { Split } from '../../api/source.ts';
import { type FailureInfo, FailureKind } from '../../contract/outcome.ts';
import { nameOf } from '../../contract/resource-id.ts';
import { compileJob } from '../../graph/compile.ts';
import type { JobVertex } from '../../graph/job-graph.ts';
import { loadBundle } from '../../application/load-bundle.ts';
import type { Clock } from '../../contract/clock.ts';
import { Exchange } from '../stream/network/exchange.ts';
import { PeerLostError } from '../stream/network/peer-lost-error.ts';
import { ExecutionState, type SlotDeployment, type TaskDeployment } from '../rpc/protocol.ts';
import { describeFailure } from '../../application/failure-info.ts';
import { Mailbox } from '../stream/task/mailbox.ts';
import type { FromSlot, SlotStart, ToSlot } from './slot-messages.ts';
import { Task, type TaskEnd } from '../stream/task/task.ts';
import { TaskMeter } from '../stream/task/task-meter.ts';
import { type Wiring, wireTask } from '../stream/task/wire-task.ts';

export interface SlotHost {
  readonly clock: Clock;
  readonly start: SlotStart;
  readonly send: (message: FromSlot, transfer?: readonly MessagePort[]) => void;
  readonly stdout: TextOutput;
  /** Collects all garbage of this thread. */
  readonly collectGarbage: () => void;
}

interface SlotTask {
  readonly deployment: TaskDeployment;
  readonly vertex: JobVertex;
  readonly name: string;
  readonly task: Task;
}

interface SplitWaiter {
  readonly resolve: (split: Split | null) => void;
  readonly reject: (error: Error) => void;
}

export class SlotRuntime {
  private readonly host: SlotHost;
  private readonly exchange: Exchange;
  private readonly mailbox: Mailbox;
  private readonly splitWaiters = new Map<number, SplitWaiter>();
  private tasks: readonly SlotTask[] = [];
  private bundleFolder: string | null = null;
  private cachedFiles: Readonly<Record<string, string>> = {};
  private nextRequest = 0;
  private isCancelled = false;

  constructor(host: SlotHost) {
    const { allocationId, bind, clusterId, jobAttempt, jobId, name, network, taskManager, token } =
      host.start;
    this.host = host;
    this.mailbox = new Mailbox(host.clock);
    this.exchange = new Exchange({
      clock: host.clock,
      identity: { token, clusterId, jobId, jobAttempt, allocationId },
      taskManager,
      name,
      bind,
      network,
      connectSlot: (peer) => this.connectSlot(peer),
      warn: (message) => host.send({ type: 'warn', message }),
    });
  }

  /** Opens the data port and says so. Rejects when it cannot. */
  async listen(): Promise<void> {
    this.host.send({ type: 'listening', dataPort: await this.exchange.listening() });
  }

  receive(message: ToSlot): void {
    switch (message.type) {
      case 'deploy':
        void this.deploy(message);
        break;
      case 'undeployable':
        this.makeTasks(message.deployment);
        this.failAll(new Error(message.message));
        break;
      case 'cancel':
        this.isCancelled = true;
        this.cancelAll();
        break;
      case 'split':
        this.takeWaiter(message.request)?.resolve(message.split);
        break;
      case 'split-failed':
        this.takeWaiter(message.request)?.reject(new Error(message.message));
        break;
      case 'connected':
        this.exchange.addPort(message.port, message.peer);
        break;
      case 'collect-garbage':
        this.host.collectGarbage();
        this.host.send({ type: 'garbage-collected' });
        break;
    }
  }

  /** What user code has thrown outside of a task, for the report that the slot has ended. */
  describe(
    error: unknown,
    task: string | null = null,
    operator: string | null = null,
  ): FailureInfo {
    const location = nameOf(this.host.start.taskManager);
    const origin = { task, operator, location, bundleFolder: this.bundleFolder };
    return { ...describeFailure(error, origin), ...kindOf(error, operator) };
  }

  private async deploy({
    bundleFile,
    cachedFiles,
    deployment,
  }: Extract<ToSlot, { type: 'deploy' }>): Promise<void> {
    if (this.tasks.length > 0) return; // W1
    this.bundleFolder = dirname(bundleFile);
    this.cachedFiles = cachedFiles;
    this.makeTasks(deployment);
    setInterval(() => this.report(), this.host.start.reportIntervalMs);
    try {
      const wiring = this.isCancelled ? null : await this.load(deployment, bundleFile);
      if (wiring === null || this.isCancelled) return this.cancelAll();
      await Promise.all(this.tasks.map((slotTask) => this.startTask(slotTask, wiring)));
    } catch (error) {
      this.failAll(error); // W2
    }
  }

  private cancelAll(): void {
    for (const { task } of this.tasks) task.cancel();
  }

  private failAll(error: unknown): void {
    for (const { task } of this.tasks) task.fail(error);
  }

  private async load({ graph, network }: SlotDeployment, bundleFile: string): Promise<Wiring> {
    const { registry } = await loadBundle(bundleFile);
    const { args, bundleHash, job: name, parallelism } = graph.code;
    const job = registry.jobs.get(name);
    if (registry.problems.length > 0) throw new Error(registry.problems.join('; '));
    if (job === undefined) throw new Error(`the application defines no job '${name}'`);
    const { graph: rebuilt, operators } = compileJob(job, args, {
      bundleHash,
      parallelism,
      argsAt: null,
    });
    if (rebuilt.hash !== graph.hash) {
      throw new Error(
        `the builder of job '${name}' is not deterministic: it made another graph here than where the job was ` +
          'submitted. A builder must depend on its arguments only: no random numbers, no clock, no environment',
      );
    }
    return { graph, operators, exchange: this.exchange, creditBytes: network.channelCreditBytes };
  }

  private makeTasks(deployment: SlotDeployment): void {
    this.tasks = deployment.tasks.map((task) => {
      const vertex = deployment.graph.vertices.find(({ id }) => id === task.vertexId);
      if (vertex === undefined) throw new Error(`the job has no vertex ${task.vertexId}`);
      return this.makeTask(task, vertex);
    });
  }

  private makeTask(deployment: TaskDeployment, vertex: JobVertex): SlotTask {
    const name = `${vertex.name} (${deployment.subtaskIndex + 1}/${vertex.parallelism})`;
    const { jobAttempt, jobId } = this.host.start;
    const { attemptId, subtaskIndex } = deployment;
    const task: Task = new Task({
      clock: this.host.clock,
      mailbox: this.mailbox,
      meter: new TaskMeter(this.host.clock),
      requestSplit: (operatorId) =>
        this.requestSplit({ jobId, jobAttempt, attemptId, operatorId, subtaskIndex }),
      describe: (error, operator) => this.describe(error, name, operator),
      changed: (state) => this.changed(deployment, task, { state }),
      ended: (end) => this.changed(deployment, task, end),
    });
    return { deployment, vertex, name, task };
  }

  private startTask({ deployment, vertex, name, task }: SlotTask, wiring: Wiring): Promise<void> {
    const { epoch, jobId, workingDirectory } = this.host.start;
    const host = {
      jobId,
      epoch,
      taskName: name,
      subtaskIndex: deployment.subtaskIndex,
      parallelism: vertex.parallelism,
      maxParallelism: vertex.maxParallelism,
      attempt: deployment.attempt,
      workingDirectory,
      cachedFiles: this.cachedFiles,
      clock: this.host.clock,
      wakeAfter: (ms: number) => task.wakeAfter(ms),
      stdout: this.host.stdout,
      warn: (message: string) => this.host.send({ type: 'warn', message: `${name}: ${message}` }),
      shouldYield: () => task.shouldYield(),
    };
    return task.start(() => wireTask(task, deployment, vertex, host, wiring));
  }

  private changed(
    { attemptId }: TaskDeployment,
    task: Task,
    end: TaskEnd | { readonly state: ExecutionState },
  ): void {
    const { jobAttempt, jobId } = this.host.start;
    const { state } = end;
    const isEnd =
      state === ExecutionState.finished ||
      state === ExecutionState.failed ||
      state === ExecutionState.canceled;
    this.host.send({
      type: 'changed',
      change: {
        jobId,
        jobAttempt,
        attemptId,
        state,
        error: 'error' in end ? end.error : null,
        metrics: isEnd ? task.metrics() : null,
        committables: 'committables' in end ? end.committables : null,
        accumulators: isEnd ? task.accumulators() : null,
        ...(isEnd && { userMetrics: task.userMetrics() }),
      },
    });
  }

  private requestSplit(
    split: Extract<FromSlot, { type: 'request-split' }>['split'],
  ): Promise<Split | null> {
    const request = this.nextRequest++;
    return new Promise((resolve, reject) => {
      this.splitWaiters.set(request, { resolve, reject });
      this.host.send({ type: 'request-split', request, split });
    });
  }

  private takeWaiter(request: number): SplitWaiter | undefined {
    const waiter = this.splitWaiters.get(request);
    this.splitWaiters.delete(request);
    return waiter;
  }

  private connectSlot(allocationId: string): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.host.send({ type: 'connect', allocationId, port: port2 }, [port2]);
    return port1;
  }

  private report(): void {
    const live = this.tasks.filter(({ task }) => !task.hasEnded);
    if (live.length === 0) return;
    this.host.send({
      type: 'report',
      tasks: Object.fromEntries(
        live.map(({ deployment, task }) => [deployment.attemptId, task.metrics()]),
      ),
      accumulators: Object.fromEntries(
        live.map(({ deployment, task }) => [deployment.attemptId, task.accumulators()]),
      ),
      userMetrics: Object.fromEntries(
        live.flatMap(({ deployment, task }) => {
          const metrics = task.userMetrics();
          return metrics.length === 0 ? [] : [[deployment.attemptId, metrics]];
        }),
      ),
    });
  }
}

function kindOf(error: unknown, operator: string | null): Pick<FailureInfo, 'kind'> {
  if (error instanceof PeerLostError) return { kind: FailureKind.peerLost };
  return operator === null ? {} : { kind: FailureKind.userCode };
}
