/**
 * The head of a source chain: drives a SourceReader, gives its records timestamps, and tells event time.
 *
 * S1  After each batch the watermark is passed on, if it advanced: cheap, and for the same batches the
 *     same watermarks (Flink emits by the clock, every 200 ms). A batch that the host interrupted, because
 *     its records cost too much, goes on with the next poll and is still one.
 * S2  A source is idle when its reader has had nothing to read for `idlenessMs`. A host that does not
 *     poll (back pressure) does not make it idle: the time counts from a poll that found nothing, and
 *     stops once the reader has something again.
 * S3  After the last record: the highest watermark, then `end()`, once.
 */
import { MAX_WATERMARK, PollStatus } from '../../../api/source.ts';
import type { Source, SourceOutput, SourceReader, Split } from '../../../api/source.ts';
import type { Committable } from '../../../api/sink.ts';
import type { WatermarkStrategy } from '../../../api/watermarks.ts';
import type { ElementConsumer } from './element-consumer.ts';
import { EventTime } from './event-time.ts';
import type { ChainHost, ChainSource } from './operator-chain.ts';
import { Operator } from './operator.ts';
import type { OperatorMetrics, OperatorSetup } from './operator.ts';
import type { ProcessingTimers } from '../timers/processing-timers.ts';

/** Records read between two looks at whether to yield. */
const yieldInterval = 32;

/** What the reader emits into: counts, and gives timestamps when there is a strategy. */
class ReaderOutput implements SourceOutput<unknown> {
  count = 0;
  isIdle = false;
  /** What failed behind the reader: it does not go on, also where the reader has caught it. */
  failure: { readonly error: unknown } | null = null;
  private readonly output: ElementConsumer;
  private readonly eventTime: EventTime | null;

  constructor(output: ElementConsumer, eventTime: EventTime | null) {
    this.output = output;
    this.eventTime = eventTime;
  }

  emit(value: unknown, timestamp: number): void {
    this.count++;
    if (this.isIdle) this.wake();
    try {
      const assigned = this.eventTime === null ? timestamp : this.eventTime.assign(value);
      this.output.record(value, assigned);
    } catch (error) {
      this.failure ??= { error };
      throw error;
    }
  }

  private wake(): void {
    this.isIdle = false;
    this.output.idle(false);
  }
}

export class SourceOperator extends Operator implements ChainSource {
  readonly operatorId: string;
  private readonly source: Source<unknown>;
  private readonly idlenessMs: number | null;
  private readonly eventTime: EventTime | null;
  private readonly readerOutput: ReaderOutput;
  private readonly host: ChainHost;
  private readonly metrics: OperatorMetrics;
  private readonly timers: ProcessingTimers;
  private reader: SourceReader<unknown> | null = null;
  private hasEnded = false;
  /** What is left of the batch that was interrupted; 0: none was. */
  private unread = 0;
  /** When the first poll of those that found nothing since the last record was; `null`: records come. */
  private inactiveSince: number | null = null;
  /** The reader has something again, or may have, and the host has not polled since. */
  private pollPending = false;
  private idleTimerPending = false;

  constructor(
    setup: OperatorSetup,
    source: Source<unknown>,
    watermarks: WatermarkStrategy<unknown> | null,
  ) {
    super(setup);
    this.operatorId = setup.id;
    this.source = source;
    this.idlenessMs = watermarks === null ? null : watermarks.idlenessMs;
    this.eventTime = watermarks === null ? null : new EventTime(watermarks, setup.name);
    this.readerOutput = new ReaderOutput(setup.output, this.eventTime);
    this.host = setup.host;
    this.metrics = setup.metrics;
    this.timers = setup.timers;
  }

  override async open(): Promise<void> {
    try {
      this.reader = this.source.createReader({
        subtaskIndex: this.host.subtaskIndex,
        parallelism: this.host.parallelism,
        workingDirectory: this.host.workingDirectory,
        skipped: () => {
          this.metrics.skippedRecords++;
        },
      });
    } catch (error) {
      this.blame(error);
      throw error;
    }
  }

  addSplit(split: Split): void {
    this.pollPending = true; // S2
    this.guarded(() => this.opened().addSplit(split));
  }

  noMoreSplits(): void {
    this.guarded(() => this.opened().noMoreSplits());
  }

  poll(maxRecords: number): PollStatus {
    if (this.hasEnded) return PollStatus.end;
    const output = this.readerOutput;
    output.count = 0;
    this.pollPending = false;
    try {
      const status = this.readBatch(this.opened(), this.unread || maxRecords);
      this.afterPoll(output.count, status);
      return status;
    } catch (error) {
      this.blame(error);
      throw error;
    } finally {
      this.metrics.recordsIn += output.count;
    }
  }

  async available(): Promise<void> {
    try {
      await this.opened().available();
      this.pollPending = true; // S2
    } catch (error) {
      this.blame(error);
      throw error;
    }
  }

  record(): void {
    throw new Error(`source '${this.name}' has no input`);
  }

  override async finish(): Promise<readonly Committable[] | null> {
    await this.close();
    return null;
  }

  override abort(): Promise<void> {
    return this.close();
  }

  /** Reads on until the batch is full, the reader has no more for now, or the host wants to do something else. */
  private readBatch(reader: SourceReader<unknown>, size: number): PollStatus {
    const output = this.readerOutput;
    this.unread = 0;
    for (;;) {
      const wanted = Math.min(yieldInterval, size - output.count);
      const before = output.count;
      const status = reader.poll(output, wanted);
      if (output.failure !== null) throw output.failure.error;
      if (status !== PollStatus.more || output.count - before < wanted) return status;
      if (output.count >= size) return status;
      if (!this.host.shouldYield()) continue;
      this.unread = size - output.count;
      return status;
    }
  }

  private afterPoll(count: number, status: PollStatus): void {
    if (count > 0) this.inactiveSince = null;
    if (this.unread > 0) return;
    if (this.eventTime !== null) this.advance(this.eventTime.watermark()); // S1
    if (status === PollStatus.end) {
      this.hasEnded = true;
      if (this.readerOutput.isIdle) this.changeIdle(false);
      this.advance(MAX_WATERMARK); // S3
      this.end();
    } else if (status !== PollStatus.more && this.idlenessMs !== null) {
      this.inactiveSince ??= this.timers.now();
      this.scheduleIdleCheck(this.inactiveSince + this.idlenessMs);
    }
  }

  private advance(watermark: number): void {
    if (watermark > this.currentWatermark) this.watermark(watermark);
  }

  private scheduleIdleCheck(at: number): void {
    if (this.idleTimerPending || this.readerOutput.isIdle) return;
    this.idleTimerPending = true;
    this.timers.register(at, (now) => this.checkIdle(now));
  }

  private checkIdle(now: number): void {
    this.idleTimerPending = false;
    if (this.hasEnded || this.idlenessMs === null) return;
    if (this.pollPending || this.inactiveSince === null) return; // S2: the next poll checks again
    if (now - this.inactiveSince >= this.idlenessMs) this.changeIdle(true);
    else this.scheduleIdleCheck(this.inactiveSince + this.idlenessMs);
  }

  private changeIdle(isIdle: boolean): void {
    this.readerOutput.isIdle = isIdle;
    this.output.idle(isIdle);
  }

  private opened(): SourceReader<unknown> {
    if (this.reader === null) throw new Error(`source '${this.name}' is used before open()`);
    return this.reader;
  }

  private guarded(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.blame(error);
      throw error;
    }
  }

  private async close(): Promise<void> {
    const reader = this.reader;
    this.reader = null;
    if (reader !== null) await reader.close();
  }
}
