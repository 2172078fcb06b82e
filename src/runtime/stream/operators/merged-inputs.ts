/**
 * Several inputs of one chain (a union): records go straight to its head, everything else once for all
 * inputs: the lowest watermark, the end after the last one.
 */
import type { ElementConsumer } from './element-consumer.ts';
import { WatermarkValve } from './watermark-valve.ts';

class Merger {
  readonly head: ElementConsumer;
  readonly valve: WatermarkValve;
  private live: number;

  constructor(inputs: number, head: ElementConsumer) {
    this.head = head;
    this.valve = new WatermarkValve(inputs, head);
    this.live = inputs;
  }

  end(input: number): void {
    if (--this.live > 0) this.valve.end(input);
    else this.head.end();
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
