/**
 * A channel between two tasks of the same slot: elements go over in batches, and are never encoded.
 *
 * S1  The size of a record is estimated, from every 64th of a channel: credit only has to bound memory.
 * S2  What goes over is a copy: whoever emitted a record may still hold it, and may change it before the
 *     batch is read. A value that is not of the edge's type is refused, as by encoding.
 */
import { NO_TIMESTAMP } from '../../../api/source.ts';
import type { CheckpointBarrier } from '../checkpoint/barrier-aligner.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';
import type { ChannelWriter, Flusher } from './channel-writer.ts';
import { type ReadLimit, type ReadProgress, STOP_INTERVAL } from './elements.ts';
import { estimateSize } from './estimate-size.ts';
import { ITEM_OVERHEAD_BYTES, type SendWindow } from './send-window.ts';

/** What is no record, with the number of records before it. */
type Control = { readonly after: number } & (
  | { readonly kind: 'watermark'; readonly timestamp: number }
  | { readonly kind: 'idle'; readonly isIdle: boolean }
  | { readonly kind: 'barrier'; readonly barrier: CheckpointBarrier }
  | { readonly kind: 'end' }
);

/** Some elements of a channel, in order. */
export interface ReferenceBatch {
  readonly values: unknown[];
  readonly timestamps: number[];
  readonly controls: Control[];
  /** Estimated bytes of the records. */
  readonly bytes: number;
  readonly cost: number;
}

export interface ReferenceOptions {
  readonly batchBytes: number;
  readonly flusher: Flusher;
  readonly counters: { bytesOut: number };
  readonly copy: (value: unknown) => unknown;
}

const sampling = 64;

export class ReferenceWriter implements ChannelWriter {
  private readonly options: ReferenceOptions;
  private readonly window: SendWindow<ReferenceBatch>;
  private values: unknown[] = [];
  private timestamps: number[] = [];
  private controls: Control[] = [];
  private bytes = 0;
  private untilSample = 0;
  private recordBytes = 0;
  private isScheduled = false;

  constructor(options: ReferenceOptions, window: SendWindow<ReferenceBatch>) {
    this.options = options;
    this.window = window;
  }

  get isDrained(): boolean {
    return this.values.length === 0 && this.controls.length === 0 && this.window.isDrained;
  }

  record(value: unknown, timestamp: number): void {
    if (this.untilSample-- === 0) {
      this.untilSample = sampling; // S1
      this.recordBytes = estimateSize(value);
    }
    this.values.push(this.options.copy(value)); // S2
    this.timestamps.push(timestamp);
    this.bytes += this.recordBytes;
    this.written();
  }

  watermark(timestamp: number): void {
    this.controls.push({ after: this.values.length, kind: 'watermark', timestamp });
    this.written();
  }

  idle(isIdle: boolean): void {
    this.controls.push({ after: this.values.length, kind: 'idle', isIdle });
    this.written();
  }

  barrier(barrier: CheckpointBarrier): void {
    this.controls.push({ after: this.values.length, kind: 'barrier', barrier });
    this.flush();
  }

  end(): void {
    this.controls.push({ after: this.values.length, kind: 'end' });
    this.flush();
  }

  flush(): void {
    this.isScheduled = false;
    const { values, timestamps, controls, bytes } = this;
    if (values.length === 0 && controls.length === 0) return;
    this.values = [];
    this.timestamps = [];
    this.controls = [];
    this.bytes = 0;
    this.options.counters.bytesOut += bytes;
    const cost = bytes + (controls.length + 1) * ITEM_OVERHEAD_BYTES;
    this.window.send({ values, timestamps, controls, bytes, cost });
  }

  private written(): void {
    if (this.options.flusher.isImmediate || this.bytes >= this.options.batchBytes) {
      this.flush();
    } else if (!this.isScheduled) {
      this.isScheduled = true;
      this.options.flusher.schedule(this);
    }
  }
}

/** Where the next element of a batch is. */
export interface BatchPosition {
  record: number;
  control: number;
}

/**
 * Passes the elements of a batch on from `position`, until `limit` says to stop, or a barrier comes: then
 * `position` is that of the next one. @returns whether it was the last one.
 */
export function readBatch(
  { controls, timestamps, values }: ReferenceBatch,
  position: BatchPosition,
  consumer: ElementConsumer,
  progress: ReadProgress,
  limit: ReadLimit,
): boolean {
  const before = position.record;
  let at = before;
  let isStopped = false;
  while (!isStopped) {
    const control = controls[position.control];
    const end = control?.after ?? values.length;
    const stop = Math.min(end, at + STOP_INTERVAL);
    for (; at < stop; at++) consumer.record(values[at], timestamps[at] ?? NO_TIMESTAMP);
    if (at === end) {
      if (control === undefined) break;
      position.control++;
      if (control.kind === 'end') progress.hasEnded = true;
      applyControl(control, consumer, progress);
    }
    isStopped = progress.barrier !== null || limit.mustStop();
  }
  position.record = at;
  progress.records += at - before;
  return at === values.length && position.control === controls.length;
}

function applyControl(control: Control, consumer: ElementConsumer, progress: ReadProgress): void {
  switch (control.kind) {
    case 'watermark':
      return consumer.watermark(control.timestamp);
    case 'idle':
      return consumer.idle(control.isIdle);
    case 'barrier':
      progress.barrier = control.barrier;
      return;
    case 'end':
      return consumer.end();
  }
}
