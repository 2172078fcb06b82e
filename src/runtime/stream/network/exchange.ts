/**
 * The data plane of one slot: finds or makes the link to each peer, and the channels on them.
 *
 *     same slot       copied, no encoding
 *     same process    buffers transferred over a MessagePort
 *     other process   TCP
 *
 * X1  A channel that a producer has opened before its consumer was deployed waits here; so does a channel
 *     of this slot whose consumer is not there yet.
 */
import type { MessagePort } from 'node:worker_threads';
import { type Codec, compileCodec } from '../../../api/codec.ts';
import type { NetworkConfig } from '../../../contract/runtime-config.ts';
import { nameOf } from '../../../contract/resource-id.ts';
import type { JobEdge } from '../../../graph/job-graph.ts';
import type { ChannelDeployment, SlotLocation } from '../task/deployment.ts';
import type { Clock } from '../../../contract/clock.ts';
import { BufferPool } from './buffer-pool.ts';
import { type ChannelWriter, TimedFlusher } from './channel-writer.ts';
import { EncodingWriter, type SealedBuffer } from './encoding-writer.ts';
import { DATA_PROTOCOL_VERSION, type Expected } from './hello.ts';
import { ProtocolViolation } from './incoming-channels.ts';
import type { InputChannel } from './input-channel.ts';
import type { ChannelDirectory, IncomingLink, OutgoingChannel, OutgoingLink } from './links.ts';
import { incomingPortLink, outgoingPortLink } from './port-links.ts';
import { type ReferenceBatch, ReferenceWriter } from './reference-writer.ts';
import { type BlockedChannels, SendWindow } from './send-window.ts';
import { type DataServer, dialTcpLink, listenForLinks } from './tcp-links.ts';

const handshakeTimeoutMs = 10_000;
const connectTimeoutMs = 10_000;
/** Beside the record itself, a frame holds what stood before it in its buffer. */
const frameSlackBytes = 1024 * 1024;
const pooledBytes = 8 * 1024 * 1024;

export interface ExchangeOptions {
  readonly clock: Clock;
  readonly identity: Expected;
  /** `Envelope.resourceId` of this process. */
  readonly taskManager: string;
  /** Of this slot, for the peer's messages. */
  readonly name: string;
  readonly bind: string;
  readonly network: NetworkConfig;
  /** Asks for the other end of this port to be given to a slot of the same process. */
  readonly connectSlot: (allocationId: string) => MessagePort;
  readonly warn: (message: string) => void;
}

/** The task at the producing end of a channel. */
export interface ProducingTask extends BlockedChannels {
  readonly counters: { bytesOut: number };
  failed(error: Error): void;
}

/** A channel is known by this on both ends. */
function channelKey(
  edgeId: string,
  channel: Pick<ChannelDeployment, 'sourceSubtask' | 'targetSubtask'>,
): string {
  return `${edgeId}|${channel.sourceSubtask}|${channel.targetSubtask}`;
}

/** A consuming channel, as far as it matters here. */
export type ConsumingChannel = Pick<
  InputChannel,
  'creditBytes' | 'isOpen' | 'lost' | 'opened' | 'received'
>;

interface LocalProducer {
  connect(channel: ConsumingChannel): void;
}

type Waiting =
  | { readonly type: 'link'; readonly link: IncomingLink; readonly number: number }
  | { readonly type: 'local'; readonly producer: LocalProducer };

export class Exchange implements ChannelDirectory {
  private readonly options: ExchangeOptions;
  private readonly pool: BufferPool;
  private readonly flusher: TimedFlusher;
  /** By allocation id of the peer. */
  private readonly outgoing = new Map<string, OutgoingLink>();
  private readonly incoming = new Set<IncomingLink>();
  private readonly inputs = new Map<string, ConsumingChannel>();
  private readonly waiting = new Map<string, Waiting>(); // X1
  private readonly server: Promise<DataServer>;

  constructor(options: ExchangeOptions) {
    const { bind, identity, network, warn } = options;
    this.options = options;
    this.pool = new BufferPool(
      network.bufferSizeBytes,
      Math.ceil(pooledBytes / network.bufferSizeBytes),
    );
    this.flusher = new TimedFlusher(network.bufferTimeoutMs, options.clock);
    const maxFrameBytes = network.maxFrameBytes + frameSlackBytes;
    this.server = listenForLinks({
      bind,
      expected: identity,
      maxFrameBytes,
      handshakeTimeoutMs,
      directory: this,
      warn,
      clock: options.clock,
    });
  }

  /** The data port. Rejects when none can be opened. */
  async listening(): Promise<number> {
    return (await this.server).port;
  }

