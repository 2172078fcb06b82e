/**
 * A slot in use, as the main thread sees it: one worker thread of one job attempt.
 *
 *     starting ─▶ running ─▶ ending ─▶ ended
 *
 * S1  `end` is the one way a slot is ended from here. User code that does not end in bounded time waits in
 *     native code, which nobody can interrupt: `unstoppable` is called, and the process must go.
 * S2  A slot that ends otherwise (out of memory, `process.exit`, an exception that no task caught) is
 *     reported as lost, once, before its peers can notice.
 * S3  User code has ended when the port that its thread keeps is closed: no code of it runs any more, its
 *     sockets and timers are gone, and the slot is free. The thread itself may linger, with its memory,
 *     until the thread pool has done what it was asked for (a DNS look-up, a read): others are not to
 *     suffer from that, so it has `lingerTimeoutMs` until S1 applies.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type FailureInfo, FailureKind } from '../../contract/outcome.ts';
import { formatBytes } from '../../contract/units.ts';
import type { SlotAllocation } from '../rpc/protocol.ts';
import { MemoryGuard, v8LimitMb } from './memory-guard.ts';
import type { FromSlot, SlotStart, SlotWorkerData, ToSlot } from './slot-messages.ts';

const terminationTimeoutMs = 5000;
const lingerTimeoutMs = 60_000;

type Reports = Extract<
  FromSlot,
  { type: 'changed' | 'request-split' | 'connect' | 'report' | 'warn' }
>;

export interface SlotOptions {
  readonly allocation: SlotAllocation;
  /** The built script of `slot-thread.ts`. */
  readonly script: URL;
  readonly start: SlotStart;
  readonly memoryBytes: number;
  readonly received: (message: Reports) => void;
  readonly stdout: (chunk: Uint8Array) => void;
  /** S2 */
  readonly lost: (failure: FailureInfo) => void;
  /** S1 */
  readonly unstoppable: (why: string) => void;
}

type State =
  | {
      readonly type: 'starting';
      readonly resolve: (port: number) => void;
      readonly reject: (error: Error) => void;
    }
  | { readonly type: 'running' }
  | { readonly type: 'ending'; readonly done: Promise<void> }
  | { readonly type: 'ended' };

export class Slot {
  readonly allocation: SlotAllocation;
  /** Resolves to the data port; rejects when the slot ended before it listened. */
  readonly listening: Promise<number>;
  /** Resolves when its thread is gone; that may be later than `end()` (S3). */
  readonly gone: Promise<void>;
  private readonly options: SlotOptions;
  private readonly worker: Worker;
  private readonly guard: MemoryGuard;
  /** S3 */
  private readonly codeEnded: Promise<void>;
  private state: State;
  private isMeasuring = false;

