/**
 * One job, from its submission to its end.
 *
 *     INITIALIZING   committers prepared, enumerators started
 *     CREATED → RUNNING   slots asked for, tasks deployed, waiting for all to finish
 *     (committing)   all tasks have finished: sinks publish
 *     FINISHED
 *     RUNNING → RESTARTING → RUNNING   tasks ended, prepared output removed, delay of the restart strategy;
 *                    then slots → its turn → committers and enumerators made anew → tasks deployed
 *     any of them but committing → FAILING → FAILED, or → CANCELLING → CANCELED
 *
 * J1  The first reason to stop an attempt wins: it is the root cause. Later ones only lengthen the history.
 * J2  Nothing is published before every task has finished. Once publishing began it goes on to its end,
 *     unless that hangs, as a file system may: a cancellation waits for it `cancellationTimeoutMs` and then
 *     for no longer, and the outcome says that some of it may be public.
 * J3  The job has ended when its tasks have, or their isolates are gone, and sinks have published or
 *     removed what was prepared. The same holds for an attempt before the next one begins.
 * J4  What comes from another job attempt, another TaskManager or an unknown task is refused.
 * J5  A task that lost its data connection is the consequence of another failure, which may be on its way
 *     over another connection: it becomes the root cause only when nothing better comes in time.
 * J6  The restart strategy is asked for failures between RUNNING and publishing. Before, what the job needs
 *     is not there, and whoever submitted it should know at once; when publishing failed, some of it may be
 *     public, and would be so a second time.
 * J7  An attempt is in the journal before anything of it is: its number is used once, also by the next
 *     JobManager, and fences tasks (J4) and names of what sinks prepare.
 * J8  A job that starts again, after a failure or with another JobManager, is deployed when it is its turn
 *     (restart-throttle.ts). It has its slots by then, so that nobody's turn is spent on waiting for them.
 *
 * J9  Nothing is published by a JobManager that does not lead: the record is asked before publishing begins,
 *     again and again while it cannot be read. One that was paused may have been replaced meanwhile, and
 *     would remove what the next one's attempt prepares.
 *
 * One file, over the usual length: states, attempts and restarts of a job are one life cycle, and
 * its parts that stand alone are files of their own already.
 */
import type { Split } from '../../../api/source.ts';
import { outputOf } from '../../../connectors/registry.ts';
import { abortable } from '../../../contract/abort.ts';
import { createFailure, isConsequence } from '../../../contract/failure.ts';
import type { FailureInfo, JobOutcome } from '../../../contract/outcome.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { NetworkConfig } from '../../../contract/runtime-config.ts';
import type { Redactor } from '../../../contract/secrets.ts';
import { formatDuration } from '../../../contract/units.ts';
import type { JobGraph } from '../../../graph/job-graph.ts';
import { LeadershipLostError } from '../../ha/leadership.ts';
import type { Logger } from '../../logging/logger.ts';
import { pause } from '../../../contract/pause.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { SlotLoss, SplitRequest, TaskChange, TaskManagerReport } from '../../rpc/protocol.ts';
import { RpcError } from '../../rpc/rpc-error.ts';
import type { JobView } from '../views/cluster-view.ts';
import type { Coordinators } from './coordinators.ts';
import { ExceptionHistory } from '../views/exception-history.ts';
import type { Execution } from './execution.ts';
import { JobAttempt, type SlotSource } from './job-attempt.ts';
import { toFailure } from './job-failure.ts';
import { createJobStateMachine, isTerminalJobStatus, JobStatus } from './job-status.ts';
import { createJobView, toOutcome } from '../views/job-view.ts';
import type { RestartStrategy } from './restart-strategy.ts';
import type { RestartPlace, RestartThrottle } from './restart-throttle.ts';
import { describeSlotWait } from '../resources/slot-manager.ts';
import type { StateMachine } from './state-machine.ts';

