/**
 * One end of an RPC connection, on either side of the WebSocket: envelopes, calls, silence.
 *
 * P1  The envelope of every message is checked before anything else is looked at. A request that is
 *     refused is answered with `stale`; then the connection closes, for its peer belongs elsewhere.
 * P2  The one terminal path is `settle`: all calls under way are rejected, `closed` resolves.
 * C1  Only the methods of the API can be called, and only by their own names.
 */
import { createBirpc } from 'birpc';
import type { WebSocket } from 'ws';
import type { HeartbeatConfig } from '../../contract/runtime-config.ts';
import type { Clock } from '../../contract/clock.ts';
import { decodeFrame, encodeFrame, type Frame, type RpcMessage } from './frame.ts';
import type { Envelope } from './protocol.ts';
import { RpcError } from './rpc-error.ts';

/** Why a connection is no more. */
export type CloseReason =
  | { readonly type: 'closed-here' }
  | { readonly type: 'connection-lost'; readonly message: string }
  /** Nothing was heard for `silentMs`. */
  | { readonly type: 'heartbeat-timeout'; readonly silentMs: number }
  /** The peer is of another cluster or leader epoch. */
  | { readonly type: 'fenced'; readonly message: string }
  | { readonly type: 'protocol-violation'; readonly message: string };

type Arguments<A, M extends keyof A> = A[M] extends (...args: infer P) => unknown ? P : never;
type Result<A, M extends keyof A> = A[M] extends (...args: never) => Promise<infer R> ? R : never;

export interface RpcConnection<Remote> {
  /** Address of this end, as the machine sees it. */
  readonly localAddress: string;
  readonly remoteAddress: string;
  /** `Envelope.resourceId` of the peer; `null` until its first message. */
  readonly remote: string | null;
  /** When the peer was last heard of: epoch milliseconds. */
  readonly lastHeard: number;
  /** Calls the peer. Rejects with RpcError: `failed` carries the message of what the peer threw. */
  call<M extends keyof Remote & string>(
    method: M,
    ...args: Arguments<Remote, M>
  ): Promise<Result<Remote, M>>;
  /** Resolves, never rejects, when the connection is no more, whoever closed it. */
  readonly closed: Promise<CloseReason>;
  /** Closes at once. `why` is what the peer is told. */
  close(why?: string): void;
}

export interface ConnectionOptions<Local> {
  readonly socket: WebSocket;
  readonly addresses: { readonly local: string; readonly remote: string };
  readonly clock: Clock;
  /** Asked for each message that is sent. */
  readonly envelope: () => Envelope;
  /** P1: why a message must be refused; `null` when it is welcome. */
  readonly refuse: (frame: Frame) => string | null;
  readonly api: Local;
  readonly methods: Readonly<Record<keyof Local & string, true>>;
  readonly callTimeoutMs: number;
  /** Calls that wait as long as it takes. */
  readonly unlimited: readonly string[];
  readonly maxFrameBytes: number;
  /** Closes after `timeoutMs` of silence; calls `beat` every `intervalMs`. */
  readonly heartbeat: HeartbeatConfig & { readonly beat: (() => Promise<unknown>) | null };
}

/** Close code of a refusal, from the range for applications. */
const FENCED_CODE = 4409;

export function createConnection<Remote, Local>(
  options: ConnectionOptions<Local>,
): RpcConnection<Remote> {
  return new Connection<Remote, Local>(options);
}

class Connection<Remote, Local> implements RpcConnection<Remote> {
  readonly closed: Promise<CloseReason>;
  remote: string | null = null;
  lastHeard: number;
  /** The same, by the monotonic side: silence is an interval. */
  #heardAt: number;
  readonly #options: ConnectionOptions<Local>;
  readonly #rpc: ReturnType<
    typeof createBirpc<Record<string, never>, Record<string, never>, false>
  >;
  #receive: (message: RpcMessage) => void = () => {};
  #resolveClosed!: (reason: CloseReason) => void;
  #reason: CloseReason | null = null;
  #stopTimers: (() => void)[] = [];

