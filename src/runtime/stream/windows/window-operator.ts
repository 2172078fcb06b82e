/**
 * Windows over event time: tumbling ones and the one over the whole stream, keyed or not.
 *
 * V1  A window fires when the watermark reaches `end - 1`, which is also the timestamp of its results.
 * V2  A record is late when the watermark has reached its window's `end - 1` plus the allowed lateness;
 *     it is dropped and counted. A record that comes after its window fired, but is not late, makes its
 *     key fire again at once, with all that is kept.
 * V3  Windows fire in order of their ends, the keys of one in the order in which they first came.
 * V4  What a watermark fires goes out before the watermark does (O2).
 * V5  Firing may be interrupted. What comes meanwhile takes effect afterwards: a record makes it go on to
 *     its end first, everything else is held until then. Results are the same as without.
 */
import type { KeySelector, RuntimeContext, WindowFunction } from '../../../api/functions.ts';
import type { WindowOperation } from '../../../api/transformations.ts';
import type { KeySpace } from '../state/key-space.ts';
import type { Cell } from '../state/keyed-table.ts';
import { Operator } from '../operators/operator.ts';
import type { OperatorMetrics, OperatorSetup } from '../operators/operator.ts';
import { TimestampedCollector } from '../operators/timestamped-collector.ts';
import { windowContents } from './window-contents.ts';
import type { WindowContents } from './window-contents.ts';
import { WindowPanes } from './window-panes.ts';
import type { Pane } from './window-panes.ts';

/** Keys fired between two looks at whether to yield; a power of two. */
const yieldInterval = 16;

const never = (): boolean => false;

const noKey: KeySelector<unknown, unknown> = () => null;

export class WindowOperator extends Operator {
  private readonly selector: KeySelector<unknown, unknown>;
  private readonly contents: WindowContents;
  private readonly windowFunction: WindowFunction<unknown, unknown, unknown> | null;
  private readonly needsTimestamps: boolean;
  private readonly panes: WindowPanes;
  private readonly collector: TimestampedCollector;
  private readonly context: RuntimeContext;
  private readonly metrics: OperatorMetrics;
  /** The window of the last record while it is kept: it is the next one's in all likelihood. */
  private current: Pane | null = null;
  private readonly shouldYield: () => boolean;
  /** The watermark that is firing windows; `null`: none is. */
  private firing: number | null = null;
  private firingPane: Pane | null = null;
  /** The keys of `firingPane` that have not fired yet. */
  private firingCells: IterableIterator<Cell<unknown>> | null = null;
  private held: (() => void)[] = [];

  constructor(setup: OperatorSetup, operation: WindowOperation, keys: KeySpace) {
    super(setup);
    const { assigner, allowedLatenessMs, contents, windowFunction, key } = operation;
    if (contents.kind === 'elements' && windowFunction === null) {
      throw new Error(
        `'${setup.name}' keeps all elements and has no window function to give them to`,
      );
    }
    this.selector = key === null ? noKey : key.selector;
    this.contents = windowContents(contents);
    this.windowFunction = windowFunction;
    this.needsTimestamps = assigner.kind !== 'end-of-stream';
    this.panes = new WindowPanes({ assigner, allowedLatenessMs, keys });
    this.collector = new TimestampedCollector(setup.output, setup.name);
    this.context = setup.context;
    this.metrics = setup.metrics;
    this.shouldYield = setup.host.shouldYield;
  }

  override get isInterrupted(): boolean {
    return this.firing !== null;
  }

  record(value: unknown, timestamp: number): void {
    if (this.firing !== null) this.complete(); // V5
    try {
      let pane = this.current;
      if (pane === null || timestamp < pane.start || timestamp >= pane.end) {
        if (this.needsTimestamps && !Number.isFinite(timestamp)) this.refuse();
        pane = this.panes.paneOf(timestamp, this.currentWatermark);
        if (pane === null) {
          this.metrics.lateRecords++; // V2
          return;
        }
        this.current = pane;
      }
      const cell = this.add(pane, value);
      if (pane.fired) this.fireCell(pane, cell); // V2
    } catch (error) {
      this.blame(error);
      throw error;
    }
  }

  override watermark(timestamp: number): void {
    if (this.firing !== null) {
      this.held.push(() => this.watermark(timestamp)); // V5
      return;
    }
    this.currentWatermark = timestamp;
    this.firing = timestamp;
    this.fire(this.shouldYield);
  }

  override idle(isIdle: boolean): void {
    if (this.firing === null) super.idle(isIdle);
    else this.held.push(() => this.idle(isIdle)); // V5
  }

  override end(): void {
    if (this.firing === null) super.end();
    else this.held.push(() => this.end()); // V5
  }

  override resume(): void {
    if (this.firing !== null) this.fire(this.shouldYield);
    while (this.firing === null) {
      const next = this.held.shift();
      if (next === undefined) return;
      next();
    }
  }

  private complete(): void {
    while (this.firing !== null) {
      this.fire(never);
      this.resume();
    }
  }

  /** Fires what is due until all of it has fired, or `shouldYield`. */
  private fire(shouldYield: () => boolean): void {
    const timestamp = this.firing!;
    try {
      while (this.nextPane(timestamp)) {
        if (!this.fireCells(this.firingPane!, this.firingCells!, shouldYield)) return;
        this.firingPane = null;
      }
    } catch (error) {
      this.blame(error);
      throw error;
    }
    this.firing = null;
    if (this.current !== null && this.current.cleanupTime <= timestamp) this.current = null;
    this.panes.cleanUp(timestamp);
    super.watermark(timestamp); // V4
  }

  /** Whether there is a window to fire: one that was interrupted, or the next (V1, V3). */
  private nextPane(timestamp: number): boolean {
    if (this.firingPane !== null) return true;
    this.firingPane = this.panes.nextDue(timestamp);
    this.firingCells = this.firingPane?.table.cells() ?? null;
    return this.firingPane !== null;
  }

  /** @returns whether all have fired. Leaving the loop does not end the iterator. */
  private fireCells(
    pane: Pane,
    cells: IterableIterator<Cell<unknown>>,
    shouldYield: () => boolean,
  ): boolean {
    let fired = 0;
    for (const cell of cells) {
      this.fireCell(pane, cell);
      if ((++fired & (yieldInterval - 1)) === 0 && shouldYield()) return false;
    }
    return true;
  }

  private add(pane: Pane, value: unknown): Cell<unknown> {
    const key = this.selector(value);
    const cell = pane.table.get(key);
    if (cell === undefined) return pane.table.add(key, this.contents.first(value));
    cell.value = this.contents.add(cell.value, value);
    return cell;
  }

  private fireCell(pane: Pane, cell: Cell<unknown>): void {
    if (this.windowFunction === null) {
      this.output.record(this.contents.result(cell.value), pane.maxTimestamp);
      return;
    }
    this.collector.begin(pane.maxTimestamp);
    const values = this.contents.values(cell.value);
    this.windowFunction(cell.key, pane.window, values, this.collector, this.context);
    this.collector.finish();
  }

  private refuse(): never {
    throw new Error(
      `a record without a timestamp came to the event-time window '${this.name}': ` +
        'give the source a watermark strategy, or assign timestamps before the window',
    );
  }
}
