/**
 * The windows that an operator keeps, each with its table of keys.
 *
 * A timer a key and window, as Flink's operator registers, would need a queue with an entry a key. All
 * keys of an aligned window fire together, so the windows themselves are the timers: one sorted list of
 * them, in which the due ones are a prefix. A record finds its window by its start in a Map, and almost
 * always needs not even that, because it falls into the window of the record before.
 *
 * N1  `panes` is ascending by window. Those before `firstUnfired` have fired and wait for late records.
 */
import type { TimeWindow } from '../../../api/functions.ts';
import type { WindowAssigner } from '../../../api/windows.ts';
import type { KeySpace } from '../state/key-space.ts';
import { KeyedTable } from '../state/keyed-table.ts';

/** One window, and what is kept for it. */
export interface Pane {
  readonly window: TimeWindow;
  /** `window.start` and `window.end`. */
  readonly start: number;
  readonly end: number;
  /** The window fires once the watermark is there. Timestamp of its results: `end - 1`. */
  readonly maxTimestamp: number;
  /** The window is forgotten once the watermark is there; a record that comes then is late. */
  readonly cleanupTime: number;
  /** Has fired: a record that comes now fires its key again. */
  fired: boolean;
  readonly table: KeyedTable<unknown>;
}

export interface PaneLimits {
  readonly assigner: WindowAssigner;
  readonly allowedLatenessMs: number;
  readonly keys: KeySpace;
}

export class WindowPanes {
  private readonly limits: PaneLimits;
  private readonly byStart = new Map<number, Pane>();
  private readonly panes: Pane[] = [];
  private firstUnfired = 0;

  constructor(limits: PaneLimits) {
    this.limits = limits;
  }

  /** The window of `timestamp`, made when it is new; `null`: it is over, the record is late. */
  paneOf(timestamp: number, watermark: number): Pane | null {
    const { assigner, allowedLatenessMs, keys } = this.limits;
    const start =
      assigner.kind === 'end-of-stream' ? -Infinity : tumblingStart(timestamp, assigner);
    const existing = this.byStart.get(start);
    if (existing !== undefined) return existing;
    const end = assigner.kind === 'end-of-stream' ? Infinity : start + assigner.sizeMs;
    const maxTimestamp = end - 1;
    const cleanupTime = maxTimestamp + allowedLatenessMs;
    if (cleanupTime <= watermark) return null;
    const fired = maxTimestamp <= watermark;
    const table = new KeyedTable<unknown>(keys);
    const pane = { window: { start, end }, start, end, maxTimestamp, cleanupTime, fired, table };
    this.insert(pane);
    return pane;
  }

  /** The next window to fire at `watermark`, in order; marks it as fired. `null`: no more. */
  nextDue(watermark: number): Pane | null {
    const pane = this.panes[this.firstUnfired];
    if (pane === undefined || pane.maxTimestamp > watermark) return null;
    pane.fired = true;
    this.firstUnfired++; // N1
    return pane;
  }

  /** Forgets the windows that are over at `watermark`. All of them have fired. */
  cleanUp(watermark: number): void {
    let over = 0;
    while (over < this.firstUnfired && this.panes[over]!.cleanupTime <= watermark) {
      this.byStart.delete(this.panes[over]!.start);
      over++;
    }
    if (over === 0) return;
    this.panes.splice(0, over);
    this.firstUnfired -= over;
  }

  private insert(pane: Pane): void {
    let at = this.panes.length;
    while (at > 0 && this.panes[at - 1]!.start > pane.start) at--;
    this.panes.splice(at, 0, pane);
    if (pane.fired) this.firstUnfired++; // N1: the fired ones are a prefix, because ends are ascending
    this.byStart.set(pane.start, pane);
  }
}

/** Start of the window of size `sizeMs`, aligned to `offsetMs`, that holds `timestamp`. */
function tumblingStart(
  timestamp: number,
  { sizeMs, offsetMs }: { readonly sizeMs: number; readonly offsetMs: number },
): number {
  // Exact for all whole milliseconds: below 2^53 a quotient is never rounded up to a whole number.
  return Math.floor((timestamp - offsetMs) / sizeMs) * sizeMs + offsetMs;
}
