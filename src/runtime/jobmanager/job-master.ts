/**
 * One job, from its submission to its end.
 *
 *     INITIALIZING   committers prepared, enumerators started
 *     CREATED → RUNNING   slots asked for, tasks deployed, waiting for all to finish
 *     (committing)   all tasks have finished: sinks publish
 *     FINISHED
 *     any of them but committing → FAILING → FAILED, or → CANCELLING → CANCELED
 *
 * J1  The first reason to stop wins: it is the root cause. Later ones only lengthen the history.
 * J2  Nothing is published before every task has finished. Once publishing began it goes on to its end.
 * J3  The job has ended when its tasks have, or their isolates are gone, and sinks have published or
 *     removed what was prepared.
 * J4  What comes from another job attempt, another TaskManager or an unknown task is refused.
 * J5  A task that lost its data connection is the consequence of another failure, which may be on its way
 *     over another connection: it becomes the root cause only when nothing better comes in time.
 */
import type { Split } from '../../api/source.ts';
import type { FailureInfo, JobOutcome } from '../../contract/documents.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { NetworkConfig } from '../../contract/runtime-config.ts';
import type { Redactor } from '../../contract/secrets.ts';
import type { JobGraph } from '../../graph/job-graph.ts';
import type { Logger } from '../logging/logger.ts';
import type { Clock } from '../rpc/clock.ts';
import type { SlotLoss, SplitRequest, TaskChange, TaskManagerReport } from '../rpc/protocol.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import type { ExceptionView, JobView } from './cluster-view.ts';
import { CoordinatorError, type Coordinators } from './coordinators.ts';
import type { Execution } from './execution.ts';
import { AttemptError, JobAttempt, type SlotSource } from './job-attempt.ts';
import { createJobStateMachine, isTerminalJobStatus, JobStatus } from './job-status.ts';
import { createJobView, toOutcome } from './job-view.ts';
import type { StateMachine } from './state-machine.ts';

export interface JobMasterOptions {
  readonly jobId: string;
  readonly graph: JobGraph;
  /** Number of its first attempt: those of earlier JobManagers come before. */
  readonly firstAttempt: number;
  readonly coordinators: Coordinators;
  /** Relative paths in sources and sinks are relative to this folder. */
  readonly workingDirectory: string;
  readonly slots: SlotSource;
  readonly network: NetworkConfig;
  readonly slotRequestTimeoutMs: number;
  readonly cancellationTimeoutMs: number;
  /** Its values go along with tasks: TaskManagers keep them out of their logs. */
  readonly redactor: Pick<Redactor, 'values'>;
  readonly newId: () => string;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Flink's `web.exception-history-size`. */
const maxExceptions = 16;

/** How long a lost data connection waits for its reason. */
const consequenceGraceMs = 1000;
/** What the data plane says when a peer is gone. */
const isConsequence = ({ message }: FailureInfo) =>
  /\bdata connection (to|from) .+ is lost\b/.test(message);

/** Thrown through `#run` when the job was told to stop; its state says why. */
class Stopped extends Error {}

export class JobMaster {
  readonly jobId: string;
  readonly graph: JobGraph;
  readonly startTime: number;
  /** Resolves when the job has ended (J3). Rejects only by a bug. */
  readonly ended: Promise<JobOutcome>;
  readonly #options: JobMasterOptions;
  readonly #machine: StateMachine<JobStatus>;
  readonly #attempt: JobAttempt;
  readonly #exceptions: ExceptionView[] = [];
  readonly #stopped: Promise<never>;
  #rejectStopped!: (reason: Stopped) => void;
  #committing = false;
  #isHolding = false;
  #collected: Readonly<Record<string, JsonValue>> = {};

