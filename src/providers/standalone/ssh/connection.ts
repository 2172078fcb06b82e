/**
 * One SSH connection with its channels.
 *
 * Stages: connecting, open, closed. Whatever ends it settles everything that is under way on it.
 *
 * S1  A command whose channel closes without an exit code or a signal was cut off: that is an error, and
 *     never success.
 * S2  At most `sessions` commands at once, the others wait: servers allow ten. One that allows fewer
 *     refuses to open a channel; such a command never ran, and waits for its turn.
 * S3  Only connecting is tried again, by whoever calls `open`; a command that may have run never is.
 */
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { constants } from 'node:os';
import { Client, type ClientChannel } from 'ssh2';
import { type Problem, problem } from '../../../contract/errors.ts';
import { traceCommand } from '../../../contract/trace.ts';
import { type Credentials, type Login, prepareLogin } from './authentication.ts';
import { type HostKeyPolicy, prepareHostKeyCheck } from './host-keys.ts';
import { ProcessStream } from '../../shared/process-stream.ts';
import { ConnectError, ConnectionLostError } from './errors.ts';
import { Slots } from './slots.ts';
import type { Target } from './target.ts';

const sessions = 10;
/** Keep-alives without an answer. */
const keepAliveCountMax = 3;

export interface ConnectionOptions {
  readonly credentials: Credentials;
  readonly hostKeyPolicy: HostKeyPolicy;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
}

/** How a command ended. */
export interface CommandResult {
  /** Above 128 for a signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface RemoteCommand {
  readonly channel: ClientChannel;
  /** Its exit code, once its output was read. Rejects with ConnectionLostError (S1). */
  readonly ended: Promise<number>;
}

export class SshConnection {
  readonly #client: Client;
  readonly #below: SshConnection | null;
  readonly #slots = new Slots(sessions);
  readonly #address: string;
  #lost: ConnectionLostError | null = null;
  /** Resolves when it is closed, by whomever. */
  readonly closed: Promise<void>;

  private constructor(client: Client, target: Target, below: SshConnection | null) {
    this.#client = client;
    this.#below = below;
    this.#address = target.address;
    let reason = 'it was closed';
    client.on('error', (error) => (reason = error.message));
    this.closed = new Promise((resolve) => {
      client.once('close', () => {
        this.#lost ??= new ConnectionLostError(target.address, reason);
        this.#slots.close(this.#lost);
        below?.close();
        resolve();
      });
    });
  }

  /**
   * @param signal ends the attempt.
   * @throws ConnectError
   */
  static async open(
    target: Target,
    options: ConnectionOptions,
    signal: AbortSignal,
  ): Promise<SshConnection> {
    let below: SshConnection | null = null;
    signal.addEventListener('abort', () => below?.close(), { once: true });
    for (const hop of [...target.jumps, target]) {
      try {
        below = await SshConnection.#hop(hop, below, forHop(options, hop === target), signal);
      } catch (error) {
        below?.close();
        if (hop !== target && error instanceof ConnectError) throw error.at(hop.address);
        throw error;
      }
    }
    return below!;
  }

