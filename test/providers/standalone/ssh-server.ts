/**
 * A host on this machine: an SSH server that speaks the real protocol, runs commands with `sh` in a home of
 * its own, and forwards connections. It can be told to misbehave.
 *
 * F1  What it started ends with it: commands, and what carries the mark of a folder in its home.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import {
  type AuthContext,
  type AuthenticationType,
  type Connection,
  type ExecInfo,
  type ParsedKey,
  Server,
  type ServerChannel,
  utils,
} from 'ssh2';

import { findMarkedProcesses, sendSignal } from '../../../src/providers/local/process-table.ts';

export interface KeyPair {
  readonly private: string;
  readonly public: string;
}

/** Of the keys that ssh2 makes, one in some hundred is none that it reads. */
export function makeKey(passphrase?: string, type: 'ed25519' | 'ecdsa' = 'ed25519'): KeyPair {
  for (;;) {
    const made = generate(passphrase, type);
    if (!(utils.parseKey(made.private, passphrase) instanceof Error)) return made;
  }
}

const generate = (passphrase: string | undefined, type: 'ed25519' | 'ecdsa'): KeyPair =>
  passphrase === undefined
    ? type === 'ecdsa'
      ? utils.generateKeyPairSync('ecdsa', { bits: 256 })
      : utils.generateKeyPairSync('ed25519')
    : utils.generateKeyPairSync('ed25519', { passphrase, cipher: 'aes256-ctr', rounds: 4 });

export interface FakeHostOptions {
  /** A loopback address: 127.0.0.2 is another host than 127.0.0.1. */
  readonly address?: string;
  /** Public keys that may log in. */
  readonly authorized?: readonly string[];
  readonly password?: string;
  /** The password is asked for by a question, and not taken otherwise. */
  readonly asksQuestions?: boolean;
  readonly hostKeys?: readonly KeyPair[];
  readonly sessions?: number;
  /** What its shell prints on stdout before every command. */
  readonly greeting?: string;
  /** Asked after the password, by another question. */
  readonly code?: string;
}

export class FakeHost {
  readonly address: string;
  readonly port: number;
  readonly home: string;
  readonly hostKeys: readonly KeyPair[];
  /** Commands that were run, in order. */
  readonly commands: string[] = [];
  /** What was given as a password, and as a code. */
  readonly passwords: string[] = [];
  readonly codes: string[] = [];
  /** Called before a command runs; may cut connections, or answer in its place by `true`. */
  onCommand: (command: string) => boolean | void = () => {};
  /** A folder with programs that stand in for the machine's. */
  path: string | null = null;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  readonly #children = new Set<ChildProcess>();
  readonly #options: FakeHostOptions;