  constructor(options: JobMasterOptions) {
    const { clock, graph, jobId } = options;
    this.jobId = jobId;
    this.graph = graph;
    this.startTime = clock.now();
    this.#options = options;
    this.#machine = createJobStateMachine(() => clock.now());
    this.#stopped = new Promise((_, reject) => (this.#rejectStopped = reject));
    this.#stopped.catch(() => {}); // it may come when nothing waits
    this.#attempt = new JobAttempt({
      ...options,
      attempt: options.firstAttempt,
      failed: (failure, execution) => this.#fail(failure, execution),
    });
    this.ended = this.#run();
  }

  get state(): JobStatus {
    return this.#machine.state;
  }

  /** What `collect` sinks collected, by name; empty unless the job is `FINISHED`. */
  get collected(): Readonly<Record<string, JsonValue>> {
    return this.#collected;
  }

  /** Asks the job to cancel. @returns whether it had not ended. */
  cancel(): boolean {
    if (isTerminalJobStatus(this.state)) return false;
    if (this.#committing || !this.#machine.allows(JobStatus.cancelling)) return true; // J1, J2
    this.#enter(JobStatus.cancelling);
    this.#rejectStopped(new Stopped());
    return true;
  }

  /** @throws RpcError `stale` (J4). */
  taskChanged(from: string, change: TaskChange): void {
    const execution = this.#currentAttempt().report(from, change);
    if (execution === null) return;
    const { logger } = this.#options;
    const { attemptId, name, state } = execution;
    logger.info('task changed', { task: name, state, attemptId, taskManager: from });
  }

  /** Rejects with RpcError `stale` (J4). */
  async requestSplit(from: string, request: SplitRequest): Promise<Split | null> {
    const { vertex, subtaskIndex } = this.#currentAttempt().runningTask(from, request);
    const { parallelism } = vertex;
    const next = this.#options.coordinators.nextSplit(request.operatorId, {
      subtaskIndex,
      parallelism,
    });
    try {
      return await Promise.race([next, this.#stopped]);
    } catch (error) {
      if (error instanceof Stopped) throw new RpcError('stale', 'the job is being stopped');
      this.#fail(toFailure(error), null);
      throw error;
    }
  }

  /** @throws RpcError `stale` (J4). */
  slotLost(from: string, loss: SlotLoss): void {
    this.#currentAttempt().slotLost(from, loss);
  }

  taskManagerLost(id: string, why: string): void {
    if (!isTerminalJobStatus(this.state)) this.#attempt.taskManagerLost(id, why);
  }

  /** Values of tasks that run; those of other jobs are left alone. */
  reported({ tasks, accumulators }: TaskManagerReport): void {
    for (const [attemptId, metrics] of Object.entries(tasks)) {
      const execution = this.#attempt.execution(attemptId);
      if (!execution || execution.ended) continue;
      execution.metrics = metrics;
      execution.accumulators = accumulators[attemptId] ?? execution.accumulators;
    }
  }

  /** Subtasks on that TaskManager that have not ended. */
  subtasksOn(taskManagerId: string): readonly Execution[] {
    return this.#attempt.executions.filter(
      (e) => !e.ended && e.location?.taskManager === taskManagerId,
    );
  }

  view(): JobView {
    return createJobView({
      id: this.jobId,
      graph: this.graph,
      attempt: this.#attempt.attempt,
      startTime: this.startTime,
      machine: this.#machine,
      executions: this.#attempt.executions,
      exceptions: this.#exceptions,
      now: this.#options.clock.now(),
    });
  }

  #currentAttempt(): JobAttempt {
    if (isTerminalJobStatus(this.state)) throw new RpcError('stale', `job ${this.jobId} has ended`);
    return this.#attempt;
  }

  async #run(): Promise<JobOutcome> {
    const { coordinators, logger } = this.#options;
    logger.info('job submitted', { name: this.graph.name, vertices: this.graph.vertices.length });
    try {
      await this.#unlessStopped(coordinators.start());
      this.#enter(JobStatus.created);
      this.#enter(JobStatus.running);
      await this.#unlessStopped(this.#attempt.acquireSlots());
      await this.#unlessStopped(this.#attempt.deploy());
      await this.#unlessStopped(this.#attempt.finished);
      await this.#commit();
      return await this.#settle(JobStatus.finished);
    } catch (error) {
      if (!(error instanceof Stopped)) this.#fail(toFailure(error), null);
      await this.#attempt.stop();
      return await this.#settle(
        this.state === JobStatus.cancelling ? JobStatus.canceled : JobStatus.failed,
      );
    }
  }

  async #unlessStopped<T>(action: Promise<T>): Promise<T> {
    const value = await Promise.race([action, this.#stopped]);
    const isStopping = this.state === JobStatus.failing || this.state === JobStatus.cancelling;
    if (isStopping) throw new Stopped(); // both happened in the same turn
    return value;
  }

  /** J2 */
  async #commit(): Promise<void> {
    const { coordinators } = this.#options;
    const { executions } = this.#attempt;
    this.#committing = true;
    void this.#attempt.releaseSlots(); // never rejects
    try {
      this.#collected = await coordinators.commit((operatorId) =>
        executions.flatMap((execution) => execution.committables[operatorId] ?? []),
      );
    } finally {
      this.#committing = false;
    }
  }

  /** The one way a job ends (J3). */
  async #settle(status: JobStatus): Promise<JobOutcome> {
    const { cancellationTimeoutMs, clock, coordinators, logger } = this.#options;
    let stopTimer!: () => void;
    const late = new Promise<readonly Error[]>((resolve) => {
      stopTimer = clock.after(cancellationTimeoutMs, () =>
        resolve([new Error('closing sources and sinks hangs')]),
      );
    });
    const problems = await Promise.race([coordinators.close(), late]);
    stopTimer();
    for (const error of problems)
      logger.warn('a source or sink could not be closed properly', { error });
    this.#enter(status);
    return toOutcome(this.view());
  }

  #fail(failure: FailureInfo, execution: Execution | null): void {
    const { clock, logger } = this.#options;
    if (isTerminalJobStatus(this.state) || this.#committing) return;
    if (this.state === JobStatus.cancelling) {
      logger.info('failure while cancelling', { failure });
      return;
    }
    if (this.state === JobStatus.failing || !isConsequence(failure))
      return this.#failNow(failure, execution);
    if (this.#isHolding) return;
    this.#isHolding = true; // J5
    logger.warn('a task lost its peer, waiting for the reason', { failure });
    clock.after(consequenceGraceMs, () => this.#failUnlessKnown(failure, execution));
  }

  #failUnlessKnown(failure: FailureInfo, execution: Execution | null): void {
    if (this.state === JobStatus.running) this.#failNow(failure, execution);
  }

  #failNow(failure: FailureInfo, execution: Execution | null): void {
    const { clock, logger } = this.#options;
    if (this.#exceptions.length < maxExceptions) {
      this.#exceptions.push({
        timestamp: clock.now(),
        failure,
        taskManager: execution?.location?.taskManager ?? null,
        host: execution?.location?.host ?? null,
        vertexId: execution?.vertex.id ?? null,
        subtaskIndex: execution?.subtaskIndex ?? null,
        attempt: execution?.attempt ?? null,
      });
    }
    if (this.state === JobStatus.failing) return; // J1
    logger.error(`job fails: ${failure.message}`, { failure });
    this.#enter(JobStatus.failing);
    this.#rejectStopped(new Stopped());
  }

  #enter(status: JobStatus): void {
    this.#machine.enter(status);
    this.#options.logger.info('job changed', { name: this.graph.name, state: status });
  }
}

function toFailure(error: unknown): FailureInfo {
  if (error instanceof AttemptError || error instanceof CoordinatorError) return error.failure;
  const { message, stack = null } = error instanceof Error ? error : { message: String(error) };
  return { message, stack, task: null, location: 'jobmanager' };
}
