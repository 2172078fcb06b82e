/**
 * Links between slots of different processes: one TCP connection a direction, dialled by the producer.
 *
 * T1  Nothing but a small hello is read before the peer has shown the token and that it means this slot.
 * T2  Whatever breaks the protocol closes this connection, with a line in the log, and nothing else.
 * T3  A buffer goes back to the pool when the kernel has it.
 */
import { type Server, type Socket, connect, createServer } from 'node:net';
import type { Clock } from '../../../contract/clock.ts';
import type { BufferPool } from './buffer-pool.ts';
import { type Expected, type Hello, checkHello } from './hello.ts';
import { IncomingChannels } from './incoming-channels.ts';
import type { ChannelDirectory, IncomingLink, OutgoingChannel, OutgoingLink } from './links.ts';
import { PeerLostError } from './peer-lost-error.ts';
import {
  FrameParser,
  FrameType,
  numberFrame,
  readNumber,
  textFrame,
  writeHeader,
} from './tcp-frames.ts';

const maxHelloBytes = 4096;
const maxControlBytes = 64 * 1024;

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  readonly hello: Hello;
  /** For errors: `taskmanager-1 (10.0.0.2:4711)`. */
  readonly peer: string;
  readonly connectTimeoutMs: number;
  readonly pool: BufferPool;
  readonly clock: Clock;
}

/** Connects to the slot of a consumer. Does not wait: what is opened or sent meanwhile follows the hello. */
export function dialTcpLink(options: DialOptions): OutgoingLink {
  return new TcpOutgoingLink(options);
}

class TcpOutgoingLink implements OutgoingLink {
  private readonly options: DialOptions;
  private readonly socket: Socket;
  private readonly channels: OutgoingChannel[] = [];
  private readonly preventTimeout: () => void;
  private state: 'open' | 'settled' = 'open';

  constructor(options: DialOptions) {
    this.options = options;
    const { clock, host, port, hello, peer, connectTimeoutMs } = options;
    const parser = new FrameParser(maxControlBytes, (type, channel, body) =>
      this.onFrame(type, channel, body),
    );
    this.socket = connect({ host, port, noDelay: true });
    this.socket.write(textFrame(FrameType.hello, 0, JSON.stringify(hello)));
    this.preventTimeout = clock.after(connectTimeoutMs, () =>
      this.settle(`no connection within ${connectTimeoutMs} ms`),
    );
    this.socket.once('connect', this.preventTimeout);
    this.socket.on('error', (error) => this.settle(error.message));
    this.socket.on('close', () => this.settle(`${peer} closed it`));
    this.socket.on('data', (chunk) => {
      try {
        parser.push(chunk);
      } catch (error) {
        this.settle((error as Error).message);
      }
    });
  }

  open(key: string, channel: OutgoingChannel): number {
    const number = this.channels.push(channel) - 1;
    this.socket.write(textFrame(FrameType.open, number, key));
    return number;
  }

  send(
    channel: number,
    { bytes, length }: { bytes: Uint8Array<ArrayBuffer>; length: number },
  ): void {
    if (this.state === 'settled') return;
    writeHeader(bytes, length, FrameType.data, channel);
    this.socket.write(bytes.subarray(0, length), () => this.options.pool.give(bytes.buffer)); // T3
  }

  close(): void {
    this.channels.length = 0;
    this.settle('it was closed here');
  }

  private onFrame(type: number, channel: number, body: Uint8Array): void {
    switch (type) {
      case FrameType.accept:
        return this.channels[channel]?.accepted(readNumber(body));
      case FrameType.return:
        return this.channels[channel]?.returned(readNumber(body));
      case FrameType.refuse:
        return this.settle(`refused: ${Buffer.from(body).toString()}`);
      default:
        throw new RangeError(`a frame of unknown type ${type}`);
    }
  }

  private settle(why: string): void {
    if (this.state === 'settled') return;
    this.state = 'settled';
    this.preventTimeout();
    this.socket.destroy();
    const error = new PeerLostError(`the data connection to ${this.options.peer} is lost: ${why}`);
    for (const channel of this.channels.splice(0)) channel.lost(error);
  }
}

export interface DataServerOptions {
  readonly bind: string;
  readonly expected: Expected;
  readonly maxFrameBytes: number;
  readonly handshakeTimeoutMs: number;
  readonly directory: ChannelDirectory;
  readonly warn: (message: string) => void;
  readonly clock: Clock;
}