  private constructor(
    server: Server,
    home: string,
    hostKeys: readonly KeyPair[],
    options: FakeHostOptions,
  ) {
    this.#server = server;
    this.#options = options;
    this.home = home;
    this.hostKeys = hostKeys;
    ({ address: this.address, port: this.port } = server.address() as AddressInfo);
    server.on('connection', (connection) => this.#serve(connection));
  }

  static async start(options: FakeHostOptions = {}): Promise<FakeHost> {
    const hostKeys = options.hostKeys ?? [makeKey()];
    const server = new Server({ hostKeys: hostKeys.map((key) => key.private) });
    server.listen(0, options.address ?? '127.0.0.1');
    await once(server, 'listening');
    const home = await mkdtemp(join(tmpdir(), 'fctl-host-'));
    return new FakeHost(server, home, hostKeys, options);
  }

  /** Lines of a known_hosts file. */
  get knownHosts(): string {
    return this.hostKeys
      .map(
        (key) => `[${this.address}]:${this.port} ${key.public.split(' ').slice(0, 2).join(' ')}\n`,
      )
      .join('');
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Cuts all connections, as a network does. */
  drop(): void {
    for (const connection of this.#connections) {
      (connection as unknown as { _sock: { resetAndDestroy(): void } })._sock.resetAndDestroy();
    }
  }

  async stop(): Promise<void> {
    this.drop();
    for (const child of this.#children) child.kill('SIGKILL'); // F1
    for (;;) {
      const left = await findMarkedProcesses();
      const own = left.filter(({ processDir }) => processDir.startsWith(`${this.home}/`));
      if (own.length === 0) break;
      for (const { pid } of own) sendSignal(pid, 'SIGKILL'); // F1
      await delay(20);
    }
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await rm(this.home, { recursive: true, force: true });
  }

  #serve(connection: Connection): void {
    this.#connections.add(connection);
    let open = 0;
    connection.on('error', () => {});
    connection.once('close', () => this.#connections.delete(connection));
    connection.on('authentication', (context) => this.#authenticate(context));
    connection.on('session', (accept, reject) => {
      if (open >= (this.#options.sessions ?? 10)) return reject();
      open += 1;
      const session = accept();
      session.once('close', () => (open -= 1));
      session.on('exec', (acceptExec, _reject, info) => this.#run(info, acceptExec()));
    });
    connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
      const socket = connect(destPort, destIP);
      socket.once('error', () => reject());
      socket.once('connect', () => {
        const channel = accept();
        socket.on('error', () => channel.destroy());
        channel.on('error', () => socket.destroy());
        socket.pipe(channel).pipe(socket);
      });
    });
  }

  #authenticate(context: AuthContext): void {
    const { asksQuestions = false, authorized = [], code, password } = this.#options;
    if (context.method === 'password') this.passwords.push(context.password);
    const passwordMethod = asksQuestions ? 'keyboard-interactive' : 'password';
    const methods: AuthenticationType[] = ['publickey'];
    if (password !== undefined) methods.push(passwordMethod);
    const judge = (given: string) =>
      password !== undefined && isEqual(given, password)
        ? context.accept()
        : context.reject(methods);
    if (context.method === 'password' && !asksQuestions) return judge(context.password);
    if (context.method === 'keyboard-interactive' && asksQuestions)
      return context.prompt({ prompt: 'Password: ', echo: false }, ([answer = '']) => {
        this.passwords.push(answer);
        if (code === undefined) return judge(answer);
        context.prompt({ prompt: 'Verification code: ', echo: true }, ([said = '']) => {
          this.codes.push(said);
          if (said === code) judge(answer);
          else context.reject(methods);
        });
      });
    if (context.method === 'publickey') {
      const { blob, key, signature, hashAlgo } = context;
      for (const text of authorized) {
        const allowed = utils.parseKey(text) as ParsedKey;
        if (allowed.type !== key.algo || !allowed.getPublicSSH().equals(key.data)) continue;
        if (!signature || allowed.verify(blob!, signature, hashAlgo) === true)
          return context.accept();
      }
    }
    context.reject(methods);
  }

  #run({ command }: ExecInfo, channel: ServerChannel): void {
    this.commands.push(command);
    if (this.onCommand(command) === true) return;
    const { path } = this;
    const child = spawn('sh', ['-c', command], {
      cwd: this.home,
      env: {
        HOME: this.home,
        USER: 'fctl',
        PATH: path === null ? process.env['PATH'] : `${path}:${process.env['PATH']}`,
        SSH_CONNECTION: `127.0.0.1 40000 ${this.address} ${this.port}`,
      },
    });
    this.#children.add(child);
    if (this.#options.greeting !== undefined) channel.write(this.#options.greeting);
    channel.pipe(child.stdin);
    child.stdin.on('error', () => {});
    child.stdout.pipe(channel, { end: false });
    child.stderr.pipe(channel.stderr, { end: false });
    channel.on('error', () => {});
    channel.once('close', () => child.stdin.end());
    child.once('close', (code, signal) => {
      this.#children.delete(child);
      if (signal === null) channel.exit(code ?? 0);
      else channel.exit(signal.slice(3), false, '');
      channel.end();
    });
  }
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => Buffer.from(text));
  return left!.length === right!.length && timingSafeEqual(left!, right!);
}
