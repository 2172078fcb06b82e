/**
 * What client and host agent say to each other: JSON lines over one SSH channel, the client's on the
 * agent's stdin, the agent's on its stdout. Grammar, in the order of a request:
 *
 * ```
 * agent   {"hello":{…}}                               once, first
 * client  {"id":7,"method":"look","params":{…}}       opens request 7
 * client  {"id":7,"input":"BASE64"}                   the command's stdin; {"id":7,"end":true}: there is no more
 * agent   {"id":7,"chunk":"BASE64","stream":1}        1: stdout, logs; 2: stderr
 * both    {"id":7,"credit":1}                         so many chunks, or inputs, of the other side were consumed
 * client  {"id":7,"cancel":true}                      the answer is an error, or what was done before
 * agent   {"id":7,"result":…} | {"id":7,"error":{…}}  closes request 7
 * client  (an empty line)                             I am there
 * ```
 *
 * G1  A side sends at most `window` chunks that the other has not consumed: nobody is flooded.
 * G2  A line is `maxLineBytes` long at most; a longer one, or one that is no message, ends the connection.
 * G3  Whatever a message says of a request that is closed is dropped: both sides may close at once.
 */
import { FctlError, ClusterError, ProviderError, UsageError } from '../../../contract/errors.ts';
import type { Problem } from '../../../contract/errors.ts';
import type { ExitCode } from '../../../contract/exit-codes.ts';

export const agentProtocol = 1;

/** G1 */
export const window = 16;
export const chunkBytes = 48 * 1024;
/** G2. The largest documents are those of sessions with a thousand jobs. */
const maxLineBytes = 64 * 1024 * 1024;

/** The client sends something that often, or the agent takes it for gone. */
export const clientSilenceMs = 120_000;
export const clientNoiseMs = 20_000;

export interface Hello {
  readonly protocol: number;
  readonly pid: number;
  /** Addresses of the host, those of its loopback among them. */
  readonly addresses: readonly string[];
  /** Under which the client, or the last jump host, reached it; `null`: the server does not say. */
  readonly serverAddress: string | null;
  /** The folder of fctl there, absolute. */
  readonly dir: string;
}

export type ClientMessage =
  | { readonly id: number; readonly method: string; readonly params: unknown }
  | { readonly id: number; readonly input: string }
  | { readonly id: number; readonly end: true }
  | { readonly id: number; readonly credit: number }
  | { readonly id: number; readonly cancel: true };

export type AgentMessage =
  | { readonly hello: Hello }
  | { readonly id: number; readonly chunk: string; readonly stream: 1 | 2 }
  | { readonly id: number; readonly credit: number }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: WireError };

/** An error that crosses the channel. `bug`: whatever is no `FctlError`. */
export interface WireError {
  readonly type: 'provider' | 'cluster' | 'usage' | 'bug';
  readonly exitCode: number;
  readonly message: string;
  readonly problems: readonly Problem[];
}

export function toWireError(error: unknown): WireError {
  if (!(error instanceof FctlError)) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { type: 'bug', exitCode: 1, message, problems: [] };
  }
  const { exitCode, message, problems } = error;
  const type =
    error instanceof ProviderError
      ? 'provider'
      : error instanceof ClusterError
        ? 'cluster'
        : 'usage';
  return { type, exitCode, message, problems };
}

/** @param where is put before messages of bugs: `h2: `. */
export function fromWireError(error: WireError, where: string): Error {
  const { exitCode, message, problems, type } = error;
  if (type === 'bug' || problems.length === 0) return new Error(`${where}${message}`);
  if (type === 'provider') return new ProviderError(problems);
  if (type === 'usage') return new UsageError(problems);
  return new ClusterError(exitCode as typeof ExitCode.conflict, problems);
}

export const encodeMessage = (message: ClientMessage | AgentMessage): string =>
  `${JSON.stringify(message)}\n`;

/** Cuts bytes into lines (G2). */
export class LineReader {
  #parts: Buffer[] = [];
  #length = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number = maxLineBytes) {
    this.#maxBytes = maxBytes;
  }

  /** @returns the lines that are complete now. @throws Error for one that is too long. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, start);
      if (end === -1) break;
      this.#keep(chunk.subarray(start, end));
      lines.push(Buffer.concat(this.#parts).toString('utf8'));
      this.#parts = [];
      this.#length = 0;
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
    return lines;
  }

  #keep(part: Buffer): void {
    this.#length += part.length;
    if (this.#length > this.#maxBytes)
      throw new Error(`a line is longer than ${this.#maxBytes} bytes`);
    if (part.length > 0) this.#parts.push(part);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

function parseObject(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = null;
  }
  if (!isObject(value)) throw new Error(`not a message: ${line.slice(0, 200)}`);
  return value;
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

/** @throws Error for what is no message of a client. */
export function parseClientMessage(line: string): ClientMessage {
  const message = parseObject(line);
  const { cancel, credit, end, id, input, method, params } = message;
  if (isCount(id)) {
    if (typeof method === 'string' && isObject(params)) return { id, method, params };
    if (typeof input === 'string') return { id, input };
    if (isCount(credit)) return { id, credit };
    if (end === true) return { id, end };
    if (cancel === true) return { id, cancel };
  }
  throw new Error(`not a message: ${line.slice(0, 200)}`);
}

/** @throws Error for what is no message of an agent. */
export function parseAgentMessage(line: string): AgentMessage {
  const message = parseObject(line);
  const { chunk, credit, error, hello, id, stream } = message;
  if (isHello(hello)) return { hello };
  if (isCount(id)) {
    if (typeof chunk === 'string' && (stream === 1 || stream === 2)) return { id, chunk, stream };
    if (isCount(credit)) return { id, credit };
    if (isWireError(error)) return { id, error };
    if ('result' in message) return { id, result: message['result'] };
  }
  throw new Error(`not a message: ${line.slice(0, 200)}`);
}

function isHello(value: unknown): value is Hello {
  return (
    isObject(value) &&
    value['protocol'] === agentProtocol &&
    isCount(value['pid']) &&
    typeof value['dir'] === 'string' &&
    Array.isArray(value['addresses']) &&
    (value['serverAddress'] === null || typeof value['serverAddress'] === 'string')
  );
}

function isWireError(value: unknown): value is WireError {
  return (
    isObject(value) &&
    ['provider', 'cluster', 'usage', 'bug'].includes(String(value['type'])) &&
    isCount(value['exitCode']) &&
    typeof value['message'] === 'string' &&
    Array.isArray(value['problems']) &&
    value['problems'].every((each) => isObject(each) && typeof each['message'] === 'string')
  );
}
