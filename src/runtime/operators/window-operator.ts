/**
 * Windows over event time: tumbling ones and the one over the whole stream, keyed or not.
 *
 * V1  A window fires when the watermark reaches `end - 1`, which is also the timestamp of its results.
 * V2  A record is late when the watermark has reached its window's `end - 1` plus the allowed lateness;
 *     it is dropped and counted. A record that comes after its window fired, but is not late, makes its
 *     key fire again at once, with all that is kept.
 * V3  Windows fire in order of their ends, the keys of one in the order in which they first came.
 * V4  What a watermark fires goes out before the watermark does (O2).
 */
import type { KeySelector, RuntimeContext, WindowFunction } from '../../api/functions.ts';
import type { WindowOperation } from '../../api/transformations.ts';
import type { KeySpace } from '../state/key-space.ts';
import type { Cell } from '../state/keyed-table.ts';
import { Operator } from './operator.ts';
import type { OperatorMetrics, OperatorSetup } from './operator.ts';
import { TimestampedCollector } from './timestamped-collector.ts';
import { windowContents } from './window-contents.ts';
import type { WindowContents } from './window-contents.ts';
import { WindowPanes } from './window-panes.ts';
import type { Pane } from './window-panes.ts';

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
  }

  record(value: unknown, timestamp: number): void {
    try {
      let pane = this.current;
      if (pane === null || timestamp < pane.start || timestamp >= pane.end) {
        if (this.needsTimestamps && !Number.isFinite(timestamp)) this.refuse();
        pane = this.panes.paneOf(timestamp, this.currentWatermark);
        if (pane === null) {
          this.metrics.lateRecordsDropped++; // V2
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
    this.currentWatermark = timestamp;
    try {
      for (;;) {
        const pane = this.panes.nextDue(timestamp); // V1, V3
        if (pane === null) break;
        for (const cell of pane.table.cells()) this.fireCell(pane, cell);
      }
    } catch (error) {
      this.blame(error);
      throw error;
    }
    if (this.current !== null && this.current.cleanupTime <= timestamp) this.current = null;
    this.panes.cleanUp(timestamp);
    super.watermark(timestamp); // V4
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