  static async #hop(
    target: Target,
    below: SshConnection | null,
    { connectTimeoutMs, credentials, hostKeyPolicy, keepAliveMs }: ConnectionOptions,
    signal: AbortSignal,
  ): Promise<SshConnection> {
    const { hostName, port, user } = target;
    const hostKeys = await prepareHostKeyCheck(target, hostKeyPolicy);
    const login = prepareLogin(target, credentials);
    const sock =
      below !== null
        ? await below.forward(hostName, port)
        : target.proxyCommand !== null
          ? runProxyCommand(target.proxyCommand)
          : await dial(target, connectTimeoutMs, login, signal);
    const client = new Client();
    let refused: Problem | null = null;
    const opened = new Promise<void>((resolve, reject) => {
      client.once('ready', resolve);
      client.once('error', (error) => reject(ConnectError.from(error, target, login, refused)));
      client.once('close', () => reject(ConnectError.closed(target)));
    });
    const connection = new SshConnection(client, target, below);
    client.connect({
      sock,
      username: user,
      authHandler: login.handler,
      readyTimeout: connectTimeoutMs,
      keepaliveInterval: keepAliveMs,
      keepaliveCountMax: keepAliveCountMax,
      algorithms: { serverHostKey: hostKeys.algorithms as never },
      hostVerifier: (key: Buffer, take: (known: boolean) => void) => {
        hostKeys.judge(key).then(
          (problemFound) => {
            refused = problemFound;
            take(problemFound === null);
          },
          (error: Error) => {
            refused = unreadable(error);
            take(false);
          },
        );
      },
    });
    const abort = () => client.destroy();
    signal.addEventListener('abort', abort, { once: true });
    try {
      signal.throwIfAborted();
      await opened;
    } catch (error) {
      client.end();
      client.destroy();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
    return connection;
  }

  get isOpen(): boolean {
    return this.#lost === null;
  }

  /** The local end of a connection from the host to an address that it reaches. */
  forward(host: string, port: number): Promise<Duplex> {
    if (this.#lost !== null) return Promise.reject(this.#lost);
    const { promise, reject, resolve } = Promise.withResolvers<Duplex>();
    void this.closed.then(() => reject(this.#lost!));
    this.#client.forwardOut('127.0.0.1', 0, host, port, (error, stream) => {
      if (error) reject(ConnectError.fromForward(error, host, port));
      else resolve(stream);
    });
    return promise;
  }

  /** Starts a command, as soon as there is room for one more (S2). */
  async start(command: string): Promise<RemoteCommand> {
    for (;;) {
      const release = await this.#slots.take();
      const opened = await this.#open(command).catch((error: unknown) => {
        release();
        throw error;
      });
      if (opened === null) {
        release();
        if (this.#slots.shrink()) continue;
        throw new ConnectionLostError(this.#address, 'the server opens no session');
      }
      const ended = this.#end(opened);
      traceCommand({ where: this.#address, command, ended });
      ended.then(release, release);
      return { channel: opened, ended };
    }
  }

  /** @returns `null` when the server takes no more sessions. */
  #open(command: string): Promise<ClientChannel | null> {
    const { promise, reject, resolve } = Promise.withResolvers<ClientChannel | null>();
    void this.closed.then(() => reject(this.#lost!));
    this.#client.exec(command, (error, channel) => {
      if (error === undefined) resolve(channel);
      else if (/channel open failure/i.test(error.message)) resolve(null);
      else reject(this.#lost ?? new ConnectionLostError(this.#address, error.message));
    });
    return promise;
  }

  #end(channel: ClientChannel): Promise<number> {
    const { promise, reject, resolve } = Promise.withResolvers<number>();
    channel.on('error', () => {}); // 'close' follows
    channel.once('close', (code: number | null | undefined, signal: string | undefined) => {
      if (typeof code === 'number') resolve(code);
      else if (signal !== undefined) resolve(128 + numberOf(signal));
      else reject(this.#lost ?? new ConnectionLostError(this.#address, 'a command was cut off')); // S1
    });
    void this.closed.then(() => reject(this.#lost!));
    promise.catch(() => {});
    return promise;
  }

  /** Runs a command of the host's shell to its end. */
  async run(command: string, options: { signal?: AbortSignal } = {}): Promise<CommandResult> {
    const { channel, ended } = await this.start(command);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const abort = () => channel.close();
    options.signal?.addEventListener('abort', abort, { once: true });
    channel.on('data', (chunk: Buffer) => out.push(chunk));
    channel.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    channel.end();
    try {
      const code = await ended;
      const [stdout, stderr] = [out, err].map((parts) => Buffer.concat(parts).toString('utf8'));
      return { code, stdout: stdout!, stderr: stderr! };
    } catch (error) {
      options.signal?.throwIfAborted();
      throw error;
    } finally {
      options.signal?.removeEventListener('abort', abort);
    }
  }

  close(): void {
    this.#lost ??= new ConnectionLostError(this.#address, 'it was closed');
    this.#client.end();
    this.#client.destroy();
    this.#below?.close();
  }
}

/** What opens a host is not told to those on the way to it: they get their own, or are asked for it. */
function forHop(options: ConnectionOptions, isLast: boolean): ConnectionOptions {
  if (isLast) return options;
  return { ...options, credentials: { ...options.credentials, password: null } };
}

/** What the command reads and writes is the connection. It ends with it. */
const runProxyCommand = (command: string): Duplex =>
  new ProcessStream(['/bin/sh', '-c', `exec ${command}`], {
    name: `ProxyCommand '${command}'`,
    errorCode: 'EPROXY',
  });

async function dial(
  target: Target,
  timeoutMs: number,
  login: Login,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = connect({ host: target.hostName, port: target.port, noDelay: true });
  const timer = setTimeout(() => {
    socket.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' }));
  }, timeoutMs);
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw ConnectError.from(error as Error, target, login, null);
  } finally {
    clearTimeout(timer);
  }
}

function unreadable(error: Error): Problem {
  return problem({ code: 'known-hosts-unusable', message: `known host keys: ${error.message}` });
}

function numberOf(signal: string): number {
  return constants.signals[`SIG${signal.replace(/^SIG/, '')}` as NodeJS.Signals] ?? 0;
}
