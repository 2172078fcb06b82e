/**
 * The consuming end of a channel: what has come and was not processed yet.
 *
 * I1  Credit goes back when a quarter of it was processed, and after the end, so that a trickle does not
 *     cost a message a buffer, and the producer learns that everything was processed.
 * I2  A link that is lost after the end of the channel is no failure.
 */
import type { ByteReader } from '../../api/bytes.ts';
import type { Codec } from '../../api/codec.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';
import { type ReadProgress, readElements } from './elements.ts';
import { bufferCost } from './encoding-writer.ts';
import { Fifo } from './fifo.ts';
import type { IncomingChannel, IncomingLink } from './links.ts';
import { type ReferenceBatch, readBatch } from './reference-writer.ts';

/** The task that a channel belongs to. */
export interface ChannelOwner {
  /** The channel, which was empty, has something to process. */
  hasData(channel: InputChannel): void;
  failed(error: Error): void;
}

export interface InputChannelOptions {
  readonly owner: ChannelOwner;
  /** Of this channel alone: msgpack codecs have state. */
  readonly codec: Codec<unknown>;
  readonly consumer: ElementConsumer;
  readonly creditBytes: number;
  readonly counters: { recordsIn: number; bytesIn: number };
}

/** The producer, as this end sees it. */
export type Producer = Pick<IncomingLink, 'giveBack' | 'recycledBytes'>;

export class InputChannel implements IncomingChannel {
  readonly creditBytes: number;
  private readonly options: InputChannelOptions;
  private readonly progress: ReadProgress = { records: 0, hasEnded: false };
  private readonly waiting = new Fifo<Uint8Array | ReferenceBatch>();
  private producer: Producer | null = null;
  private number = 0;
  private toGiveBack = 0;
  private buffers: ArrayBuffer[] = [];

  constructor(options: InputChannelOptions) {
    this.options = options;
    this.creditBytes = options.creditBytes;
  }

  get hasData(): boolean {
    return this.waiting.length > 0;
  }

  /** The end was processed; nothing follows. */
  get hasEnded(): boolean {
    return this.progress.hasEnded;
  }

  /** It has its producer. */
  get isOpen(): boolean {
    return this.producer !== null;
  }

  opened(producer: Producer, number: number): void {
    this.producer = producer;
    this.number = number;
  }

  received(item: Uint8Array | ReferenceBatch): void {
    this.waiting.push(item);
    if (this.waiting.length === 1) this.options.owner.hasData(this);
  }

  lost(error: Error): void {
    if (!this.progress.hasEnded) this.options.owner.failed(error); // I2
  }

  /** Processes one buffer. */
  process(reader: ByteReader): void {
    const item = this.waiting.shift();
    if (item === undefined) return;
    const { counters, codec, consumer } = this.options;
    const { progress } = this;
    const before = progress.records;
    if (item instanceof Uint8Array) {
      counters.bytesIn += item.length;
      reader.use(item);
      readElements(reader, codec, consumer, progress);
      this.giveBack(bufferCost(item.length), item.buffer);
    } else {
      counters.bytesIn += item.bytes;
      readBatch(item, consumer, progress);
      this.giveBack(item.cost, null);
    }
    counters.recordsIn += progress.records - before;
  }

  private giveBack(cost: number, buffer: ArrayBufferLike | null): void {
    const { producer } = this;
    if (producer === null) return;
    this.toGiveBack += cost;
    if (buffer instanceof ArrayBuffer && buffer.byteLength === producer.recycledBytes) {
      this.buffers.push(buffer);
    }
    if (this.toGiveBack * 4 < this.creditBytes && !this.progress.hasEnded) return; // I1
    producer.giveBack(this.number, this.toGiveBack, this.buffers);
    this.toGiveBack = 0;
    this.buffers = [];
  }
}