  constructor(options: SlotOptions) {
    this.options = options;
    this.allocation = options.allocation;
    this.guard = new MemoryGuard(options.memoryBytes, () => performance.now());
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    promise.catch(() => {});
    this.listening = promise;
    this.state = { type: 'starting', resolve, reject };
    const { port1: watch, port2: life } = new MessageChannel();
    this.codeEnded = new Promise((done) => watch.once('close', done));
    this.worker = new Worker(options.script, {
      name: `slot-${options.allocation.slotIndex}`,
      workerData: { start: options.start, life } satisfies SlotWorkerData,
      transferList: [life],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: v8LimitMb(options.memoryBytes) },
    });
    this.worker.stdout.on('data', (chunk: Uint8Array) => options.stdout(chunk));
    this.worker.stderr.on('data', (chunk: Uint8Array) => options.stdout(chunk));
    this.worker.on('message', (message: FromSlot) => this.receive(message));
    this.worker.on('error', (error: unknown) => this.crashed(error));
    this.gone = new Promise((done) => {
      this.worker.once('exit', (code) => {
        this.exited(code);
        done();
      });
    });
  }

  /** `slot 0 of job 'orders'` */
  get name(): string {
    return `slot ${this.allocation.slotIndex} of job '${this.allocation.jobName}'`;
  }

  get usesMuch(): boolean {
    return this.guard.usesMuch;
  }

  send(message: ToSlot, transfer: readonly MessagePort[] = []): void {
    if (this.state.type === 'starting' || this.state.type === 'running') {
      this.worker.postMessage(message, [...transfer]);
    }
  }

  /** Looks at the slot's memory. */
  async checkMemory(): Promise<void> {
    if (this.isMeasuring || this.state.type === 'ending' || this.state.type === 'ended') return;
    this.isMeasuring = true;
    const statistics = await this.worker.getHeapStatistics().catch(() => null);
    this.isMeasuring = false;
    if (statistics === null) return;
    const used = statistics.used_heap_size + statistics.external_memory;
    const verdict = this.guard.judge(used);
    if (verdict === 'collect') this.send({ type: 'collect-garbage' });
    if (verdict === 'end') this.outOfMemory(used);
  }

  /** S1. Resolves when its user code has ended (S3). Idempotent. */
  end(): Promise<void> {
    if (this.state.type === 'ended') return Promise.resolve();
    if (this.state.type === 'ending') return this.state.done;
    if (this.state.type === 'starting') this.state.reject(new Error('the slot was freed'));
    const done = this.terminate();
    this.state = { type: 'ending', done };
    return done;
  }

  /** Ends the slot and reports it as lost. */
  lose(failure: FailureInfo): void {
    if (this.state.type === 'ending' || this.state.type === 'ended') return;
    this.options.lost(failure); // S2
    if (this.state.type === 'starting') this.state.reject(new Error(failure.message));
    this.state = { type: 'ending', done: this.terminate() };
  }

  private receive(message: FromSlot): void {
    switch (message.type) {
      case 'listening':
        if (this.state.type !== 'starting') return;
        this.state.resolve(message.dataPort);
        this.state = { type: 'running' };
        return;
      case 'garbage-collected':
        return this.guard.collected();
      case 'crashed':
        return this.lose(this.uncaught(message.failure));
      default:
        return this.options.received(message);
    }
  }

  private outOfMemory(used: number): void {
    this.lose(this.memoryFailure(`used ${formatBytes(used)}`));
  }

  private uncaught(thrown: FailureInfo): FailureInfo {
    const where = 'a timer, a callback, or a promise that nobody awaited';
    return {
      kind: FailureKind.userCode,
      ...thrown,
      message: `${thrown.message} (thrown in ${where}: it ended ${this.name})`,
    };
  }

  private crashed(error: unknown): void {
    const { code, message, stack = null } = error as NodeJS.ErrnoException;
    if (code === 'ERR_WORKER_OUT_OF_MEMORY') this.lose(this.memoryFailure('grew too fast'));
    else this.lose({ ...failure(FailureKind.slotLost, `${this.name} crashed: ${message}`), stack });
  }

  private memoryFailure(what: string): FailureInfo {
    return failure(
      FailureKind.outOfMemory,
      `out of memory: ${this.name} ${what}, its limit is ${formatBytes(this.guard.limitBytes)}. Give ` +
        'the TaskManagers more memory (taskmanager.resources.memory) or fewer slots, or let the job keep less',
    );
  }

  private exited(code: number): void {
    this.lose(
      failure(
        FailureKind.slotLost,
        `${this.name} ended by itself with code ${code}: user code must not call process.exit(), ` +
          'it may throw an error to fail the job',
      ),
    );
    this.state = { type: 'ended' };
  }

  private async terminate(): Promise<void> {
    void this.worker.terminate();
    if (!(await within(terminationTimeoutMs, this.codeEnded))) {
      this.options.unstoppable(`${this.name} hangs in native code`); // S1
      return;
    }
    void within(lingerTimeoutMs, this.gone).then((isGone) => {
      if (!isGone) this.options.unstoppable(`${this.name} left native code behind that hangs`); // S3
    });
  }
}

/** Whether `event` resolves in time. */
async function within(ms: number, event: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const isInTime = await Promise.race([event.then(() => true), late]);
  clearTimeout(timer);
  return isInTime;
}

function failure(kind: FailureKind, message: string): FailureInfo {
  return { kind, message, stack: null, task: null, location: null };
}
