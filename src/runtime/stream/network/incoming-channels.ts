/**
 * The channels of one incoming link, by number, with their credit as the consumer sees it.
 *
 * V1  A producer that sends without credit, on a channel that was not accepted or with a number that was
 *     used before breaks the protocol: memory is bounded whatever a peer does.
 */
import { bufferCost } from './encoding-writer.ts';
import type { ChannelDirectory, IncomingChannel, IncomingLink } from './links.ts';

/** More channels than any job has between two slots. */
const maxChannels = 1 << 20;

export class ProtocolViolation extends Error {}

interface Accepted {
  readonly channel: IncomingChannel;
  credit: number;
}

export class IncomingChannels {
  private readonly link: IncomingLink;
  private readonly directory: ChannelDirectory;
  /** `null`: opened and not accepted yet. */
  private readonly channels = new Map<number, Accepted | null>();

  constructor(link: IncomingLink, directory: ChannelDirectory) {
    this.link = link;
    this.directory = directory;
  }

  open(number: number, key: string): void {
    if (this.channels.has(number) || this.channels.size >= maxChannels) {
      throw new ProtocolViolation(`it opened channel ${number} twice`);
    }
    this.channels.set(number, null);
    this.directory.opened(key, this.link, number);
  }

  accept(number: number, channel: IncomingChannel, credit: number): void {
    this.channels.set(number, { channel, credit });
    channel.opened(this.link, number);
  }

  receive(number: number, bytes: Uint8Array): void {
    const accepted = this.channels.get(number);
    if (!accepted)
      throw new ProtocolViolation(`it sent data on channel ${number}, which is not open`);
    if (accepted.credit <= 0)
      throw new ProtocolViolation(`it sent data on channel ${number} without credit`); // V1
    accepted.credit -= bufferCost(bytes.length);
    accepted.channel.received(bytes);
  }

  giveBack(number: number, cost: number): void {
    const accepted = this.channels.get(number);
    if (accepted) accepted.credit += cost;
  }

  lost(error: Error): void {
    this.directory.closed(this.link);
    for (const accepted of this.channels.values()) accepted?.channel.lost(error);
    this.channels.clear();
  }
}