export interface DataServer {
  readonly port: number;
  /** Closes all connections at once. */
  close(): void;
}

/** Listens for the producers of a slot's tasks, on a port that the system chooses. */
export async function listenForLinks(options: DataServerOptions): Promise<DataServer> {
  const links = new Set<TcpIncomingLink>();
  const server: Server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    const link = new TcpIncomingLink(socket, options);
    links.add(link);
    socket.once('close', () => links.delete(link));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.bind, port: 0 }, resolve);
  });
  server.on('error', (error) => options.warn(`data port: ${error.message}`));
  return {
    port: (server.address() as { port: number }).port,
    close: () => {
      server.close();
      for (const link of links) link.close();
    },
  };
}

type IncomingState =
  | { readonly type: 'handshake'; readonly preventTimeout: () => void }
  | { readonly type: 'open'; readonly from: string }
  | { readonly type: 'settled' };

class TcpIncomingLink implements IncomingLink {
  readonly recycledBytes = 0;
  private readonly options: DataServerOptions;
  private readonly socket: Socket;
  private readonly channels: IncomingChannels;
  private readonly parser: FrameParser;
  private readonly remote: string;
  private state: IncomingState;

  constructor(socket: Socket, options: DataServerOptions) {
    this.options = options;
    this.socket = socket;
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`;
    this.channels = new IncomingChannels(this, options.directory);
    this.parser = new FrameParser(maxHelloBytes, (type, channel, body) =>
      this.onFrame(type, channel, body),
    ); // T1
    const { clock, handshakeTimeoutMs } = options;
    const preventTimeout = clock.after(handshakeTimeoutMs, () =>
      this.violated(`no handshake within ${handshakeTimeoutMs} ms`),
    );
    this.state = { type: 'handshake', preventTimeout };
    socket.on('error', (error) => this.settle(error.message));
    socket.on('close', () => this.settle('the peer closed it'));
    socket.on('data', (chunk) => this.onData(chunk));
  }

  accept(number: number, channel: Parameters<IncomingLink['accept']>[1], credit: number): void {
    this.channels.accept(number, channel, credit);
    this.socket.write(numberFrame(FrameType.accept, number, credit));
  }

  giveBack(number: number, cost: number): void {
    if (this.state.type === 'settled') return;
    this.channels.giveBack(number, cost);
    this.socket.write(numberFrame(FrameType.return, number, cost));
  }

  close(): void {
    this.settle('it was closed here');
  }

  private onData(chunk: Uint8Array): void {
    if (this.state.type === 'settled') return;
    try {
      this.parser.push(chunk);
    } catch (error) {
      this.violated((error as Error).message); // T2
    }
  }

  private onFrame(type: number, channel: number, body: Uint8Array): void {
    if (this.state.type === 'settled') return;
    if (this.state.type === 'handshake') return this.onHello(type, body, this.state.preventTimeout);
    if (type === FrameType.data) return this.channels.receive(channel, body);
    if (type === FrameType.open) return this.channels.open(channel, Buffer.from(body).toString());
    throw new RangeError(`a frame of unknown type ${type}`);
  }

  private onHello(type: number, body: Uint8Array, preventTimeout: () => void): void {
    if (type !== FrameType.hello) throw new RangeError('it does not begin with a handshake');
    const result = checkHello(Buffer.from(body).toString(), this.options.expected);
    if ('refusal' in result) {
      this.socket.write(textFrame(FrameType.refuse, 0, result.refusal));
      this.socket.destroySoon();
      return this.violated(result.refusal, { isEnding: true });
    }
    preventTimeout();
    this.state = { type: 'open', from: result.from };
    this.parser.maxBodyBytes = this.options.maxFrameBytes;
  }

  /** T2 */
  private violated(why: string, { isEnding = false } = {}): void {
    if (this.state.type === 'settled') return;
    const from = this.state.type === 'open' ? `${this.state.from} (${this.remote})` : this.remote;
    this.options.warn(`closed the data connection of ${from}: ${why}`);
    this.settle(why, isEnding);
  }

  private settle(why: string, isEnding = false): void {
    const { state } = this;
    if (state.type === 'settled') return;
    this.state = { type: 'settled' };
    if (state.type === 'handshake') state.preventTimeout();
    if (!isEnding) this.socket.destroy();
    const from = state.type === 'open' ? state.from : this.remote;
    this.channels.lost(new PeerLostError(`the data connection from ${from} is lost: ${why}`));
  }
}
