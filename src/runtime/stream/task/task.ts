/**
 * One subtask: an operator chain, its channels, and its life.
 *
 *     created ─▶ opening ─▶ running ─▶ finishing ─▶ finished
 *        └──────────┴──────────┴───────────┴── stopping ─▶ canceled | failed
 *
 * K1  Before each buffer, or what is left of one, a turn asks whether all outputs have credit and the
 *     chain takes more: what a task holds back is at most what one buffer expanded to.
 * K2  A task has finished when its sinks have and its consumers have processed everything it sent: its
 *     slot may then be freed without losing anything.
 * K3  `settle` is the one terminal path; each task reports its end once. What comes later is ignored.
 * K4  A turn ends soon after its deadline, whatever user code costs a record and however many windows a
 *     watermark fires: buffers, polls and firing are left in the middle and taken up by the next turn, in
 *     the same order. A chain that is interrupted goes on before it is given more, and before it finishes.
 * K5  A barrier is passed on when it has come from all channels and the chain has done all that came before
 *     it; until then nothing behind it is processed.
 */
import { ByteReader } from '../../../api/bytes.ts';
import type { Committable } from '../../../api/sink.ts';
import { PollStatus, type Split } from '../../../api/source.ts';
import type { FailureInfo } from '../../../contract/outcome.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { UserMetric } from '../../../contract/metrics/user-metrics.ts';
import type { TaskCounters, TaskMetrics } from '../../../contract/metrics/task-metrics.ts';
import { BarrierAligner, type CheckpointBarrier } from '../checkpoint/barrier-aligner.ts';
import type { ChannelWriter } from '../network/channel-writer.ts';
import type { ProducingTask } from '../network/exchange.ts';
import { Fifo } from '../network/fifo.ts';
import type { ChannelOwner, InputChannel } from '../network/input-channel.ts';
import type { ChainSource, OperatorChain } from '../operators/operator-chain.ts';
import { ExecutionState } from './deployment.ts';
import type { Mailbox, MailboxTask } from './mailbox.ts';
import type { TaskMeter } from './task-meter.ts';

/** Records that a source reads before the task looks at its outputs again. */
const pollBatch = 512;
/** How long a failure waits for the removal of what the task had prepared before it is reported. */
const abortGraceMs = 1000;

type Life = 'created' | 'opening' | 'running' | 'finishing' | 'stopping' | 'ended';

export type TaskEnd =
  | {
      readonly state: typeof ExecutionState.finished;
      readonly committables: Readonly<Record<string, readonly Committable[]>>;
    }
  | { readonly state: typeof ExecutionState.canceled }
  | { readonly state: typeof ExecutionState.failed; readonly error: FailureInfo };

export interface TaskOptions {
  readonly clock: Clock;
  readonly mailbox: Mailbox;
  readonly meter: TaskMeter;
  /** Asks the JobManager. */
  readonly requestSplit: (operatorId: string) => Promise<Split | null>;
  readonly describe: (error: unknown, operator: string | null) => FailureInfo;
  readonly changed: (state: ExecutionState) => void;
  /** K3 */
  readonly ended: (end: TaskEnd) => void;
}

/** What is known once chain and channels are wired. */
export interface TaskParts {
  readonly chain: OperatorChain;
  readonly writers: readonly ChannelWriter[];
  /** Number of input channels. */
  readonly inputs: number;
}

export class Task implements MailboxTask, ChannelOwner, ProducingTask {
  isQueued = false;
  private readonly options: TaskOptions;
  private readonly reader = new ByteReader(new Uint8Array(0));
  private readonly withData = new Fifo<InputChannel>();
  private preventTimer: (() => void) | null = null;
  private parts: TaskParts | null = null;
  private life: Life = 'created';
  private readonly aligner = new BarrierAligner<InputChannel>((channel) => {
    if (channel.hasData) this.withData.push(channel);
  });
  /** At which the channel that was processed last was left. */
  private arrived: CheckpointBarrier | null = null;
  /** Has come from all channels, and was not passed on yet (K5). */
  private aligned: CheckpointBarrier | null = null;
  private blockedChannels = 0;
  private isChainBusy = false;
  private isSourceWaiting = false;
  private isTimerDue = false;
  /** When the turn should end. */
  private deadline = 0;
  /** All input was processed, but for what the chain was interrupted in. */
  private isInputOver = false;
  private whenDrained: (() => void) | null = null;

