/**
 * The agent's end of the channel: reads requests, runs them at the same time, writes what they answer.
 *
 * Stages of a request: running (may be cancelled), settled. Its answer is written once.
 */
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { once } from 'node:events';
import { Credit } from './credit.ts';
import {
  type AgentMessage,
  type ClientMessage,
  type Hello,
  LineReader,
  chunkBytes,
  clientSilenceMs,
  encodeMessage,
  parseClientMessage,
  toWireError,
} from './protocol.ts';

/** What a running request has beside its parameters. */
export interface RequestContext {
  /** The client cancelled it, or is gone. */
  readonly signal: AbortSignal;
  /** What the client sends for the command's stdin. */
  readonly input: Readable;
  /** Sends a chunk. Resolves when the next one may be sent. */
  send(stream: 1 | 2, chunk: Buffer): Promise<void>;
}

export type Methods = Readonly<
  Record<string, (params: never, context: RequestContext) => Promise<unknown>>
>;

interface Running {
  readonly abort: AbortController;
  readonly credit: Credit;
  readonly input: PassThrough;
}

export interface Ends {
  readonly input: Readable;
  readonly output: Writable;
}

/** Serves until the input ends, is no message, or is silent for too long; then cancels what runs. */
export async function serve(
  methods: Methods,
  hello: Hello,
  { input, output }: Ends,
): Promise<void> {
  const running = new Map<number, Running>();
  const write = (message: AgentMessage) => {
    if (output.writable) output.write(encodeMessage(message));
  };
  const lines = new LineReader();
  const pending = new Set<Promise<void>>();
  write({ hello });
  try {
    for await (const chunk of withinSilence(input)) {
      for (const line of lines.push(chunk)) {
        if (line === '') continue;
        const message = parseClientMessage(line);
        if (!('method' in message)) {
          tell(running.get(message.id), message);
          continue;
        }
        const settled = run(methods, message, { running, write, output });
        pending.add(settled);
        void settled.then(() => pending.delete(settled));
      }
    }
  } finally {
    for (const { abort, credit } of running.values()) {
      credit.close();
      abort.abort(new Error('the client is gone'));
    }
    await Promise.all(pending);
  }
}

interface Server {
  readonly running: Map<number, Running>;
  readonly write: (message: AgentMessage) => void;
  readonly output: Writable;
}

async function run(
  methods: Methods,
  { id, method, params }: Extract<ClientMessage, { method: string }>,
  { output, running, write }: Server,
): Promise<void> {
  const request: Running = {
    abort: new AbortController(),
    credit: new Credit(),
    input: new PassThrough(),
  };
  running.set(id, request);
  const send = async (stream: 1 | 2, chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += chunkBytes) {
      if (!(await request.credit.take())) return;
      write({ id, stream, chunk: chunk.subarray(at, at + chunkBytes).toString('base64') });
      if (output.writableNeedDrain) await Promise.race([once(output, 'drain'), closed(output)]);
    }
  };
  // What the command does not read must not keep the client waiting.
  request.input.on('data', () => write({ id, credit: 1 })).pause();
  try {
    if (!Object.hasOwn(methods, method)) throw new Error(`no method ${method}`);
    const result = await methods[method]!(params as never, {
      signal: request.abort.signal,
      input: request.input,
      send,
    });
    write({ id, result: result ?? null });
  } catch (error) {
    write({ id, error: toWireError(error) });
  } finally {
    running.delete(id);
    request.credit.close();
    request.input.destroy();
  }
}

const closed = (stream: Writable) =>
  stream.closed ? Promise.resolve() : once(stream, 'close').catch(() => undefined);

function tell(
  request: Running | undefined,
  message: Exclude<ClientMessage, { method: string }>,
): void {
  if (request === undefined) return; // G3
  if ('credit' in message) request.credit.give(message.credit);
  else if ('input' in message) request.input.write(Buffer.from(message.input, 'base64'));
  else if ('end' in message) request.input.end();
  else request.abort.abort(new Error('cancelled'));
}

/** A client that is cut off closes nothing: the server's side of the connection stays for hours. */
async function* withinSilence(input: Readable): AsyncGenerator<Buffer> {
  const silence = setTimeout(() => input.destroy(), clientSilenceMs);
  try {
    for await (const chunk of input) {
      silence.refresh();
      yield chunk as Buffer;
    }
  } catch (error) {
    if (!input.destroyed) throw error;
  } finally {
    clearTimeout(silence);
  }
}
