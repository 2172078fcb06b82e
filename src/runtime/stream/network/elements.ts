/**
 * How the elements of a channel stand in a buffer. Little-endian:
 *
 *     buffer      = headroom:u8[HEADROOM_BYTES] element*       the headroom belongs to the transport
 *     element     = 0 timestamp:f64 record
 *                 | 1 record                                   without a timestamp
 *                 | 2 timestamp:f64                            watermark
 *                 | 3 isIdle:u8
 *                 | 4 checkpointId:f64 timestamp:f64           barrier
 *                 | 5                                          end of data
 *     record      = what the channel's codec writes
 *
 * An element is never split over two buffers: a record that does not fit gets a larger one of its own.
 */
import type { ByteReader, ByteWriter } from '../../../api/bytes.ts';
import type { Codec } from '../../../api/codec.ts';
import { NO_TIMESTAMP } from '../../../api/source.ts';
import type { CheckpointBarrier } from '../checkpoint/barrier-aligner.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';

/** Room for the frame header of a TCP connection, so that header and elements go out in one write. */
export const HEADROOM_BYTES = 9;

const Tag = { timed: 0, untimed: 1, watermark: 2, idle: 3, barrier: 4, end: 5 } as const;

export function writeRecord(
  writer: ByteWriter,
  codec: Codec<unknown>,
  value: unknown,
  timestamp: number,
): void {
  if (timestamp === NO_TIMESTAMP) {
    writer.u8(Tag.untimed);
  } else {
    writer.u8(Tag.timed);
    writer.f64(timestamp);
  }
  codec.write(writer, value);
}

export function writeWatermark(writer: ByteWriter, timestamp: number): void {
  writer.u8(Tag.watermark);
  writer.f64(timestamp);
}

export function writeIdle(writer: ByteWriter, isIdle: boolean): void {
  writer.u8(Tag.idle);
  writer.u8(isIdle ? 1 : 0);
}

export function writeBarrier(writer: ByteWriter, barrier: CheckpointBarrier): void {
  writer.u8(Tag.barrier);
  writer.f64(barrier.checkpointId);
  writer.f64(barrier.timestamp);
}

export function writeEnd(writer: ByteWriter): void {
  writer.u8(Tag.end);
}

/** What a reader of elements has seen of its channel. */
export interface ReadProgress {
  records: number;
  /** The barrier that reading has stopped behind. */
  barrier: CheckpointBarrier | null;
  hasEnded: boolean;
}

/** Asked after `STOP_INTERVAL` records, and after everything that is no record. */
export interface ReadLimit {
  /** Whether the rest of a buffer must wait. */
  mustStop(): boolean;
}

/** A power of two. */
export const STOP_INTERVAL = 64;

/**
 * Passes the elements on that `reader` holds, until `limit` says to stop, or a barrier comes: then its position
 * is that of the next one.
 * @throws RangeError when the bytes are not of this grammar; else what the consumer throws.
 */
export function readElements(
  reader: ByteReader,
  codec: Codec<unknown>,
  consumer: ElementConsumer,
  progress: ReadProgress,
  limit: ReadLimit,
): void {
  let records = 0;
  while (reader.position < reader.end) {
    const tag = reader.u8();
    if (tag <= Tag.untimed) {
      const timestamp = tag === Tag.timed ? reader.f64() : NO_TIMESTAMP;
      consumer.record(codec.read(reader), timestamp);
      if ((++records & (STOP_INTERVAL - 1)) !== 0) continue;
    } else {
      readControl(tag, reader, consumer, progress);
    }
    if (progress.barrier !== null || limit.mustStop()) break;
  }
  progress.records += records;
}

function readControl(
  tag: number,
  reader: ByteReader,
  consumer: ElementConsumer,
  progress: ReadProgress,
): void {
  switch (tag) {
    case Tag.watermark:
      return consumer.watermark(reader.f64());
    case Tag.idle:
      return consumer.idle(reader.u8() !== 0);
    case Tag.barrier: {
      const checkpointId = reader.f64();
      progress.barrier = { checkpointId, timestamp: reader.f64() };
      return;
    }
    case Tag.end:
      progress.hasEnded = true;
      return consumer.end();
    default:
      throw new RangeError(`a buffer holds an element of unknown kind ${tag}`);
  }
}
