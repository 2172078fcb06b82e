/**
 * A link between two slots of one process: buffers are transferred over a MessagePort, straight from one
 * worker thread to the other.
 *
 * Producer → consumer: `{ key, number }` opens, `[number, buffer, length]` is data.
 * Consumer → producer: `[number, credit]` accepts, `[number, cost, buffers]` gives back; the buffers of
 * the data travel with it, so that they circulate.
 */
import type { MessagePort } from 'node:worker_threads';
import type { BufferPool } from './buffer-pool.ts';
import { HEADROOM_BYTES } from './elements.ts';
import type { SealedBuffer } from './encoding-writer.ts';
import { IncomingChannels } from './incoming-channels.ts';
import type {
  ChannelDirectory,
  IncomingChannel,
  IncomingLink,
  OutgoingChannel,
  OutgoingLink,
} from './links.ts';
import { PeerLostError } from './peer-lost-error.ts';

interface OpenMessage {
  readonly key: string;
  readonly number: number;
}
type DataMessage = readonly [number: number, buffer: ArrayBuffer, length: number];
type AcceptMessage = readonly [number: number, credit: number];
type ReturnMessage = readonly [number: number, cost: number, buffers: ArrayBuffer[]];

/** @param peer for errors: `slot 1 of taskmanager-0`. */
export function outgoingPortLink(port: MessagePort, peer: string, pool: BufferPool): OutgoingLink {
  const channels: OutgoingChannel[] = [];
  port.on('message', (message: AcceptMessage | ReturnMessage) => {
    const channel = channels[message[0]];
    if (message.length === 2) return channel?.accepted(message[1]);
    for (const buffer of message[2]) pool.give(buffer);
    channel?.returned(message[1]);
  });
  port.once('close', () => {
    const error = new PeerLostError(`the data connection to ${peer} is lost: its slot has ended`);
    for (const channel of channels.splice(0)) channel.lost(error);
  });
  return {
    open: (key, channel) => {
      const number = channels.push(channel) - 1;
      port.postMessage({ key, number } satisfies OpenMessage);
      return number;
    },
    send: (number, { bytes, length }: SealedBuffer) => {
      port.postMessage([number, bytes.buffer, length] satisfies DataMessage, [bytes.buffer]);
    },
    close: () => {
      channels.length = 0;
      port.close();
    },
  };
}

export function incomingPortLink(
  port: MessagePort,
  peer: string,
  directory: ChannelDirectory,
  recycledBytes: number,
): IncomingLink {
  const link: IncomingLink = {
    recycledBytes,
    accept: (number, channel: IncomingChannel, credit) => {
      channels.accept(number, channel, credit);
      port.postMessage([number, credit] satisfies AcceptMessage);
    },
    giveBack: (number, cost, buffers) => {
      channels.giveBack(number, cost);
      port.postMessage([number, cost, buffers] satisfies ReturnMessage, buffers);
    },
    close: () => port.close(),
  };
  const channels = new IncomingChannels(link, directory);
  port.on('message', (message: OpenMessage | DataMessage) => {
    if ('key' in message) channels.open(message.number, message.key);
    else
      channels.receive(
        message[0],
        new Uint8Array(message[1], HEADROOM_BYTES, message[2] - HEADROOM_BYTES),
      );
  });
  port.once('close', () =>
    channels.lost(
      new PeerLostError(`the data connection from ${peer} is lost: its slot has ended`),
    ),
  );
  return link;
}
