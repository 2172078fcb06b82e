/** A container of the fake engine: a process of this machine that sees the machine's own files. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';

/** The part of `POST /containers/create` that it heeds. */
export interface ContainerBody {
  readonly Image: string;
  readonly Cmd: readonly string[];
  readonly Env?: readonly string[];
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly OpenStdin?: boolean;
  readonly StopSignal?: NodeJS.Signals;
  readonly StopTimeout?: number;
  readonly HostConfig: {
    readonly Binds?: readonly string[];
    readonly AutoRemove?: boolean;
    readonly RestartPolicy?: { readonly Name: string };
    readonly PortBindings?: Readonly<Record<string, unknown>>;
  };
}

const restartMs = 100;
const neverStarted = '0001-01-01T00:00:00Z';

export function frame(kind: 1 | 2, content: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, content]);
}

export const codeOf = (code: number | null, signal: NodeJS.Signals | null) =>
  code ?? 128 + constants.signals[signal!];

export class FakeContainer {
  readonly id: string;
  readonly name: string;
  readonly body: ContainerBody;
  readonly created = new Date();
  readonly output: { readonly kind: 1 | 2; readonly bytes: Buffer }[] = [];
  readonly exits: number[] = [];
  restartCount = 0;
  startedAt = neverStarted;
  /** Its process is to be started again. */
  restarting = false;
  readonly #onRemoved: () => void;
  readonly #readers = new Set<Duplex>();
  #child: ChildProcess | null = null;
  #input: Duplex | null = null;
  #stopping = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(id: string, name: string, body: ContainerBody, onRemoved: () => void) {
    this.id = id;
    this.name = name;
    this.body = body;
    this.#onRemoved = onRemoved;
  }

  get isRunning(): boolean {
    return this.#child !== null || this.restarting;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  environment(more: readonly string[] = []): Record<string, string> {
    const all = [...(this.body.Env ?? []), ...more].map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    });
    return { PATH: process.env['PATH']!, ...Object.fromEntries(all) };
  }

  start(): void {
    // In one pipe, lines stay in their order; that they are all of one kind is enough for a process.
    const merged = ['sh', '-c', 'exec "$@" 2>&1', 'sh'];
    const [file, ...args] = [...(this.body.OpenStdin ? [] : merged), ...this.body.Cmd];
    this.#stopping = false;
    this.restarting = false;
    this.startedAt = new Date().toISOString();
    const child = spawn(file!, args, {
      cwd: this.body.WorkingDir,
      env: this.environment(),
      stdio: [this.body.OpenStdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdout!.on('data', (bytes: Buffer) => this.#take(1, bytes));
    child.stderr!.on('data', (bytes: Buffer) => this.#take(2, bytes));
    child.stdin?.on('error', () => {});
    if (child.stdin !== null) this.#input?.pipe(child.stdin);
    child.once('close', (code, signal) => this.#ended(codeOf(code, signal)));
  }

  #take(kind: 1 | 2, bytes: Buffer): void {
    this.output.push({ kind, bytes });
    for (const reader of this.#readers) reader.write(frame(kind, bytes));
  }

  #ended(code: number): void {
    this.#child = null;
    this.exits.push(code);
    const again = this.body.HostConfig.RestartPolicy?.Name === 'on-failure' && code !== 0;
    if (again && !this.#stopping) {
      this.restarting = true;
      this.#timer = setTimeout(() => {
        this.restartCount++;
        this.start();
      }, restartMs);
      return;
    }
    for (const reader of this.#readers) reader.end();
    if (this.body.HostConfig.AutoRemove) this.#onRemoved();
  }

  /** Before it is started: its input comes from here, its output goes there. */
  attach(stream: Duplex): void {
    this.#input = stream;
    this.follow(stream);
  }

  follow(stream: Duplex): void {
    this.#readers.add(stream);
    stream.once('close', () => this.#readers.delete(stream)).on('error', () => {});
  }

  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.restarting = false;
    const child = this.#child;
    if (child === null) return;
    const ended = once(child, 'close');
    child.kill(this.body.StopSignal ?? 'SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    await ended;
    clearTimeout(kill);
  }

  describe() {
    const { Cmd, Env = [], HostConfig, Image, Labels = {}, StopTimeout, WorkingDir } = this.body;
    const ports = Object.keys(HostConfig.PortBindings ?? {});
    return {
      Id: this.id,
      Name: `/${this.name}`,
      Created: this.created.toISOString(),
      RestartCount: this.restartCount,
      Image,
      State: {
        Status: this.restarting
          ? 'restarting'
          : this.isRunning
            ? 'running'
            : this.exits.length > 0
              ? 'exited'
              : 'created',
        Running: this.isRunning,
        Paused: false,
        Restarting: this.restarting,
        OOMKilled: false,
        Dead: false,
        Pid: this.pid,
        ExitCode: this.isRunning && !this.restarting ? 0 : (this.exits.at(-1) ?? 0),
        StartedAt: this.startedAt,
      },
      Config: { Cmd, Env, Image, Labels, StopTimeout, WorkingDir },
      HostConfig,
      Mounts: (HostConfig.Binds ?? []).map((bind) => {
        const [Name, Destination] = bind.split(':');
        return { Type: 'volume', Name, Destination };
      }),
      NetworkSettings: {
        // It publishes nothing: the process listens where all of this machine do.
        Ports: Object.fromEntries(
          ports.map((port) => [
            port,
            this.isRunning
              ? [{ HostIp: '127.0.0.1', HostPort: `${Number.parseInt(port, 10)}` }]
              : null,
          ]),
        ),
      },
    };
  }

  summary() {
    const { Image, Labels = {} } = this.body;
    const { State } = this.describe();
    return {
      Id: this.id,
      Names: [`/${this.name}`],
      Image,
      ImageID: Image,
      Created: Math.floor(this.created.getTime() / 1000),
      Labels,
      State: State.Status,
      Ports: [],
    };
  }
}
