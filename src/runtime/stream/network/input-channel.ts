/**
 * The consuming end of a channel: what has come and was not processed yet.
 *
 * I1  Credit goes back when a quarter of it was processed, and after the end, so that a trickle does not
 *     cost a message a buffer, and the producer learns that everything was processed.
 * I2  A link that is lost after the end of the channel is no failure.
 * I3  The owner hears of data once, until it was all processed: also when giving back credit brings more
 *     at once, as it does within a slot.
 */
import type { ByteReader } from '../../../api/bytes.ts';
import type { Codec } from '../../../api/codec.ts';
import type { CheckpointBarrier } from '../checkpoint/barrier-aligner.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';
import { type ReadLimit, type ReadProgress, readElements } from './elements.ts';
import { bufferCost } from './encoding-writer.ts';
import { Fifo } from './fifo.ts';
import type { IncomingChannel, IncomingLink } from './links.ts';
import { type BatchPosition, type ReferenceBatch, readBatch } from './reference-writer.ts';

/** The task that a channel belongs to. */
export interface ChannelOwner extends ReadLimit {
  /** The channel, which was empty, has something to process (I3). */
  hasData(channel: InputChannel): void;
  /** All before the barrier was passed on, and nothing behind it: the channel was left there. */
  barrier(channel: InputChannel, barrier: CheckpointBarrier): void;
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
  private readonly progress: ReadProgress = {
    records: 0,
    barrier: null,
    hasEnded: false,
  };
  private readonly waiting = new Fifo<Uint8Array | ReferenceBatch>();
  /** What is being processed, and the next element in it: a record's index, or where it is in the bytes. */
  private item: Uint8Array | ReferenceBatch | null = null;
  private readonly position: BatchPosition = { record: 0, control: 0 };
  private isAnnounced = false;
  private producer: Producer | null = null;
  private number = 0;
  private toGiveBack = 0;
  private buffers: ArrayBuffer[] = [];

  constructor(options: InputChannelOptions) {
    this.options = options;
    this.creditBytes = options.creditBytes;
  }

  get hasData(): boolean {
    return this.item !== null || this.waiting.length > 0;
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
    if (this.isAnnounced) return; // I3
    this.isAnnounced = true;
    this.options.owner.hasData(this);
  }

  lost(error: Error): void {
    if (!this.progress.hasEnded) this.options.owner.failed(error); // I2
  }

  /** Processes one buffer, or what its owner lets it, or what stands before a barrier. */
  process(reader: ByteReader): void {
    const item = this.item ?? this.waiting.shift();
    if (item === undefined) return;
    const { counters } = this.options;
    const { progress } = this;
    const before = progress.records;
    this.item = item;
    if (item instanceof Uint8Array) this.readBytes(item, reader);
    else this.readBatch(item);
    counters.recordsIn += progress.records - before;
    this.isAnnounced = this.hasData;
    const { barrier } = progress;
    if (barrier === null) return;
    progress.barrier = null;
    this.options.owner.barrier(this, barrier);
  }

  private readBytes(item: Uint8Array, reader: ByteReader): void {
    const { codec, consumer, counters, owner } = this.options;
    reader.use(item);
    reader.position = this.position.record;
    readElements(reader, codec, consumer, this.progress, owner);
    this.position.record = reader.position;
    if (reader.position < reader.end) return;
    counters.bytesIn += item.length;
    this.finished(bufferCost(item.length), item.buffer);
  }

  private readBatch(item: ReferenceBatch): void {
    const { consumer, counters, owner } = this.options;
    if (!readBatch(item, this.position, consumer, this.progress, owner)) return;
    counters.bytesIn += item.bytes;
    this.finished(item.cost, null);
  }

  private finished(cost: number, buffer: ArrayBufferLike | null): void {
    this.item = null;
    this.position.record = 0;
    this.position.control = 0;
    this.giveBack(cost, buffer);
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
