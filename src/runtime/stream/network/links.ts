/**
 * One direction between two slots, from producer to consumer, with many channels on it. TCP and
 * MessagePorts both look like this; a channel is named by its key and, on the link, by a number.
 *
 * L1  `open` may be called before the consumer has deployed its task: the link then waits, and the
 *     producer has no credit yet.
 * L2  A link that is lost tells all its channels once, at both ends. `close` tells none at this end.
 */
import type { SealedBuffer } from './encoding-writer.ts';

/** What a producing channel hears from its link. */
export interface OutgoingChannel {
  accepted(creditBytes: number): void;
  returned(cost: number): void;
  lost(error: Error): void;
}

/** The producer's end of a link. */
export interface OutgoingLink {
  /** @returns the channel's number. */
  open(key: string, channel: OutgoingChannel): number;
  send(channel: number, buffer: SealedBuffer): void;
  close(): void;
}

/** What a consuming channel hears from its link. `bytes` are elements, without headroom. */
export interface IncomingChannel {
  /** Bound to a producer; from now on `link.giveBack(number, …)` reaches it. */
  opened(link: IncomingLink, number: number): void;
  received(bytes: Uint8Array): void;
  lost(error: Error): void;
}

/** The consumer's end of a link. */
export interface IncomingLink {
  /** Binds the channel that the producer has opened under that number, and gives its first credit. */
  accept(number: number, channel: IncomingChannel, creditBytes: number): void;
  /** Buffers of this size can be given back and are used again; 0: none. */
  readonly recycledBytes: number;
  /** Processed: gives credit back, and buffers whose elements were processed. */
  giveBack(number: number, cost: number, buffers: ArrayBuffer[]): void;
  close(): void;
}

/** Who finds the consuming channels of a slot. */
export interface ChannelDirectory {
  /** A producer has opened a channel. */
  opened(key: string, link: IncomingLink, number: number): void;
  /** Forgets what this link has opened and nobody has accepted. */
  closed(link: IncomingLink): void;
}
