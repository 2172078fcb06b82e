/**
 * The end of a chain: drives a SinkWriter.
 *
 * K1  Nothing that a writer prepared survives `abort()`. `finish()` and `abort()` of a writer never run at
 *     the same time (the chain sees to it).
 */
import { compileCodec } from '../../../api/codec.ts';
import type { Committable, Sink, SinkWriter } from '../../../api/sink.ts';
import type { ChainHost } from './operator-chain.ts';
import { Operator } from './operator.ts';
import type { OperatorMetrics, OperatorSetup } from './operator.ts';

export class SinkOperator extends Operator {
  private readonly sink: Sink<unknown>;
  private readonly check: ((value: unknown) => void) | null;
  private readonly host: ChainHost;
  private readonly metrics: OperatorMetrics;
  private writer: SinkWriter<unknown> | null = null;
  private hasEnded = false;

  constructor(setup: OperatorSetup, sink: Sink<unknown>) {
    super(setup);
    this.sink = sink;
    this.check = sink.type === undefined ? null : compileCodec<unknown>(sink.type).check;
    this.host = setup.host;
    this.metrics = setup.metrics;
  }

  override async open(): Promise<void> {
    const { subtaskIndex, parallelism, jobId, epoch, attempt, workingDirectory, stdout } =
      this.host;
    try {
      this.writer = this.sink.createWriter({
        subtaskIndex,
        parallelism,
        jobId,
        epoch,
        attempt,
        workingDirectory,
        stdout,
      });
      await this.writer.open();
    } catch (error) {
      this.blame(error);
      throw error;
    }
  }

  record(value: unknown, timestamp: number): void {
    try {
      this.check?.(value);
      this.opened().write(value, timestamp);
      this.metrics.recordsOut++;
    } catch (error) {
      this.blame(error);
      throw error;
    }
  }

  override ready(): Promise<void> | null {
    const pending = this.opened().ready();
    return pending === null ? null : this.blamed(pending);
  }

  override end(): void {
    this.hasEnded = true;
  }

  override async finish(): Promise<readonly Committable[] | null> {
    if (!this.hasEnded)
      throw new Error(`sink '${this.name}' cannot finish before the end of input`);
    const committables = await this.blamed(this.opened().finish());
    return this.sink.committer === null ? null : committables;
  }

  override async abort(): Promise<void> {
    const writer = this.writer;
    this.writer = null;
    if (writer !== null) await writer.abort();
  }

  private opened(): SinkWriter<unknown> {
    if (this.writer === null) throw new Error(`sink '${this.name}' is not open`);
    return this.writer;
  }

  private async blamed<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      this.blame(error);
      throw error;
    }
  }
}
