/** The producing end of a channel, whatever transport it has. */
import type { Clock } from '../../../contract/clock.ts';
import type { CheckpointBarrier } from '../checkpoint/barrier-aligner.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';

export interface ChannelWriter extends ElementConsumer {
  /** Goes out at once, behind all that came before. */
  barrier(barrier: CheckpointBarrier): void;
  /** Sends what has been gathered. */
  flush(): void;
  readonly isDrained: boolean;
}

/** Flushes channels that hold something, `bufferTimeoutMs` after the first of them began to. */
export interface Flusher {
  /** The writer holds something; it is flushed within the buffer timeout. */
  schedule(writer: ChannelWriter): void;
  /** Flush after every element: the buffer timeout is 0. */
  readonly isImmediate: boolean;
}

/** One timer for all channels of a slot. */
export class TimedFlusher implements Flusher {
  readonly isImmediate: boolean;
  private readonly timeoutMs: number;
  private readonly writers = new Set<ChannelWriter>();
  private readonly clock: Clock;
  private prevent: (() => void) | null = null;

  constructor(timeoutMs: number, clock: Clock) {
    this.clock = clock;
    this.timeoutMs = timeoutMs;
    this.isImmediate = timeoutMs === 0;
  }

  schedule(writer: ChannelWriter): void {
    this.writers.add(writer);
    this.prevent ??= this.clock.after(this.timeoutMs, () => this.flush());
  }

  close(): void {
    this.prevent?.();
    this.prevent = null;
    this.writers.clear();
  }

  private flush(): void {
    this.prevent = null;
    const writers = [...this.writers];
    this.writers.clear();
    for (const writer of writers) writer.flush();
  }
}