  constructor(options: ConnectionOptions<Local>) {
    this.#options = options;
    this.lastHeard = options.clock.now();
    this.#heardAt = options.clock.monotonic();
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.#rpc = createBirpc<Record<string, never>, Record<string, never>, false>(
      {},
      {
        post: (message: RpcMessage) => this.#send(message),
        on: (receive) => {
          this.#receive = receive;
        },
        timeout: -1,
        proxify: false,
        resolver: (name) => this.#method(name),
        // Without a name it is a call's: its caller gets it. Else an answer's: birpc sends the error instead.
        onGeneralError: (_error, name) => name !== undefined,
      },
    );
    this.#listen(options.socket);
    this.#watchSilence();
    this.#beat();
  }

  get localAddress(): string {
    return this.#options.addresses.local;
  }

  get remoteAddress(): string {
    return this.#options.addresses.remote;
  }

  async call<M extends keyof Remote & string>(
    method: M,
    ...args: Arguments<Remote, M>
  ): Promise<Result<Remote, M>> {
    if (this.#reason !== null) throw closedError(this.#reason);
    const { callTimeoutMs, clock, unlimited } = this.#options;
    const answer = this.#rpc.$callRaw({ method, args }) as Promise<Result<Remote, M>>;
    if (unlimited.includes(method)) return answer;
    let stop!: () => void;
    const late = new Promise<never>((_, reject) => {
      const message = `no answer to ${method} within ${callTimeoutMs} ms`;
      stop = clock.after(callTimeoutMs, () => reject(new RpcError('timed-out', message)));
    });
    return Promise.race([answer, late]).finally(stop);
  }

  close(why = ''): void {
    this.#settle({ type: 'closed-here' }, why);
  }

  #listen(socket: WebSocket): void {
    socket.on('message', (data: Buffer) => this.#onMessage(data));
    socket.on('error', (error) => this.#settle(toReason(error)));
    socket.on('close', (code, text) => {
      const why = text.toString();
      if (code === FENCED_CODE) this.#settle({ type: 'fenced', message: why });
      else
        this.#settle({
          type: 'connection-lost',
          message: why || `closed by the peer (code ${code})`,
        });
    });
  }

  #onMessage(data: Uint8Array): void {
    if (this.#reason !== null) return;
    let frame: Frame;
    try {
      frame = decodeFrame(data);
    } catch (error) {
      this.#settle({ type: 'protocol-violation', message: (error as Error).message });
      return;
    }
    const refusal = this.#identityChanged(frame.envelope) ?? this.#options.refuse(frame);
    if (refusal !== null) {
      this.#fence(frame, refusal); // P1
      return;
    }
    this.remote = frame.envelope.resourceId;
    this.lastHeard = this.#options.clock.now();
    this.#heardAt = this.#options.clock.monotonic();
    this.#receive(frame.message);
  }

  #identityChanged({ resourceId }: Envelope): string | null {
    if (this.remote === null || this.remote === resourceId) return null;
    return `the connection is that of ${this.remote}, not of ${resourceId}`;
  }

  #fence({ message }: Frame, refusal: string): void {
    if (message.t === 'q') {
      this.#send({ t: 's', i: message.i, e: new RpcError('stale', refusal) });
    }
    this.#settle({ type: 'fenced', message: refusal });
  }

  #send(message: RpcMessage): void {
    if (this.#reason !== null) return;
    const { envelope, maxFrameBytes, socket } = this.#options;
    socket.send(encodeFrame(envelope(), message, maxFrameBytes));
  }

  /** C1 */
  #method(name: string): ((...args: unknown[]) => unknown) | undefined {
    const { api, methods } = this.#options;
    if (!Object.hasOwn(methods, name)) return undefined;
    const method = (api as Record<string, (...args: unknown[]) => unknown>)[name];
    return method?.bind(api);
  }

  #watchSilence(): void {
    const { clock, heartbeat } = this.#options;
    const check = () => {
      const silentMs = clock.monotonic() - this.#heardAt;
      if (silentMs >= heartbeat.timeoutMs) this.#settle({ type: 'heartbeat-timeout', silentMs }); // P2
      else this.#stopTimers[0] = clock.after(heartbeat.timeoutMs - silentMs, check);
    };
    this.#stopTimers[0] = clock.after(heartbeat.timeoutMs, check);
  }

  #beat(): void {
    const { clock, heartbeat } = this.#options;
    const { beat, intervalMs } = heartbeat;
    if (beat === null) return;
    const tick = () => {
      this.#stopTimers[1] = clock.after(intervalMs, tick);
      // What is wrong shows as silence.
      void beat().catch(() => {});
    };
    this.#stopTimers[1] = clock.after(intervalMs, tick);
  }

  /** The one way a connection ends. */
  #settle(reason: CloseReason, why = ''): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    for (const stop of this.#stopTimers) stop();
    const { socket } = this.#options;
    if (reason.type === 'fenced') socket.close(FENCED_CODE, closeText(reason.message));
    else if (reason.type === 'closed-here') socket.close(1000, closeText(why));
    else socket.terminate();
    this.#rpc.$close(closedError(reason));
    this.#resolveClosed(reason);
  }
}

/** WebSocket takes at most 123 bytes of UTF-8; a character that is cut grows to three. */
function closeText(text: string): string {
  return Buffer.from(text).subarray(0, 114).toString();
}

function toReason(error: Error & { code?: string }): CloseReason {
  return error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
    ? { type: 'protocol-violation', message: 'the peer sent a frame above the size limit' }
    : { type: 'connection-lost', message: error.message };
}

/** For logs and errors: `the connection was lost: …`. */
export function describeReason(reason: CloseReason): string {
  switch (reason.type) {
    case 'closed-here':
      return 'the connection was closed';
    case 'connection-lost':
      return `the connection was lost: ${reason.message}`;
    case 'heartbeat-timeout':
      return `no sign of life for ${Math.round(reason.silentMs)} ms`;
    case 'fenced':
      return `refused: ${reason.message}`;
    case 'protocol-violation':
      return `it does not speak the protocol: ${reason.message}`;
  }
}

function closedError(reason: CloseReason): RpcError {
  return new RpcError(reason.type === 'fenced' ? 'stale' : 'closed', describeReason(reason));
}
