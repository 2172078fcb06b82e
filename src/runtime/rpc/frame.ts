/**
 * What goes over the wire: one WebSocket message a frame, encoded by msgpack without shared structures,
 * so that a frame means the same alone.
 *
 *     frame    := [clusterId, resourceId, epoch, message]
 *     message  := request | answer
 *     request  := { t: 'q', i: id, m: method, a: arguments }
 *     answer   := { t: 's', i: id, r: result } | { t: 's', i: id, e: failure }
 *     failure  := { code, message }
 */
import { Packr } from 'msgpackr/pack';
import type { Envelope } from './protocol.ts';
import { RpcError, toRpcError } from './rpc-error.ts';

export type RpcMessage =
  | { readonly t: 'q'; readonly i: string; readonly m: string; readonly a: readonly unknown[] }
  | { readonly t: 's'; readonly i: string; readonly r?: unknown; readonly e?: unknown };

export interface Frame {
  readonly envelope: Envelope;
  readonly message: RpcMessage;
}

const packr = new Packr({ useRecords: false });

/** @throws RpcError `too-large` when the frame would be larger than `maxBytes`. */
export function encodeFrame(envelope: Envelope, message: RpcMessage, maxBytes: number): Buffer {
  const { clusterId, resourceId, epoch } = envelope;
  const bytes = packr.pack([clusterId, resourceId, epoch, withPlainError(message)]);
  if (bytes.length > maxBytes) {
    const what = message.t === 'q' ? `a call of ${message.m}` : 'an answer';
    throw new RpcError(
      'too-large',
      `${what} takes ${bytes.length} bytes, more than the ${maxBytes} of a frame`,
    );
  }
  return bytes;
}

/** @throws RpcError `malformed` for anything that is not a frame. */
export function decodeFrame(bytes: Uint8Array): Frame {
  let value: unknown;
  try {
    value = packr.unpack(bytes);
  } catch (error) {
    throw new RpcError(
      'malformed',
      `the peer sent something that is not msgpack: ${(error as Error).message}`,
    );
  }
  if (!Array.isArray(value) || value.length !== 4) throw malformed();
  const [clusterId, resourceId, epoch, message] = value as unknown[];
  if (typeof clusterId !== 'string' || typeof resourceId !== 'string') throw malformed();
  if (typeof epoch !== 'number' || !isMessage(message)) throw malformed();
  return { envelope: { clusterId, resourceId, epoch }, message: withRpcError(message) };
}

const malformed = () => new RpcError('malformed', 'the peer sent a message that is not a frame');

function isMessage(value: unknown): value is RpcMessage {
  if (value === null || typeof value !== 'object') return false;
  const { t, i, m, a } = value as Record<string, unknown>;
  if (typeof i !== 'string') return false;
  return t === 's' || (t === 'q' && typeof m === 'string' && Array.isArray(a));
}

function withPlainError(message: RpcMessage): RpcMessage {
  if (message.t !== 's' || message.e === undefined) return message;
  const { code, message: text } = toRpcError(message.e);
  return { ...message, e: { code, message: text } };
}

function withRpcError(message: RpcMessage): RpcMessage {
  if (message.t !== 's' || message.e === undefined || message.e === null) return message;
  const { code, message: text } = message.e as { code?: unknown; message?: unknown };
  return {
    ...message,
    e: new RpcError(toCode(code), typeof text === 'string' ? text : 'unknown error'),
  };
}

function toCode(code: unknown): RpcError['code'] {
  return code === 'stale' || code === 'too-large' ? code : 'failed';
}
