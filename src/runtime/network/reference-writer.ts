/**
 * A channel between two tasks of the same slot: elements go over by reference, in batches, and are never
 * encoded. Records are immutable once emitted, so both ends may hold them.
 *
 * S1  The size of a record is estimated, from every 64th of a channel: credit only has to bound memory.
 */
import { NO_TIMESTAMP } from '../../api/source.ts';
import type { CheckpointBarrier, ElementConsumer } from '../operators/element-consumer.ts';
import type { ChannelWriter, Flusher } from './channel-writer.ts';
import type { ReadProgress } from './elements.ts';
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
    this.values.push(value);
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

/** Passes all elements of a batch on. */
export function readBatch(
  batch: ReferenceBatch,
  consumer: ElementConsumer,
  progress: ReadProgress,
): void {
  const { values, timestamps, controls } = batch;
  let at = 0;
  for (const control of controls) {
    for (; at < control.after; at++) consumer.record(values[at], timestamps[at] ?? NO_TIMESTAMP);
    if (control.kind === 'end') progress.hasEnded = true;
    applyControl(control, consumer);
  }
  for (; at < values.length; at++) consumer.record(values[at], timestamps[at] ?? NO_TIMESTAMP);
  progress.records += values.length;
}

function applyControl(control: Control, consumer: ElementConsumer): void {
  switch (control.kind) {
    case 'watermark':
      return consumer.watermark(control.timestamp);
    case 'idle':
      return consumer.idle(control.isIdle);
    case 'barrier':
      return consumer.barrier(control.barrier);
    case 'end':
      return consumer.end();
  }
}
