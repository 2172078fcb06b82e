/** Two slots and a channel between them, over any transport, in this thread. */
import { type MessagePort } from 'node:worker_threads';
import { systemClock } from '../../../../src/contract/clock.ts';
import { ByteReader } from '../../../../src/api/bytes.ts';
import { compileCodec } from '../../../../src/api/codec.ts';
import type { TypeShape } from '../../../../src/api/types.ts';
import type { NetworkConfig } from '../../../../src/contract/runtime-config.ts';
import type { JobEdge } from '../../../../src/graph/job-graph.ts';
import type { ChannelWriter } from '../../../../src/runtime/stream/network/channel-writer.ts';
import { Exchange } from '../../../../src/runtime/stream/network/exchange.ts';
import type { IncomingChannel } from '../../../../src/runtime/stream/network/links.ts';
import { InputChannel } from '../../../../src/runtime/stream/network/input-channel.ts';
import type { CheckpointBarrier } from '../../../../src/runtime/stream/checkpoint/barrier-aligner.ts';
import type { ElementConsumer } from '../../../../src/runtime/stream/operators/element-consumer.ts';

export const transports = ['same slot', 'same process', 'other process'] as const;
export type Transport = (typeof transports)[number];

export const identity = { token: 'secret', clusterId: 'c', jobId: 'j', jobAttempt: 0 };

export const smallNetwork: NetworkConfig = {
  bufferTimeoutMs: 5,
  bufferSizeBytes: 256,
  channelCreditBytes: 1024,
  maxFrameBytes: 64 * 1024,
};

export type Element =
  | { readonly kind: 'record'; readonly value: unknown; readonly timestamp: number }
  | { readonly kind: 'watermark'; readonly timestamp: number }
  | { readonly kind: 'idle'; readonly isIdle: boolean }
  | { readonly kind: 'barrier'; readonly barrier: CheckpointBarrier }
  | { readonly kind: 'end' };

export function emit(writer: ChannelWriter, element: Element): void {
  switch (element.kind) {
    case 'record':
      return writer.record(element.value, element.timestamp);
    case 'watermark':
      return writer.watermark(element.timestamp);
    case 'idle':
      return writer.idle(element.isIdle);
    case 'barrier':
      return writer.barrier(element.barrier);
    case 'end':
      return writer.end();
  }
}

/** Collects what comes; `ended` resolves with the end. */
export class Recorder implements ElementConsumer {
  readonly elements: Element[] = [];
  readonly ended: Promise<void>;
  private resolveEnded!: () => void;

  constructor() {
    this.ended = new Promise((resolve) => (this.resolveEnded = resolve));
  }

  record(value: unknown, timestamp: number): void {
    this.elements.push({ kind: 'record', value, timestamp });
  }

  watermark(timestamp: number): void {
    this.elements.push({ kind: 'watermark', timestamp });
  }

  idle(isIdle: boolean): void {
    this.elements.push({ kind: 'idle', isIdle });
  }

  barrier(barrier: CheckpointBarrier): void {
    this.elements.push({ kind: 'barrier', barrier });
  }

  end(): void {
    this.elements.push({ kind: 'end' });
    this.resolveEnded();
  }
}

/** The producing task, as far as channels see it. */
export class Producer {
  readonly counters = { bytesOut: 0 };
  blocked = 0;
  readonly lost: Promise<Error>;
  private resolveLost!: (error: Error) => void;
  private waiting: (() => void)[] = [];

  constructor() {
    this.lost = new Promise((resolve) => (this.resolveLost = resolve));
  }

  changed(by: 1 | -1): void {
    this.blocked += by;
    if (this.blocked > 0) return;
    for (const wake of this.waiting.splice(0)) wake();
  }

  drained(): void {
    this.changed(1);
    this.changed(-1);
  }

  failed(error: Error): void {
    this.resolveLost(error);
  }

  /** Resolves when nothing is blocked. */
  async writable(): Promise<void> {
    while (this.blocked > 0) await this.news();
  }

