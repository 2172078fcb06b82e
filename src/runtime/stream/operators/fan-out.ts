/** Several outputs of one operator: each element goes to all of them, in their order. */
import type { ElementConsumer } from './element-consumer.ts';

class FanOut implements ElementConsumer {
  private readonly outputs: readonly ElementConsumer[];

  constructor(outputs: readonly ElementConsumer[]) {
    this.outputs = outputs;
  }

  record(value: unknown, timestamp: number): void {
    for (const output of this.outputs) output.record(value, timestamp);
  }

  watermark(timestamp: number): void {
    for (const output of this.outputs) output.watermark(timestamp);
  }

  idle(isIdle: boolean): void {
    for (const output of this.outputs) output.idle(isIdle);
  }

  end(): void {
    for (const output of this.outputs) output.end();
  }
}

/** One consumer that stands for all of `outputs`; none: elements go nowhere (behind a sink). */
export function fanOut(outputs: readonly ElementConsumer[]): ElementConsumer {
  const [only] = outputs;
  return outputs.length === 1 && only !== undefined ? only : new FanOut(outputs);
}
