/** A process that is none: it has a status that a test changes, and prints what a test says. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { Readable } from 'node:stream';
import type { ProcessSpec } from '../../contract/process-spec.ts';
import type { LogOptions, ObservedProcess } from '../provider.ts';

export interface MemoryProcessStart {
  readonly clusterId: ClusterId;
  /** `taskmanager-1` */
  readonly name: string;
  readonly index: number;
  readonly spec: ProcessSpec;
  readonly secrets: Readonly<Record<string, string>>;
  /** Numbers all starts of a platform. */
  readonly pid: number;
  readonly startedAt: number;
  /** Why it cannot run yet; `null`: it runs. */
  readonly pending: string | null;
}

export class MemoryProcess {
  readonly start: MemoryProcessStart;
  status: ObservedProcess['status'];
  restarts = 0;
  exitCode: number | null = null;
  /** Why it is pending. */
  reason: string | null;
  readonly #lines: string[] = [];
  #changed = Promise.withResolvers<void>();

  constructor(start: MemoryProcessStart) {
    this.start = start;
    this.status = start.pending === null ? 'running' : 'pending';
    this.reason = start.pending;
  }

  /** Appends a line to its output. */
  print(line: string): void {
    this.#lines.push(`${line}\n`);
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  observe(ended: boolean): ObservedProcess {
    const { index, name, pid, spec, startedAt } = this.start;
    return {
      name,
      role: spec.role,
      index,
      release: spec.labels['fctl.dev/release'],
      status: this.status === 'lost' && ended ? 'exited' : this.status,
      reason: this.reason,
      location: `process ${pid} in memory`,
      host: null,
      misplaced: null,
      startedAt: this.status === 'pending' ? null : startedAt,
      restarts: this.restarts,
      exitCode: this.exitCode,
      spec,
    };
  }

  /** Its output, as `Provider.logs` gives it. */
  logs({ follow, signal, tail }: LogOptions): Readable {
    const read = async function* (this: MemoryProcess) {
      let next = tail === null ? 0 : Math.max(0, this.#lines.length - tail);
      for (;;) {
        while (next < this.#lines.length) yield this.#lines[next++]!;
        if (!follow || signal.aborted) return;
        const aborted = new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => resolve(), { once: true }),
        );
        await Promise.race([this.#changed.promise, aborted]);
      }
    };
    return Readable.from(read.call(this), { objectMode: false });
  }
}