  constructor(options: TaskOptions) {
    this.options = options;
  }

  get counters(): TaskCounters {
    return this.options.meter.counters;
  }

  get hasEnded(): boolean {
    return this.life === 'ended';
  }

  metrics(): TaskMetrics {
    return this.options.meter.metrics(this.parts?.chain ?? null);
  }

  accumulators(): Readonly<Record<string, JsonValue>> {
    return this.parts?.chain.accumulators() ?? {};
  }

  userMetrics(): readonly UserMetric[] {
    return this.parts?.chain.userMetrics() ?? [];
  }

  /** Opens the chain and begins. `wire` makes chain and channels; what it throws fails the task. */
  async start(wire: () => TaskParts): Promise<void> {
    if (this.life !== 'created') return;
    this.life = 'opening';
    this.options.meter.open();
    this.options.changed(ExecutionState.initializing);
    try {
      this.parts = wire();
      this.aligner.start(this.parts.inputs);
      await this.parts.chain.open();
    } catch (error) {
      this.fail(error);
      return;
    }
    if (!this.isIn('opening')) return;
    this.life = 'running';
    this.options.meter.start();
    this.options.changed(ExecutionState.running);
    this.wake();
  }

  /** M2, K1 */
  turn(deadline: number): boolean {
    const { parts } = this;
    if (parts === null) return false;
    const { chain } = parts;
    this.deadline = deadline;
    try {
      while (this.life === 'running' && this.canWork(chain)) {
        if (this.isTimerDue) this.fireTimers(chain);
        if (!this.work(chain)) return false;
        if (this.options.clock.monotonic() >= deadline) return this.life === 'running';
      }
    } catch (error) {
      this.fail(error);
    }
    return false;
  }

  /** K4. Also a chain that was interrupted takes no more. */
  mustStop(): boolean {
    return this.options.clock.monotonic() >= this.deadline || this.parts!.chain.isInterrupted;
  }

  /** K1, K4 */
  shouldYield(): boolean {
    return this.blockedChannels > 0 || this.options.clock.monotonic() >= this.deadline;
  }

  busy(ms: number): void {
    this.options.meter.busy(ms);
  }

  /** Calls the chain in a turn after about `ms`, instead of when it was to be called before. */
  wakeAfter(ms: number): void {
    this.preventTimer?.();
    this.preventTimer = this.options.clock.after(ms, () => {
      this.preventTimer = null;
      this.isTimerDue = true;
      this.wake();
    });
  }

  hasData(channel: InputChannel): void {
    if (this.aligner.isBlocked(channel)) return;
    this.withData.push(channel);
    this.wake();
  }

  barrier(_channel: InputChannel, barrier: CheckpointBarrier): void {
    this.arrived = barrier;
  }

  changed(by: 1 | -1): void {
    this.blockedChannels += by;
    if (this.blockedChannels === 0) this.wake();
  }

  drained(): void {
    this.whenDrained?.();
  }

  failed(error: Error): void {
    this.fail(error);
  }

  fail(error: unknown): void {
    const operator = this.parts?.chain.failedOperator(error) ?? null;
    this.stop(() => ({
      state: ExecutionState.failed,
      error: this.options.describe(error, operator),
    }));
  }

  cancel(): void {
    this.stop(() => ({ state: ExecutionState.canceled }));
  }

  private wake(): void {
    if (this.life === 'running') this.options.mailbox.wake(this);
  }

