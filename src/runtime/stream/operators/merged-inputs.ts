/**
 * Several inputs of one chain (a union): records go straight to its head, everything else once for all
 * inputs: the lowest watermark, a barrier when it came from every input that has not ended, the end after
 * the last one.
 */
import type { CheckpointBarrier, ElementConsumer } from './element-consumer.ts';
import { WatermarkValve } from './watermark-valve.ts';

class Merger {
  readonly head: ElementConsumer;
  readonly valve: WatermarkValve;
  private readonly live: Set<number>;
  /** The barrier that has come from some inputs (`from`) and not yet from all live ones. */
  private pending: { readonly barrier: CheckpointBarrier; readonly from: Set<number> } | null =
    null;

  constructor(inputs: number, head: ElementConsumer) {
    this.head = head;
    this.valve = new WatermarkValve(inputs, head);
    this.live = new Set(Array.from({ length: inputs }, (_, index) => index));
  }

  barrier(input: number, barrier: CheckpointBarrier): void {
    if (this.pending?.barrier.checkpointId !== barrier.checkpointId) {
      this.pending = { barrier, from: new Set() };
    }
    this.pending.from.add(input);
    this.passBarrier();
  }

  end(input: number): void {
    this.live.delete(input);
    if (this.live.size > 0) {
      this.valve.end(input);
      this.passBarrier();
    } else {
      this.head.end();
    }
  }

  private passBarrier(): void {
    if (this.pending === null) return;
    const { barrier, from } = this.pending;
    for (const input of this.live) if (!from.has(input)) return;
    this.pending = null;
    this.head.barrier(barrier);
  }
}

class MergedInput implements ElementConsumer {
  private readonly merger: Merger;
  private readonly head: ElementConsumer;
  private readonly index: number;

  constructor(merger: Merger, index: number) {
    this.merger = merger;
    this.head = merger.head;
    this.index = index;
  }

  record(value: unknown, timestamp: number): void {
    this.head.record(value, timestamp);
  }

  watermark(timestamp: number): void {
    this.merger.valve.watermark(this.index, timestamp);
  }

  idle(isIdle: boolean): void {
    this.merger.valve.idle(this.index, isIdle);
  }

  barrier(barrier: CheckpointBarrier): void {
    this.merger.barrier(this.index, barrier);
  }

  end(): void {
    this.merger.end(this.index);
  }
}

/** The inputs that lead to `head`; a single one is `head` itself. */
export function mergedInputs(count: number, head: ElementConsumer): readonly ElementConsumer[] {
  if (count === 0) return [];
  if (count === 1) return [head];
  const merger = new Merger(count, head);
  return Array.from({ length: count }, (_, index) => new MergedInput(merger, index));
}