  /** The producing end of a channel. */
  openOutput(
    edge: JobEdge,
    channel: ChannelDeployment,
    task: ProducingTask,
    codec: Codec<unknown>,
  ): ChannelWriter {
    const key = channelKey(edge.id, channel);
    const { peer } = channel;
    if (peer.allocationId === this.options.identity.allocationId)
      return this.openLocal(key, task, codec);
    const link = this.linkTo(peer);
    let number = -1;
    const window = new SendWindow<SealedBuffer>(task, (buffer) => link.send(number, buffer));
    const { pool, flusher } = this;
    const maxRecordBytes = this.options.network.maxFrameBytes;
    const writer = new EncodingWriter(
      { codec, pool, flusher, maxRecordBytes, counters: task.counters },
      window,
    );
    const events: OutgoingChannel = {
      accepted: (credit) => window.accepted(credit),
      returned: (cost) => window.returned(cost),
      lost: (error) => {
        if (!writer.isDrained || !writer.hasEnded) task.failed(error);
      },
    };
    number = link.open(key, events);
    return writer;
  }

  /** The consuming end of a channel. */
  openInput(edge: JobEdge, channel: ChannelDeployment, input: ConsumingChannel): void {
    const key = channelKey(edge.id, channel);
    this.inputs.set(key, input);
    const waiting = this.waiting.get(key);
    if (waiting === undefined) return;
    this.waiting.delete(key);
    if (waiting.type === 'link') waiting.link.accept(waiting.number, input, input.creditBytes);
    else waiting.producer.connect(input);
  }

  /** A slot of this process has connected to this one. */
  addPort(port: MessagePort, peer: string): void {
    this.incoming.add(incomingPortLink(port, peer, this, this.pool.bufferSize));
  }

  opened(key: string, link: IncomingLink, number: number): void {
    const input = this.inputs.get(key);
    if (input?.isOpen || this.waiting.has(key)) {
      throw new ProtocolViolation(`it opened ${key}, which has a producer`);
    }
    if (input === undefined) this.waiting.set(key, { type: 'link', link, number });
    else link.accept(number, input, input.creditBytes);
  }

  closed(link: IncomingLink): void {
    this.incoming.delete(link);
    for (const [key, waiting] of this.waiting) {
      if (waiting.type === 'link' && waiting.link === link) this.waiting.delete(key);
    }
  }

  /** Closes all links at once, without a word to the tasks of this slot. */
  async close(): Promise<void> {
    this.flusher.close();
    for (const link of this.outgoing.values()) link.close();
    this.inputs.clear();
    for (const link of this.incoming) link.close();
    const server = await this.server.catch(() => null);
    server?.close();
  }

  private openLocal(key: string, task: ProducingTask, { copy }: Codec<unknown>): ChannelWriter {
    let consumer: ConsumingChannel | null = null;
    const window = new SendWindow<ReferenceBatch>(task, (batch) => consumer?.received(batch));
    const producer: LocalProducer = {
      connect: (channel) => {
        consumer = channel;
        channel.opened({ recycledBytes: 0, giveBack: (_number, cost) => window.returned(cost) }, 0);
        window.accepted(channel.creditBytes);
      },
    };
    const input = this.inputs.get(key);
    if (input === undefined) this.waiting.set(key, { type: 'local', producer });
    else producer.connect(input);
    const batchBytes = this.options.network.bufferSizeBytes;
    return new ReferenceWriter(
      { batchBytes, flusher: this.flusher, counters: task.counters, copy },
      window,
    );
  }

  private linkTo(peer: SlotLocation): OutgoingLink {
    const existing = this.outgoing.get(peer.allocationId);
    if (existing !== undefined) return existing;
    const link =
      peer.taskManager === this.options.taskManager ? this.portTo(peer) : this.dial(peer);
    this.outgoing.set(peer.allocationId, link);
    return link;
  }

  private portTo({ allocationId, taskManager }: SlotLocation): OutgoingLink {
    return outgoingPortLink(
      this.options.connectSlot(allocationId),
      `a slot of ${nameOf(taskManager)}`,
      this.pool,
    );
  }

  private dial({ allocationId, taskManager, host, dataPort }: SlotLocation): OutgoingLink {
    const { identity, name } = this.options;
    return dialTcpLink({
      host,
      port: dataPort,
      hello: { ...identity, protocol: DATA_PROTOCOL_VERSION, allocationId, from: name },
      peer: `${nameOf(taskManager)} (${host}:${dataPort})`,
      connectTimeoutMs,
      pool: this.pool,
      clock: this.options.clock,
    });
  }
}

/** One codec for all channels of an edge where it has no state, else one for each. */
export function codecsOf(edge: JobEdge): () => Codec<unknown> {
  if (edge.type === null) return () => compileCodec<unknown>(null);
  const shared = compileCodec<unknown>(edge.type);
  return () => shared;
}