export interface JobMasterOptions {
  readonly jobId: string;
  readonly graph: JobGraph;
  /** Number of its first attempt: those of earlier JobManagers come before. */
  readonly firstAttempt: number;
  /** Grows with every job that is submitted to this JobManager. */
  readonly submission: number;
  /** Those of one attempt. */
  readonly createCoordinators: () => Coordinators;
  /** Relative paths in sources and sinks are relative to this folder. */
  readonly workingDirectory: string;
  readonly slots: SlotSource;
  readonly network: NetworkConfig;
  readonly slotRequestTimeoutMs: number;
  readonly cancellationTimeoutMs: number;
  readonly restartStrategy: RestartStrategy;
  readonly restartThrottle: RestartThrottle;
  /** Records that the attempt before failed (epoch milliseconds) and that this one begins (J7). */
  readonly recordRestart: (attempt: number, failedAt: number) => Promise<void>;
  /** J9. Rejects with LeadershipLostError when another JobManager leads; else when nobody knows. */
  readonly checkLeadership: () => Promise<void>;
  /** Its values go along with tasks: TaskManagers keep them out of their logs. */
  readonly redactor: Pick<Redactor, 'values'>;
  readonly newId: () => string;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** What belongs to one attempt and goes with it. */
interface Run {
  readonly attempt: JobAttempt;
  readonly coordinators: Coordinators;
  /** Ends all of its steps (J1). */
  readonly stop: AbortController;
  /** Whether a reason is being waited for (J5). */
  isHolding: boolean;
  /** J8 */
  place: RestartPlace | null;
}

/** J9 */
const leadershipRetryMs = 1000;

/** How long a lost data connection waits for its reason. */
const consequenceGraceMs = 1000;

export class JobMaster {
  readonly jobId: string;
  readonly graph: JobGraph;
  readonly startTime: number;
  /** Resolves when the job has ended (J3). Rejects only by a bug. */
  readonly ended: Promise<JobOutcome>;
  readonly #options: JobMasterOptions;
  readonly #machine: StateMachine<JobStatus>;
  readonly #exceptions = new ExceptionHistory();
  readonly #cancelled = new AbortController();
  #run: Run;
  /** J6 */
  #mayRestart = false;
  /** By the monotonic clock. */
  #restartAt = 0;
  #lastView: JobView | null = null;
  #committing = false;
  /** J2 */
  #abandonedCommit: FailureInfo | null = null;
  #collected: Readonly<Record<string, JsonValue>> = {};

  constructor(options: JobMasterOptions) {
    const { clock, firstAttempt, graph, jobId } = options;
    this.jobId = jobId;
    this.graph = graph;
    this.startTime = clock.now();
    this.#options = options;
    this.#machine = createJobStateMachine(() => clock.now());
    this.#run = this.#prepare(firstAttempt);
    this.ended = this.#runToEnd();
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
    if (this.#committing) this.#cancelCommit();
    else if (this.#machine.allows(JobStatus.cancelling)) this.#cancelNow(); // else J1
    return true;
  }

  #cancelNow(): void {
    this.#enter(JobStatus.cancelling);
    this.#run.stop.abort();
    this.#cancelled.abort();
  }

  /** J2 */
  #cancelCommit(): void {
    const { cancellationTimeoutMs, clock, logger } = this.#options;
    logger.info('the job is cancelled while it publishes', { timeoutMs: cancellationTimeoutMs });
    const { attempt } = this.#run.attempt;
    clock.after(cancellationTimeoutMs, () => {
      if (!this.#committing) return;
      const message =
        `publishing the output did not end within ${formatDuration(cancellationTimeoutMs)} after the job was ` +
        'cancelled: some of the output may be public, or become so';
      const failure = createFailure(message, { location: 'jobmanager' });
      logger.error(message);
      this.#exceptions.add({ failure, execution: null, attempt, timestamp: clock.now() });
      this.#abandonedCommit = failure;
      this.#committing = false;
      this.#cancelNow();
    });
  }

  /** @throws RpcError `stale` (J4). */
  taskChanged(from: string, change: TaskChange): void {
    const execution = this.#currentRun().attempt.report(from, change);
    if (execution === null) return;
    const { logger } = this.#options;
    const { attemptId, name, state } = execution;
    logger.info('task changed', { task: name, state, attemptId, taskManager: from });
  }

  /** Rejects with RpcError `stale` (J4). */
  async requestSplit(from: string, request: SplitRequest): Promise<Split | null> {
    const run = this.#currentRun();
    const { attempt, coordinators, stop } = run;
    const { vertex, subtaskIndex } = attempt.runningTask(from, request);
    const { parallelism } = vertex;
    const next = coordinators.nextSplit(request.operatorId, { subtaskIndex, parallelism });
    try {
      return await abortable(next, stop.signal);
    } catch (error) {
      if (stop.signal.aborted) throw new RpcError('stale', 'the job is being stopped');
      if (run === this.#run) this.#fail(toFailure(error), null);
      throw error;
    }
  }

  /** @throws RpcError `stale` (J4). */
  slotLost(from: string, loss: SlotLoss): void {
    this.#currentRun().attempt.slotLost(from, loss);
  }

  taskManagerLost(id: string, why: string): void {
    if (!isTerminalJobStatus(this.state)) this.#run.attempt.taskManagerLost(id, why);
  }

  /** Values of tasks that run on that TaskManager; those of other jobs are left alone. */
  reported(from: string, { tasks, accumulators, userMetrics }: TaskManagerReport): void {
    for (const execution of this.#run.attempt.executionsOn(from)) {
      const metrics = tasks[execution.attemptId];
      if (metrics === undefined || execution.ended) continue;
      execution.metrics = metrics;
      execution.accumulators = accumulators[execution.attemptId] ?? execution.accumulators;
      execution.userMetrics = userMetrics?.[execution.attemptId] ?? execution.userMetrics;
    }
  }

  /** Subtasks on that TaskManager that have not ended. */
  subtasksOn(taskManagerId: string): readonly Execution[] {
    return this.#run.attempt.executionsOn(taskManagerId).filter((e) => !e.ended && e.location);
  }

  /** Of a job that has ended always the same, but for the time: lists of jobs are asked for over and over. */
  view(): JobView {
    if (this.#lastView !== null) return { ...this.#lastView, now: this.#options.clock.now() };
    const view = this.#createView();
    if (isTerminalJobStatus(this.state)) this.#lastView = view;
    return view;
  }

  #createView(): JobView {
    const { attempt, executions } = this.#run.attempt;
    const hasFailed = this.state === JobStatus.failing || this.state === JobStatus.failed;
    return createJobView({
      id: this.jobId,
      graph: this.graph,
      attempt,
      startTime: this.startTime,
      machine: this.#machine,
      executions,
      failure: hasFailed ? this.#exceptions.rootCause(attempt) : this.#abandonedCommit,
      exceptions: this.#exceptions.views,
      waitsFor: this.#describeWait(),
      restartStrategy: this.#options.restartStrategy.description,
      now: this.#options.clock.now(),
    });
  }

  #describeWait(): string | null {
    const { clock, restartThrottle, slots } = this.#options;
    if (this.state === JobStatus.restarting) {
      const ms = this.#restartAt - clock.monotonic();
      return ms <= 0 ? null : `starts again in ${formatDuration(ms)}`;
    }
    const wait = slots.slots.waitOf(this.jobId);
    if (wait !== null) return describeSlotWait(wait);
    const ahead = this.#run.place?.ahead ?? null;
    if (ahead === null) return null;
    const max = restartThrottle.maxConcurrent;
    return `waits for its turn to start again; ${ahead} before it; jobmanager.maxConcurrentRestarts is ${max}`;
  }

  #prepare(attempt: number): Run {
    return {
      attempt: new JobAttempt({
        ...this.#options,
        attempt,
        failed: (failure, execution) => this.#fail(failure, execution),
      }),
      coordinators: this.#options.createCoordinators(),
      stop: new AbortController(),
      isHolding: false,
      place: null,
    };
  }

