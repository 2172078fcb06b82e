/**
 * Which channel of an edge a record takes. Everything that is no record goes to all channels, in order.
 */
import type { ElementConsumer } from '../operators/element-consumer.ts';

export interface RecordCounter {
  recordsOut: number;
}

/** @returns the index of the channel that `value` takes. */
export type ChannelSelector = (value: unknown) => number;

abstract class EdgeOutput implements ElementConsumer {
  protected readonly channels: readonly ElementConsumer[];
  protected readonly counter: RecordCounter;

  constructor(channels: readonly ElementConsumer[], counter: RecordCounter) {
    this.channels = channels;
    this.counter = counter;
  }

  abstract record(value: unknown, timestamp: number): void;

  watermark(timestamp: number): void {
    for (const channel of this.channels) channel.watermark(timestamp);
  }

  idle(isIdle: boolean): void {
    for (const channel of this.channels) channel.idle(isIdle);
  }

  end(): void {
    for (const channel of this.channels) channel.end();
  }
}

class SelectingOutput extends EdgeOutput {
  private readonly select: ChannelSelector;

  constructor(
    channels: readonly ElementConsumer[],
    counter: RecordCounter,
    select: ChannelSelector,
  ) {
    super(channels, counter);
    this.select = select;
  }

  record(value: unknown, timestamp: number): void {
    this.counter.recordsOut++;
    this.channels[this.select(value)]!.record(value, timestamp);
  }
}

class BroadcastOutput extends EdgeOutput {
  record(value: unknown, timestamp: number): void {
    this.counter.recordsOut++;
    for (const channel of this.channels) channel.record(value, timestamp);
  }
}

/** Each record to one of the channels: the one that `select` says. */
export function selectingOutput(
  channels: readonly ElementConsumer[],
  counter: RecordCounter,
  select: ChannelSelector,
): ElementConsumer {
  return new SelectingOutput(channels, counter, select);
}

/** Each record to all channels. */
export function broadcastOutput(
  channels: readonly ElementConsumer[],
  counter: RecordCounter,
): ElementConsumer {
  return new BroadcastOutput(channels, counter);
}

/** One after the other, beginning with `start`: for rebalance and rescale. */
export function roundRobin(channels: number, start: number): ChannelSelector {
  let next = start % channels;
  return () => {
    const channel = next;
    next = next + 1 === channels ? 0 : next + 1;
    return channel;
  };
}

/** Any, for shuffle. @param random uniform in [0, 1). */
export function anyChannel(channels: number, random: () => number): ChannelSelector {
  return () => Math.floor(random() * channels);
}

/** By the key group of the record's key. `subtaskOf` maps a key to the target subtask. */
export function byKey(
  selector: (value: never) => unknown,
  subtaskOf: (key: unknown) => number,
): ChannelSelector {
  const select = selector as (value: unknown) => unknown;
  return (value) => subtaskOf(select(value));
}
