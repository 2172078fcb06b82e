/**
 * One attempt to run a job: its executions and the slots they are in.
 *
 *     acquireSlots → deploy (1: make all slots, 2: start all tasks) → finished
 *                         └────────── stop, at any moment ──────────┘
 *
 * A1  Tasks are started only when every slot of the job listens: a task finds its peers.
 * A2  After `stop` nothing is started any more, and whatever was asked for is taken back: also slots whose
 *     allocation is still under way.
 * A3  `stop` ends. A task that does not cancel in time costs its slot, a slot that cannot be freed its
 *     TaskManager's connection.
 */
import type { NetworkConfig } from '../../../contract/runtime-config.ts';
import type { Redactor } from '../../../contract/secrets.ts';
import { createFailure, shortFailure } from '../../../contract/failure.ts';
import type { FailureInfo } from '../../../contract/outcome.ts';
import type { JobGraph } from '../../../graph/job-graph.ts';
import type { Logger } from '../../logging/logger.ts';
import type { Clock } from '../../../contract/clock.ts';
import { ExecutionState, type SlotLoss, type TaskChange } from '../../rpc/protocol.ts';
import { nameOf } from '../../../contract/resource-id.ts';
import { RpcError } from '../../rpc/rpc-error.ts';
import { Execution } from './execution.ts';
import type { ResourceManager } from '../resources/resource-manager.ts';
import { planDeployments, planSlots, type PlannedSlot } from './schedule.ts';
import { describeMissingSlots, type SlotGrant } from '../resources/slot-manager.ts';

/** What an attempt needs of the ResourceManager. */
export type SlotSource = Pick<
  ResourceManager,
  'call' | 'epoch' | 'freeSlot' | 'makeSlot' | 'requestSlots' | 'slots'
>;

export interface JobAttemptOptions {
  readonly jobId: string;
  readonly graph: JobGraph;
  /** 0-based. */
  readonly attempt: number;
  /** Of the job: older ones get their slots first. */
  readonly submission: number;
  /** Relative paths in sources and sinks are relative to this folder. */
  readonly workingDirectory: string;
  readonly slots: SlotSource;
  readonly network: NetworkConfig;
  readonly slotRequestTimeoutMs: number;
  readonly cancellationTimeoutMs: number;
  /** Its values go along with tasks: TaskManagers keep them out of their logs. */
  readonly redactor: Pick<Redactor, 'values'>;
  /** 32 hex digits. */
  readonly newId: () => string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** A task failed or lost its slot. Called for every such task or slot. */
  readonly failed: (failure: FailureInfo, execution: Execution | null) => void;
}

/** An error with everything a user should be told. */
export class AttemptError extends Error {
  readonly failure: FailureInfo;

  constructor(failure: FailureInfo) {
    super(failure.message);
    this.name = 'AttemptError';
    this.failure = failure;
  }
}

interface AssignedSlot extends PlannedSlot {
  readonly grant: SlotGrant;
  /** Whether its tasks may have been started. */
  deployed: boolean;
}

export class JobAttempt {
  readonly executions: readonly Execution[];
  /** Resolves when every task has finished; never rejects. */
  readonly finished: Promise<void>;
  /** Resolves when every task runs, or has run; never rejects. */
  readonly started: Promise<void>;
  readonly #options: JobAttemptOptions;
  readonly #plan: readonly PlannedSlot[];
  readonly #byId: ReadonlyMap<string, Execution>;
  #slots: readonly AssignedSlot[] = [];
  #withdraw: () => void = () => {};
  #resolveFinished!: () => void;
  #resolveStarted!: () => void;
  readonly #stop = new AbortController();
  #resolveAllEnded: () => void = () => {};

  constructor(options: JobAttemptOptions) {
    this.#options = options;
    this.executions = createExecutions(options);
    this.#byId = new Map(this.executions.map((execution) => [execution.attemptId, execution]));
    this.#plan = planSlots(options.graph, this.executions);
    this.finished = new Promise((resolve) => (this.#resolveFinished = resolve));
    this.started = new Promise((resolve) => (this.#resolveStarted = resolve));
  }

  get attempt(): number {
    return this.#options.attempt;
  }

  /** Those whose slots are on that TaskManager. */
  executionsOn(taskManagerId: string): readonly Execution[] {
    const slots = this.#slots.filter(({ grant }) => grant.taskManagerId === taskManagerId);
    return slots.flatMap(({ executions }) => executions);
  }

  execution(attemptId: string): Execution | null {
    return this.#byId.get(attemptId) ?? null;
  }

  /** Waits for all slots. Rejects with AttemptError when they did not come in time. */
  acquireSlots(): Promise<void> {
    const { clock, graph, jobId, logger, slotRequestTimeoutMs, slots, submission } = this.#options;
    const count = this.#plan.length;
    for (const execution of this.executions) execution.enter(ExecutionState.scheduled);
    logger.info('job requests slots', { slots: count, timeoutMs: slotRequestTimeoutMs });
    return new Promise((resolve, reject) => {
      const stop = clock.after(slotRequestTimeoutMs, () => {
        this.#withdraw();
        const message = `${describeMissingSlots(graph.name, count, slots.slots.overview)} (waited ${slotRequestTimeoutMs / 1000} s)`;
        reject(new AttemptError(createFailure(message)));
      });
      const granted = (grants: readonly SlotGrant[]) => {
        stop();
        this.#slots = this.#plan.map((slot, i) => ({
          ...slot,
          grant: grants[i]!,
          deployed: false,
        }));
        resolve();
      };
      const withdraw = slots.requestSlots({
        jobId,
        jobName: graph.name,
        submission,
        count,
        granted,
      });
      this.#withdraw = () => {
        stop();
        withdraw();
      };
    });
  }