  #currentRun(): Run {
    if (isTerminalJobStatus(this.state)) throw new RpcError('stale', `job ${this.jobId} has ended`);
    return this.#run;
  }

  async #runToEnd(): Promise<JobOutcome> {
    const { logger } = this.#options;
    logger.info('job submitted', { name: this.graph.name, vertices: this.graph.vertices.length });
    for (;;) {
      if (await this.#runAttempt(this.#run)) return this.#settle(JobStatus.finished);
      if (this.state === JobStatus.restarting) await this.#restartDue();
      if (this.state !== JobStatus.restarting) break;
      this.#run = this.#prepare(this.#run.attempt.attempt + 1);
      this.#enter(JobStatus.running);
    }
    const isCancelled = this.state === JobStatus.cancelling;
    return this.#settle(isCancelled ? JobStatus.canceled : JobStatus.failed);
  }

  /** Nothing of the attempt is left when it resolves (J3). @returns whether all tasks have finished and published. */
  async #runAttempt(run: Run): Promise<boolean> {
    const { attempt, stop } = run;
    let isFinished = false;
    try {
      if (attempt.attempt === 0) await this.#start(run);
      else await this.#startAgain(run);
      await abortable(attempt.finished, stop.signal);
      await this.#commit(run);
      isFinished = true;
    } catch (error) {
      if (error !== stop.signal.reason) this.#fail(toFailure(error), null);
      await attempt.stop();
    }
    await this.#close(run);
    return isFinished;
  }

  async #start({ attempt, coordinators, stop: { signal } }: Run): Promise<void> {
    await abortable(coordinators.start(), signal);
    this.#enterRunning();
    await abortable(attempt.acquireSlots(), signal);
    await abortable(attempt.deploy(), signal);
  }

  /** J7, J8 */
  async #startAgain(run: Run): Promise<void> {
    const { recordRestart, restartThrottle } = this.#options;
    const { attempt, coordinators } = run;
    const { signal } = run.stop;
    if (this.state === JobStatus.initializing) this.#enterRunning();
    else {
      const failedAt = this.#machine.timestamps.RESTARTING;
      await abortable(recordRestart(attempt.attempt, failedAt), signal);
    }
    await abortable(attempt.acquireSlots(), signal);
    const place = restartThrottle.enter();
    run.place = place;
    try {
      await abortable(place.admitted, signal);
      await abortable(coordinators.start(), signal);
      await abortable(attempt.deploy(), signal);
      await abortable(attempt.started, signal);
    } finally {
      place.leave();
    }
  }

  #enterRunning(): void {
    this.#enter(JobStatus.created);
    this.#enter(JobStatus.running);
    this.#mayRestart = true;
  }

  #restartDue(): Promise<void> {
    const { clock } = this.#options;
    return pause(clock, Math.max(this.#restartAt - clock.monotonic(), 0), this.#cancelled.signal);
  }

  /** J2 */
  async #commit({ attempt, coordinators, stop: { signal } }: Run): Promise<void> {
    await this.#confirmLeadership(signal); // J9
    signal.throwIfAborted();
    this.#committing = true;
    this.#mayRestart = false; // J6
    void attempt.releaseSlots(); // never rejects
    try {
      const committing = coordinators.commit((operatorId) =>
        attempt.executions.flatMap((execution) => execution.committables[operatorId] ?? []),
      );
      this.#collected = await abortable(committing, signal);
    } catch (error) {
      this.#committing = false;
      throw error;
    } finally {
      attempt.forgetCommittables();
    }
  }

  /** J9. Rejects with LeadershipLostError, or with the signal's reason. */
  async #confirmLeadership(signal: AbortSignal): Promise<void> {
    const { checkLeadership, clock, logger } = this.#options;
    for (;;) {
      try {
        return await abortable(checkLeadership(), signal);
      } catch (error) {
        if (error instanceof LeadershipLostError) this.#mayRestart = false;
        if (signal.aborted || error instanceof LeadershipLostError) throw error;
        logger.warn('the record cannot be read, and nothing is published before', { error });
        await pause(clock, leadershipRetryMs, signal);
        signal.throwIfAborted();
      }
    }
  }

  /** Removes what was prepared and not published. */
  async #close({ coordinators }: Run): Promise<void> {
    const { cancellationTimeoutMs, clock, logger } = this.#options;
    let stopTimer!: () => void;
    const late = new Promise<null>((resolve) => {
      stopTimer = clock.after(cancellationTimeoutMs, () => resolve(null));
    });
    const problems = await Promise.race([coordinators.close(), late]);
    stopTimer();
    for (const error of problems ?? [])
      logger.warn('a source or sink could not be closed properly', { error });
    if (problems !== null) return;
    logger.warn('closing sources and sinks hangs');
    // What still goes on could remove what the next attempt prepares.
    if (this.state === JobStatus.restarting) this.#enter(JobStatus.failing);
  }

  #outputs(): readonly string[] {
    const operators = this.#options.graph.vertices.flatMap((vertex) => vertex.operators);
    const found = operators.map(({ committer }) => committer && outputOf(committer, this.#options));
    return found.filter((place) => place !== null);
  }

  /** The one way a job ends (J3). */
  #settle(status: JobStatus): JobOutcome {
    this.#enter(status);
    const outputs = status === JobStatus.finished ? this.#outputs() : [];
    return { ...toOutcome(this.view()), outputs };
  }

  #fail(failure: FailureInfo, execution: Execution | null): void {
    const { clock, logger } = this.#options;
    const run = this.#run;
    if (isTerminalJobStatus(this.state) || this.#committing) return;
    if (this.state === JobStatus.cancelling) {
      logger.info('failure while cancelling', { failure });
      return;
    }
    if (this.#isStopping || !isConsequence(failure)) return this.#failNow(failure, execution);
    if (run.isHolding) return;
    run.isHolding = true; // J5
    logger.warn('a task lost its peer, waiting for the reason', { failure });
    clock.after(consequenceGraceMs, () => {
      if (run === this.#run && this.state === JobStatus.running) this.#failNow(failure, execution);
    });
  }

  get #isStopping(): boolean {
    return this.state === JobStatus.failing || this.state === JobStatus.restarting;
  }

  #failNow(failure: FailureInfo, execution: Execution | null): void {
    const { clock, logger, restartStrategy } = this.#options;
    const { attempt } = this.#run.attempt;
    this.#exceptions.add({ failure, execution, attempt, timestamp: clock.now() });
    if (this.#isStopping) return; // J1
    const decision = this.#mayRestart ? restartStrategy.failed() : null;
    if (decision?.type === 'restart') {
      const { delayMs } = decision;
      logger.warn(`job failed and starts again: ${failure.message}`, { failure, attempt, delayMs });
      this.#restartAt = clock.monotonic() + delayMs;
      this.#enter(JobStatus.restarting);
    } else {
      const notRestarted = decision?.why ?? null;
      logger.error(`job fails: ${failure.message}`, { failure, attempt, notRestarted });
      this.#enter(JobStatus.failing);
    }
    this.#run.stop.abort();
  }

  #enter(status: JobStatus): void {
    this.#machine.enter(status);
    this.#options.logger.info('job changed', { name: this.graph.name, state: status });
  }
}
