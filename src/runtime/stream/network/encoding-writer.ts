/**
 * Writes the elements of a channel into buffers and hands full ones to its link.
 *
 * E1  A buffer holds whole elements. When a record does not fit, what stands before it is sent, and it
 *     goes on in a buffer of its own, as large as it needs.
 * E2  A buffer that is sent half empty is copied to its size: a consumer that does not read must not hold
 *     32 KiB for each of many small ones.
 * E3  `barrier` and `end` go out at once, everything else when the buffer is full or its time is over.
 * E4  A record that cannot be encoded leaves no byte behind, and is the last one: what its codec has learned
 *     of it, the reader never will. Its error is thrown again for each later record.
 */
import { ByteWriter } from '../../../api/bytes.ts';
import type { Codec } from '../../../api/codec.ts';
import type { CheckpointBarrier } from '../checkpoint/barrier-aligner.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { ChannelWriter, Flusher } from './channel-writer.ts';
import {
  HEADROOM_BYTES,
  writeBarrier,
  writeEnd,
  writeIdle,
  writeRecord,
  writeWatermark,
} from './elements.ts';
import { ITEM_OVERHEAD_BYTES, type SendWindow } from './send-window.ts';

/** A buffer that is ready to go: `bytes[HEADROOM_BYTES .. length)` are elements. */
export interface SealedBuffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly length: number;
  readonly cost: number;
}

/** What receiver and sender count for a buffer with that many bytes of elements. */
export function bufferCost(payloadBytes: number): number {
  return payloadBytes + ITEM_OVERHEAD_BYTES;
}

export interface EncodingOptions {
  readonly codec: Codec<unknown>;
  readonly pool: BufferPool;
  readonly flusher: Flusher;
  /** A record with more bytes is refused. */
  readonly maxRecordBytes: number;
  /** Counts the bytes that were sent. */
  readonly counters: { bytesOut: number };
}

const none: Uint8Array<ArrayBuffer> = new Uint8Array(0);

export class EncodingWriter implements ChannelWriter {
  private readonly options: EncodingOptions;
  private readonly window: SendWindow<SealedBuffer>;
  private readonly writer = new ByteWriter(none);
  private buffer: Uint8Array<ArrayBuffer> = none;
  private isScheduled = false;
  private failure: { readonly error: unknown } | null = null;
  /** The end was written. */
  hasEnded = false;

  constructor(options: EncodingOptions, window: SendWindow<SealedBuffer>) {
    this.options = options;
    this.window = window;
    this.writer.onFull = (_writer, needed) => this.makeRoom(needed);
  }

  get isDrained(): boolean {
    return this.writer.position <= HEADROOM_BYTES && this.window.isDrained;
  }

  record(value: unknown, timestamp: number): void {
    const { writer } = this;
    if (this.failure !== null) throw this.failure.error; // E4
    writer.recordStart = writer.position;
    try {
      writeRecord(writer, this.options.codec, value, timestamp);
      this.checkSize(writer.position - writer.recordStart);
    } catch (error) {
      this.takeBack(error);
    }
    this.written();
  }

  watermark(timestamp: number): void {
    this.writer.recordStart = this.writer.position;
    writeWatermark(this.writer, timestamp);
    this.written();
  }

  idle(isIdle: boolean): void {
    this.writer.recordStart = this.writer.position;
    writeIdle(this.writer, isIdle);
    this.written();
  }

  barrier(barrier: CheckpointBarrier): void {
    this.writer.recordStart = this.writer.position;
    writeBarrier(this.writer, barrier);
    this.flush(); // E3
  }

  end(): void {
    this.writer.recordStart = this.writer.position;
    writeEnd(this.writer);
    this.hasEnded = true;
    this.flush(); // E3
  }

  flush(): void {
    this.isScheduled = false;
    this.send(this.writer.position);
  }

  private written(): void {
    if (this.options.flusher.isImmediate || this.writer.position > this.options.pool.bufferSize) {
      this.flush();
    } else if (!this.isScheduled) {
      this.isScheduled = true;
      this.options.flusher.schedule(this);
    }
  }

  /** Sends what stands before `end` and leaves an empty buffer or none. */
  private send(end: number): void {
    if (end <= HEADROOM_BYTES) return;
    const { bytesOut } = this.options.counters;
    const payload = end - HEADROOM_BYTES;
    this.options.counters.bytesOut = bytesOut + payload;
    const isHalfEmpty = end * 2 < this.buffer.length;
    const bytes = isHalfEmpty ? this.buffer.slice(0, end) : this.buffer; // E2
    const isKept = isHalfEmpty && this.buffer.length === this.options.pool.bufferSize;
    this.use(isKept ? this.buffer : none, isKept ? HEADROOM_BYTES : 0);
    this.window.send({ bytes, length: end, cost: bufferCost(payload) });
  }

  /** E1 */
  private makeRoom(needed: number): void {
    const { writer } = this;
    const { pool } = this.options;
    const { recordStart } = writer;
    const begun = writer.position - recordStart;
    this.checkSize(begun);
    const old = this.buffer;
    const isAlone = recordStart <= HEADROOM_BYTES;
    const wanted = HEADROOM_BYTES + begun + needed;
    const oversize = isAlone ? Math.max(wanted, old.length * 2) : wanted;
    const buffer =
      wanted <= pool.bufferSize ? pool.take() : new Uint8Array(new ArrayBuffer(oversize));
    buffer.set(old.subarray(recordStart, recordStart + begun), HEADROOM_BYTES);
    if (!isAlone) this.send(recordStart); // `old` may belong to the link from here on
    if (this.buffer === old) pool.give(old.buffer);
    this.use(buffer, HEADROOM_BYTES + begun);
    writer.recordStart = HEADROOM_BYTES;
  }

  /** E4. The record may have moved to another buffer meanwhile; where it begins moved with it. */
  private takeBack(error: unknown): never {
    this.writer.position = this.writer.recordStart;
    this.failure = { error };
    throw error;
  }

  private use(buffer: Uint8Array<ArrayBuffer>, position: number): void {
    this.buffer = buffer;
    this.writer.use(buffer, position);
  }

  private checkSize(bytes: number): void {
    const { maxRecordBytes } = this.options;
    if (bytes <= maxRecordBytes) return;
    throw new Error(
      `a record of more than ${maxRecordBytes} bytes is too large to be sent to another task: split it, ` +
        'or send a reference to it',
    );
  }
}