  /** Rejects with AttemptError when a slot cannot be made or its tasks cannot be started. */
  async deploy(): Promise<void> {
    const { graph, logger } = this.#options;
    for (const execution of this.executions) execution.enter(ExecutionState.deploying);
    await Promise.all(this.#slots.map((slot) => this.#allocate(slot)));
    if (this.#stop.signal.aborted) return; // A2
    const deployments = planDeployments(graph, this.executions); // A1
    await Promise.all(this.#slots.map((slot) => this.#start(slot, deployments)));
    logger.info('job deployed', { slots: this.#slots.length, tasks: this.executions.length });
  }

  async #allocate({ executions, grant }: AssignedSlot): Promise<void> {
    const { attempt, graph, jobId, slots, workingDirectory } = this.#options;
    const { allocationId, slotIndex, taskManagerId } = grant;
    const request = {
      allocationId,
      jobId,
      slotIndex,
      jobAttempt: attempt,
      epoch: slots.epoch,
      jobName: graph.name,
      bundleHash: graph.code.bundleHash,
      workingDirectory,
    };
    try {
      const location = await slots.makeSlot(taskManagerId, request, this.#stop.signal);
      if (location === null) return; // A2
      for (const execution of executions)
        execution.location = { ...location, taskManager: taskManagerId };
    } catch (error) {
      throw deploymentError('cannot make a slot', taskManagerId, error);
    }
  }

  async #start(slot: AssignedSlot, deployments: ReturnType<typeof planDeployments>): Promise<void> {
    const { attempt, cancellationTimeoutMs, graph, jobId, network, redactor, slots } =
      this.#options;
    const { allocationId, taskManagerId } = slot.grant;
    const tasks = slot.executions.map((execution) => deployments.get(execution.attemptId)!);
    slot.deployed = true;
    try {
      await slots.call(taskManagerId, 'deployTasks', {
        allocationId,
        jobId,
        jobAttempt: attempt,
        graph,
        tasks,
        secrets: redactor.values,
        network,
        cancellationTimeoutMs,
      });
    } catch (error) {
      // Refused as a whole: none of its tasks runs.
      if (error instanceof RpcError && error.code === 'failed') this.#lose(slot.executions);
      throw deploymentError('cannot start tasks', taskManagerId, error);
    }
  }

  /**
   * Takes in what a TaskManager reports.
   * @returns the execution if its state changed, `null` for a repeated report.
   * @throws RpcError `stale` for a task that is not this attempt's, or not on that TaskManager.
   */
  report(from: string, change: TaskChange): Execution | null {
    const execution = this.#deployedOn(from, change);
    const result = execution.report(change.state);
    if (result === 'duplicate') return null;
    if (result === 'illegal') {
      const message = `${from} reports ${change.state} for ${execution.name}, which is ${execution.state}`;
      const location = nameOf(from);
      this.#options.failed(createFailure(message, { task: execution.name, location }), execution);
      throw new RpcError('failed', message);
    }
    if (change.metrics) execution.metrics = change.metrics;
    if (change.accumulators) execution.accumulators = change.accumulators;
    execution.userMetrics = change.userMetrics ?? execution.userMetrics;
    if (execution.state === ExecutionState.finished)
      execution.committables = change.committables ?? {};
    if (execution.state === ExecutionState.failed) {
      this.#options.failed(describeTaskFailure(change.error, execution, from), execution);
    }
    this.#checkProgress();
    return execution;
  }

  #deployedOn(from: string, change: Pick<TaskChange, 'attemptId' | 'jobAttempt'>): Execution {
    const execution = change.jobAttempt === this.attempt ? this.execution(change.attemptId) : null;
    const slot = this.#slots.find(({ executions }) => executions.some((e) => e === execution));
    if (execution === null || slot?.grant.taskManagerId !== from || !slot.deployed) {
      throw new RpcError('stale', `attempt ${change.attemptId} does not run on ${from}`);
    }
    return execution;
  }

  /** A request of a task that runs. @throws RpcError `stale` as `report`. */
  runningTask(from: string, request: Pick<TaskChange, 'attemptId' | 'jobAttempt'>): Execution {
    const execution = this.#deployedOn(from, request);
    if (execution.ended || this.#stop.signal.aborted)
      throw new RpcError('stale', `${execution.name} has ended`);
    return execution;
  }

  /** @throws RpcError `stale` for a slot that is not this attempt's. */
  slotLost(from: string, loss: SlotLoss): void {
    const slot = this.#slots.find(
      ({ grant }) => grant.allocationId === loss.allocationId && grant.taskManagerId === from,
    );
    if (!slot || loss.jobAttempt !== this.attempt) throw new RpcError('stale', 'no such slot');
    const [first] = this.#lose(slot.executions);
    if (first) {
      const { task, location } = loss.error;
      this.#options.failed(
        shortFailure({
          ...loss.error,
          task: task ?? first.name,
          location: location ?? nameOf(from),
        }),
        first,
      );
    }
    this.#checkProgress();
  }

  /** Nothing is committed any more: what sinks prepared is not needed, and may be large. */
  forgetCommittables(): void {
    for (const execution of this.executions) execution.committables = {};
  }

  /** A TaskManager is gone with everything on it. */
  taskManagerLost(id: string, why: string): void {
    const [first] = this.#lose(this.executionsOn(id));
    if (first) {
      const message = `TaskManager ${nameOf(id)} was lost: ${why}`;
      this.#options.failed(createFailure(message, { location: nameOf(id) }), first);
    }
    this.#checkProgress();
  }

  /** @returns those that had not ended. */
  #lose(executions: readonly Execution[]): readonly Execution[] {
    const alive = executions.filter((execution) => !execution.ended);
    for (const execution of alive) {
      if (this.#stop.signal.aborted) execution.giveUp();
      else execution.enter(ExecutionState.failed);
    }
    return alive;
  }

  /** Ends all tasks and gives all slots back (A2, A3). Never rejects. */
  async stop(): Promise<void> {
    const { cancellationTimeoutMs, clock, logger } = this.#options;
    this.#withdraw();
    this.#stop.abort();
    const allEnded = new Promise<void>((resolve) => (this.#resolveAllEnded = resolve));
    for (const slot of this.#slots) this.#cancel(slot);
    const deployed = new Set(this.#slots.filter((s) => s.deployed).flatMap((s) => s.executions));
    for (const execution of this.executions) if (!deployed.has(execution)) execution.giveUp();
    this.#checkProgress();
    const stopTimer = clock.after(cancellationTimeoutMs, () => {
      const late = this.executions.filter((e) => !e.ended).map((e) => e.name);
      logger.error('tasks did not cancel in time, ending their slots', { tasks: late });
      this.#resolveAllEnded();
    });
    await allEnded;
    stopTimer();
    await this.releaseSlots();
    for (const execution of this.executions) execution.giveUp(); // A3
  }

  #cancel(slot: AssignedSlot): void {
    const { jobId, logger, slots } = this.#options;
    const alive = slot.executions.filter((execution) => !execution.ended);
    if (!slot.deployed || alive.length === 0) return;
    for (const execution of alive) execution.enter(ExecutionState.canceling);
    const { allocationId, taskManagerId } = slot.grant;
    slots.call(taskManagerId, 'cancelTasks', { allocationId, jobId }).catch((error: unknown) => {
      logger.warn('cannot ask tasks to cancel', { taskManager: taskManagerId, error });
    });
  }

  /** Ends the isolates of all slots and gives them back. Never rejects. */
  async releaseSlots(): Promise<void> {
    const { jobId, slots } = this.#options;
    await Promise.all(this.#slots.map(({ grant }) => slots.freeSlot(grant, jobId)));
  }

  #checkProgress(): void {
    if (this.executions.every(hasRun)) this.#resolveStarted();
    if (this.executions.every((e) => e.state === ExecutionState.finished)) this.#resolveFinished();
    if (this.executions.every((e) => e.ended)) this.#resolveAllEnded();
  }
}

const hasRun = ({ state }: Execution) =>
  state === ExecutionState.running || state === ExecutionState.finished;

function createExecutions({ graph, attempt, newId, clock }: JobAttemptOptions): Execution[] {
  return graph.vertices.flatMap((vertex) =>
    Array.from({ length: vertex.parallelism }, (_, subtaskIndex) => {
      const attemptId = `${newId()}_${attempt}`;
      return new Execution({ vertex, subtaskIndex, attempt, attemptId, now: () => clock.now() });
    }),
  );
}

function deploymentError(what: string, taskManagerId: string, error: unknown): AttemptError {
  const name = nameOf(taskManagerId);
  const isLost = error instanceof RpcError && error.code === 'closed';
  const { message } = error as Error;
  return new AttemptError(
    createFailure(
      isLost ? `TaskManager ${name} was lost: ${message}` : `${name} ${what}: ${message}`,
      { location: name },
    ),
  );
}

function describeTaskFailure(
  error: FailureInfo | null,
  execution: Execution,
  from: string,
): FailureInfo {
  const { task, location, ...reported } =
    error ?? createFailure('the task failed without saying why');
  return shortFailure({
    ...reported,
    task: task ?? execution.name,
    location: location ?? nameOf(from),
  });
}
