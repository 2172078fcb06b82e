/**
 * A slot in use, as the main thread sees it: one worker thread of one job attempt.
 *
 *     starting ─▶ running ─▶ ending ─▶ ended
 *
 * S1  `end` is the one way a slot is ended from here. A worker that does not end in bounded time is beyond
 *     this process's power: `unstoppable` is called, and the process must go.
 * S2  A slot that ends otherwise (out of memory, `process.exit`, an exception that no task caught) is
 *     reported as lost, once, before its peers can notice.
 */
import { type MessagePort, Worker } from 'node:worker_threads';
import type { FailureInfo } from '../../contract/documents.ts';
import { formatBytes } from '../../contract/units.ts';
import type { SlotAllocation } from '../rpc/protocol.ts';
import { MemoryGuard, v8LimitMb } from './memory-guard.ts';
import type { FromSlot, SlotStart, ToSlot } from './slot-messages.ts';

const terminationTimeoutMs = 5000;

type Reports = Extract<
  FromSlot,
  { type: 'changed' | 'request-split' | 'connect' | 'report' | 'warn' }
>;

export interface SlotOptions {
  readonly allocation: SlotAllocation;
  /** The built script of `slot-main.ts`. */
  readonly script: URL;
  readonly start: SlotStart;
  readonly memoryBytes: number;
  readonly received: (message: Reports) => void;
  readonly stdout: (chunk: Uint8Array) => void;
  /** S2 */
  readonly lost: (failure: FailureInfo) => void;
  /** S1 */
  readonly unstoppable: () => void;
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
  private readonly options: SlotOptions;
  private readonly worker: Worker;
  private readonly guard: MemoryGuard;
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
    this.worker = new Worker(options.script, {
      name: `slot-${options.allocation.slotIndex}`,
      workerData: options.start,
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: v8LimitMb(options.memoryBytes) },
    });
    this.worker.stdout.on('data', (chunk: Uint8Array) => options.stdout(chunk));
    this.worker.stderr.on('data', (chunk: Uint8Array) => options.stdout(chunk));
    this.worker.on('message', (message: FromSlot) => this.receive(message));
    this.worker.on('error', (error: unknown) => this.lose(describeCrash(error)));
    this.worker.once('exit', (code) => this.exited(code));
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

  /** S1. Resolves when the isolate is gone. Idempotent. */
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
        return this.lose(message.failure);
      default:
        return this.options.received(message);
    }
  }

  private outOfMemory(used: number): void {
    const { jobName, slotIndex } = this.allocation;
    const limit = formatBytes(this.guard.limitBytes);
    this.lose(
      failure(
        `out of memory: slot ${slotIndex} of job '${jobName}' used ${formatBytes(used)} of ${limit}. ` +
          'Give the TaskManagers more memory (taskmanager.resources.memory) or fewer slots',
      ),
    );
  }

  private exited(code: number): void {
    this.lose(
      failure(`the slot ended by itself with code ${code}: user code must not call process.exit()`),
    );
    this.state = { type: 'ended' };
  }

  private async terminate(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), terminationTimeoutMs);
    });
    const result = await Promise.race([this.worker.terminate(), late]);
    clearTimeout(timer);
    if (result === 'late') this.options.unstoppable();
  }
}

function failure(message: string): FailureInfo {
  return { message, stack: null, task: null, location: null };
}

function describeCrash(error: unknown): FailureInfo {
  const { code, message, stack } = error as NodeJS.ErrnoException;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return failure(`out of memory: ${message}`);
  return { ...failure(`the slot crashed: ${message}`), stack: stack ?? null };
}
