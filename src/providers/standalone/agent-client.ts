/**
 * The client's end of the channel to a host agent.
 *
 * Stages: open, closed. Closing settles every request that is open with the error it was closed with.
 *
 * A1  A request is settled once: by its answer, or by the end of the channel. What comes later is dropped.
 * A2  That a channel ended says nothing of what the request did: the error says that it is not known.
 */
import type { Duplex, Readable, Writable } from 'node:stream';
import { once } from 'node:events';
import { Credit } from './agent/credit.ts';
import {
  type AgentMessage,
  type ClientMessage,
  type Hello,
  LineReader,
  chunkBytes,
  clientNoiseMs,
  encodeMessage,
  fromWireError,
  parseAgentMessage,
} from './agent/protocol.ts';

/** How much of a greeting is kept, to be quoted. */
const greetingBytes = 4096;

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Where chunks go. */
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** What is sent as input. It is let go, not destroyed, when the request is settled. */
  readonly stdin?: Readable | null;
}

interface Call {
  readonly settle: (outcome: { result: unknown } | { error: Error }) => void;
  readonly credit: Credit;
  readonly streams: readonly [Writable | undefined, Writable | undefined];
  /** Chunks are written one after the other; the answer waits for the last one. */
  writing: Promise<void>;
}

export class AgentClient {
  readonly hello: Hello;
  /** Resolves when the channel has ended, with the reason. Never rejects. */
  readonly closed: Promise<Error>;
  readonly #where: string;
  readonly #channel: Duplex;
  readonly #calls = new Map<number, Call>();
  readonly #noise: NodeJS.Timeout;
  #next = 1;
  #reason: Error | null = null;
  #close!: (reason: Error) => void;

  private constructor(hello: Hello, where: string, channel: Duplex) {
    this.hello = hello;
    this.#where = where;
    this.#channel = channel;
    this.closed = new Promise((resolve) => (this.#close = resolve));
    this.#noise = setInterval(() => this.#channel.write('\n'), clientNoiseMs);
    this.#noise.unref();
  }

  /**
   * @param where names the host in errors.
   * @param lost the error for a channel that ends; `greeting`: what was said in place of a message.
   */
  static async open(
    channel: Duplex,
    where: string,
    lost: (why: string | null, greeting?: string) => Error,
  ): Promise<AgentClient> {
    const lines = new LineReader();
    const messages: AgentMessage[] = [];
    let client: AgentClient | null = null;
    const greeted = Promise.withResolvers<Hello>();
    // What a host greets with comes before the agent says anything.
    let greeting = '';
    const end = (error: Error) => {
      greeted.reject(error);
      client?.close(error);
      channel.destroy();
    };
    channel.on('data', (chunk: Buffer) => {
      try {
        for (const line of lines.push(chunk)) {
          if (line.trim() === '') continue;
          if (client !== null || line.startsWith('{"hello"'))
            messages.push(parseAgentMessage(line));
          else greeting = `${greeting}${line}\n`.slice(0, greetingBytes);
        }
      } catch (error) {
        return end(lost((error as Error).message));
      }
      for (const message of messages.splice(0)) {
        if ('hello' in message) greeted.resolve(message.hello);
        else client?.receive(message);
      }
    });
    channel.once('close', () => end(lost(null, greeting)));
    channel.once('error', (error) => end(lost(error.message)));
    client = new AgentClient(await greeted.promise, where, channel);
    return client;
  }

  get isOpen(): boolean {
    return this.#reason === null;
  }

  /** Ends the channel; everything that is asked for now or later fails with `reason`. */
  close(reason: Error): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    clearInterval(this.#noise);
    for (const call of this.#calls.values()) call.settle({ error: reason }); // A2
    this.#channel.end();
    this.#close(reason);
  }

  async call<T>(method: string, params: object, options: CallOptions = {}): Promise<T> {
    const { signal, stderr, stdin = null, stdout } = options;
    signal?.throwIfAborted();
    if (this.#reason !== null) throw this.#reason;
    const id = this.#next++;
    const settled = Promise.withResolvers<T>();
    const call: Call = {
      credit: new Credit(),
      streams: [stdout, stderr],
      writing: Promise.resolve(),
      settle: (outcome) => {
        if (!this.#calls.delete(id)) return; // A1
        call.credit.close();
        if ('error' in outcome) settled.reject(outcome.error);
        else settled.resolve(outcome.result as T);
      },
    };
    this.#calls.set(id, call);
    const abort = () => {
      this.#send({ id, cancel: true });
      call.settle({ error: signal!.reason as Error });
    };
    signal?.addEventListener('abort', abort, { once: true });
    this.#send({ id, method, params });
    if (stdin !== null) void this.#feed(id, call, stdin);
    try {
      return await settled.promise;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  async #feed(id: number, call: Call, stdin: Readable): Promise<void> {
    const iterator = stdin.iterator({ destroyOnReturn: false });
    try {
      for await (const part of iterator) {
        const bytes = Buffer.from(part as Buffer | string);
        for (let at = 0; at < bytes.length; at += chunkBytes) {
          if (!(await call.credit.take())) return;
          this.#send({ id, input: bytes.subarray(at, at + chunkBytes).toString('base64') });
        }
      }
    } catch {
      // A broken input is an ended one.
    }
    this.#send({ id, end: true });
  }

  #send(message: ClientMessage): void {
    if (this.#reason === null) this.#channel.write(encodeMessage(message));
  }

  /** Takes a message of the agent. */
  receive(message: Exclude<AgentMessage, { hello: Hello }>): void {
    const { id } = message;
    const call = this.#calls.get(id);
    if (call === undefined) return; // A1
    if ('credit' in message) call.credit.give(message.credit);
    else if ('chunk' in message) {
      const stream = call.streams[message.stream - 1];
      const bytes = Buffer.from(message.chunk, 'base64');
      call.writing = call.writing
        .then(() => (stream === undefined ? undefined : write(stream, bytes)))
        .then(() => this.#send({ id, credit: 1 }));
    } else if ('result' in message) {
      void call.writing.then(() => call.settle({ result: message.result }));
    } else {
      const error = fromWireError(message.error, this.#where);
      void call.writing.then(() => call.settle({ error }));
    }
  }
}

/** Resolves when the stream wants more; at once when it is closed. */
async function write(stream: Writable, bytes: Buffer): Promise<void> {
  if (!stream.writable || stream.write(bytes)) return;
  const gone = new AbortController();
  const { signal } = gone;
  await Promise.race([
    once(stream, 'drain', { signal }),
    once(stream, 'close', { signal }),
    once(stream, 'error', { signal }),
  ]).catch(() => undefined);
  gone.abort();
}