  /** Resolves when credit came back. */
  news(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

export interface Pair {
  readonly writer: ChannelWriter;
  readonly producer: Producer;
  readonly input: InputChannel;
  readonly inputLost: Promise<Error>;
  /** Processes what comes, as it comes, from now on. */
  consume(): void;
  readonly consumerPort: number;
  readonly warnings: string[];
  /** The consumer's slot has another channel, with the credit of the first. */
  acceptOther(key: string, channel: IncomingChannel): void;
  closeProducer(): Promise<void>;
  closeConsumer(): Promise<void>;
  close(): Promise<void>;
}

const edgeOf = (type: TypeShape | null) => ({ id: 'edge', type }) as unknown as JobEdge;

/** Opens one channel. With `consumerFirst: false` the producer opens it before the consumer is there. */
export async function connectPair(
  transport: Transport,
  type: TypeShape | null,
  consumer: ElementConsumer & { barrier?(barrier: CheckpointBarrier): void },
  options: { readonly network?: NetworkConfig; readonly consumerFirst?: boolean } = {},
): Promise<Pair> {
  const { network = smallNetwork, consumerFirst = true } = options;
  const warnings: string[] = [];
  const base = {
    clock: systemClock,
    bind: '127.0.0.1',
    network,
    warn: (message: string) => warnings.push(message),
  };
  const right: Exchange = new Exchange({
    ...base,
    identity: { ...identity, allocationId: 'right' },
    taskManager: 'taskmanager-1/b',
    name: 'right',
    connectSlot: () => {
      throw new Error('not expected');
    },
  });
  const ports: MessagePort[] = [];
  const left =
    transport === 'same slot'
      ? right
      : new Exchange({
          ...base,
          identity: { ...identity, allocationId: 'left' },
          taskManager: transport === 'same process' ? 'taskmanager-1/b' : 'taskmanager-0/a',
          name: 'left',
          connectSlot: () => {
            const { port1, port2 } = new MessageChannel() as unknown as Record<
              'port1' | 'port2',
              MessagePort
            >;
            ports.push(port1, port2);
            right.addPort(port2, 'left');
            return port1;
          },
        });
  const dataPort = await right.listening();
  await left.listening();
  const peer = {
    allocationId: 'right',
    taskManager: 'taskmanager-1/b',
    host: '127.0.0.1',
    dataPort,
  };
  const channel = { sourceSubtask: 0, targetSubtask: 0, peer };
  const edge = edgeOf(type);
  const reader = new ByteReader(new Uint8Array(0));
  let isConsuming = false;
  const withData: InputChannel[] = [];
  const process = () => {
    for (let next = withData.shift(); next !== undefined; next = withData.shift()) {
      while (next.hasData) next.process(reader);
    }
  };
  let resolveInputLost!: (error: Error) => void;
  const inputLost = new Promise<Error>((resolve) => (resolveInputLost = resolve));
  const input = new InputChannel({
    owner: {
      hasData: (ready) => {
        withData.push(ready);
        if (isConsuming) queueMicrotask(process);
      },
      failed: resolveInputLost,
      barrier: (_channel, barrier) => consumer.barrier?.(barrier),
      mustStop: () => false,
    },
    codec: compileCodec<unknown>(type),
    consumer,
    creditBytes: network.channelCreditBytes,
    counters: { recordsIn: 0, bytesIn: 0 },
  });
  const producer = new Producer();
  if (consumerFirst) right.openInput(edge, channel, input);
  const writer = left.openOutput(edge, channel, producer, compileCodec<unknown>(type));
  if (!consumerFirst) {
    await new Promise((resolve) => setImmediate(resolve));
    right.openInput(edge, channel, input);
  }
  return {
    writer,
    producer,
    input,
    inputLost,
    consume: () => {
      isConsuming = true;
      process();
    },
    consumerPort: dataPort,
    warnings,
    acceptOther: (key, other) => {
      const [edgeId = '', source, target] = key.split('|');
      const numbers = { sourceSubtask: Number(source), targetSubtask: Number(target), peer };
      const creditBytes = network.channelCreditBytes;
      right.openInput(
        { ...edge, id: edgeId },
        numbers,
        Object.assign(other, { creditBytes, isOpen: false }),
      );
    },
    closeProducer: () => left.close(),
    closeConsumer: () => right.close(),
    close: async () => {
      await left.close();
      if (right !== left) await right.close();
      for (const port of ports) port.close();
    },
  };
}
