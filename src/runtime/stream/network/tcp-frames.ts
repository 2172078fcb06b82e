/**
 * Frames on a TCP connection between two slots. Little-endian:
 *
 *     frame   = length:u32 type:u8 channel:u32 body      `length` counts what follows it
 *     type    = 1 hello    body = JSON `Hello`           producer → consumer, first and once
 *             | 2 open     body = key:utf8               producer → consumer
 *             | 3 data     body = elements               producer → consumer
 *             | 4 accept   body = credit:u32             consumer → producer
 *             | 5 return   body = cost:u32               consumer → producer
 *             | 6 refuse   body = reason:utf8            consumer → producer, then it closes
 *
 * Header and headroom of a buffer have the same size, so a buffer goes out in one write.
 */
import { HEADROOM_BYTES } from './elements.ts';

export const FrameType = { hello: 1, open: 2, data: 3, accept: 4, return: 5, refuse: 6 } as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

export const FRAME_HEADER_BYTES = HEADROOM_BYTES;

export function writeHeader(
  bytes: Uint8Array,
  length: number,
  type: FrameType,
  channel: number,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_HEADER_BYTES);
  view.setUint32(0, length - 4, true);
  view.setUint8(4, type);
  view.setUint32(5, channel, true);
}

/** A frame with a text as its body. */
export function textFrame(type: FrameType, channel: number, text: string): Uint8Array {
  const body = Buffer.from(text);
  const frame = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  frame.set(body, FRAME_HEADER_BYTES);
  writeHeader(frame, frame.length, type, channel);
  return frame;
}

/** A frame with a number as its body. */
export function numberFrame(type: FrameType, channel: number, value: number): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + 4);
  new DataView(frame.buffer).setUint32(FRAME_HEADER_BYTES, Math.min(value, 0xffff_ffff), true);
  writeHeader(frame, frame.length, type, channel);
  return frame;
}

export function readNumber(body: Uint8Array): number {
  if (body.length !== 4) throw new RangeError(`a frame has ${body.length} bytes instead of 4`);
  return new DataView(body.buffer, body.byteOffset, 4).getUint32(0, true);
}

/** `body` is only valid during the call unless it is a whole chunk's part, which is never written again. */
export type FrameHandler = (type: number, channel: number, body: Uint8Array) => void;

/** Cuts a stream of chunks into frames. A frame that lies in one chunk is not copied. */
export class FrameParser {
  /** A frame with a longer body is refused. May be changed between frames. */
  maxBodyBytes: number;
  private readonly handle: FrameHandler;
  private readonly header = new Uint8Array(FRAME_HEADER_BYTES);
  private readonly headerView = new DataView(this.header.buffer);
  private headerFilled = 0;
  /** The body of a frame that came in several chunks. */
  private body: Uint8Array | null = null;
  private bodyFilled = 0;

  constructor(maxBodyBytes: number, handle: FrameHandler) {
    this.maxBodyBytes = maxBodyBytes;
    this.handle = handle;
  }

  /** @throws RangeError when a frame is too large or too small; else what the handler throws. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length)
      at = this.body === null ? this.pushHeader(chunk, at) : this.pushBody(chunk, at, this.body);
  }

  private pushHeader(chunk: Uint8Array, start: number): number {
    const count = Math.min(FRAME_HEADER_BYTES - this.headerFilled, chunk.length - start);
    this.header.set(chunk.subarray(start, start + count), this.headerFilled);
    this.headerFilled += count;
    const at = start + count;
    if (this.headerFilled < FRAME_HEADER_BYTES) return at;
    const length = this.bodyLength();
    if (at + length > chunk.length) {
      this.body = new Uint8Array(length);
      this.bodyFilled = 0;
      return at;
    }
    this.headerFilled = 0;
    this.deliver(chunk.subarray(at, at + length));
    return at + length;
  }

  private pushBody(chunk: Uint8Array, start: number, body: Uint8Array): number {
    const count = Math.min(body.length - this.bodyFilled, chunk.length - start);
    body.set(chunk.subarray(start, start + count), this.bodyFilled);
    this.bodyFilled += count;
    if (this.bodyFilled === body.length) {
      this.body = null;
      this.headerFilled = 0;
      this.deliver(body);
    }
    return start + count;
  }

  private bodyLength(): number {
    const length = this.headerView.getUint32(0, true) - (FRAME_HEADER_BYTES - 4);
    if (length >= 0 && length <= this.maxBodyBytes) return length;
    throw new RangeError(`a frame of ${length} bytes; at most ${this.maxBodyBytes} are allowed`);
  }

  private deliver(body: Uint8Array): void {
    this.handle(this.headerView.getUint8(4), this.headerView.getUint32(5, true), body);
  }
}