  /** K1. Notes what it waits for. */
  private canWork(chain: OperatorChain): boolean {
    if (this.blockedChannels > 0) {
      this.options.meter.pressed(true);
      return false;
    }
    if (this.isChainBusy) return false;
    const ready = chain.ready();
    if (ready === null) {
      this.options.meter.pressed(false);
      return true;
    }
    this.isChainBusy = true;
    this.options.meter.pressed(true);
    ready.then(
      () => {
        this.isChainBusy = false;
        this.wake();
      },
      (error: unknown) => this.fail(error),
    );
    return false;
  }

  private fireTimers(chain: OperatorChain): void {
    this.isTimerDue = false;
    chain.onProcessingTime();
  }

  /** @returns whether there may be more to do. */
  private work(chain: OperatorChain): boolean {
    if (chain.isInterrupted) {
      chain.resume();
    } else if (this.aligned !== null) {
      this.passBarrier(this.aligned);
    } else if (!(chain.source === null ? this.processBuffer() : this.poll(chain.source))) {
      return chain.isInterrupted;
    }
    if (this.isInputOver && !chain.isInterrupted && this.aligned === null) this.finish();
    return true;
  }

  private processBuffer(): boolean {
    const channel = this.withData.shift();
    if (channel === undefined) return false;
    channel.process(this.reader);
    const { aligner, arrived } = this;
    this.arrived = null;
    if (arrived !== null) this.aligned = aligner.barrier(channel, arrived);
    else if (channel.hasEnded) this.aligned = aligner.end(channel);
    if (channel.hasData && !aligner.isBlocked(channel)) this.withData.push(channel);
    this.isInputOver = aligner.liveChannels === 0;
    return true;
  }

  /** K5 */
  private passBarrier(barrier: CheckpointBarrier): void {
    this.aligned = null;
    for (const writer of this.parts!.writers) writer.barrier(barrier);
    this.aligner.release();
  }

  private poll(source: ChainSource): boolean {
    if (this.isSourceWaiting) return false;
    switch (source.poll(pollBatch)) {
      case PollStatus.more:
        return true;
      case PollStatus.wait:
        this.waitFor(source.available(), () => {});
        return false;
      case PollStatus.needSplit:
        this.waitFor(this.options.requestSplit(source.operatorId), (split) => {
          if (split === null) source.noMoreSplits();
          else source.addSplit(split);
        });
        return false;
      case PollStatus.end:
        this.isInputOver = true;
        return true;
    }
  }

  private waitFor<T>(promise: Promise<T>, then: (value: T) => void): void {
    this.isSourceWaiting = true;
    promise
      .then((value) => {
        this.isSourceWaiting = false;
        if (this.life !== 'running') return;
        then(value);
        this.wake();
      })
      .catch((error: unknown) => this.fail(error));
  }

  private finish(): void {
    this.life = 'finishing';
    this.clearTimer();
    const { chain, writers } = this.parts!;
    const drained = new Promise<void>((resolve) => {
      this.whenDrained = () => {
        if (writers.every((writer) => writer.isDrained)) resolve();
      };
      this.whenDrained();
    });
    Promise.all([chain.finish(), drained]).then(
      ([committables]) => {
        if (this.isIn('finishing')) this.settle({ state: ExecutionState.finished, committables });
      },
      (error: unknown) => this.fail(error),
    );
  }

  private stop(end: () => TaskEnd): void {
    if (this.life === 'stopping' || this.life === 'ended') return;
    this.life = 'stopping';
    this.clearTimer();
    const described = end();
    const grace = new Promise<void>((resolve) => {
      this.options.clock.after(abortGraceMs, resolve);
    });
    const aborted = this.parts?.chain.abort() ?? Promise.resolve();
    void Promise.race([aborted, grace]).then(() => this.settle(described));
  }

  /** K3 */
  private settle(end: TaskEnd): void {
    if (this.life === 'ended') return;
    this.life = 'ended';
    this.withData.clear();
    this.options.meter.end();
    this.options.ended(end);
  }

  /** Tells the state after an await, when it may have changed. */
  private isIn(state: Life): boolean {
    return this.life === state;
  }

  private clearTimer(): void {
    this.preventTimer?.();
    this.preventTimer = null;
  }
}
