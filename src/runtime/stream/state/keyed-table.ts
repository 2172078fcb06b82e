/**
 * Keyed state on the heap: one table a state (and, for windows, a window), one cell a key.
 *
 * State belongs to key groups, because a snapshot is written, and restored with another parallelism, a
 * range of key groups at a time. The obvious shape is a map per key group; it costs every record a hash
 * of its key only to choose the map, before that map hashes the key once more. What is kept here instead
 * is one map for all groups, and in each cell its key and the key's group: the group is computed when a
 * cell is made, not when it is used. A snapshot walks the cells once and puts each into the bucket of its
 * group (linear, no hashing), and the records between two snapshots pay one map look-up each.
 * (Measured with a million new keys: computing the group is below a tenth of what making a cell costs.)
 *
 * T1  A cell is changed in place: one look-up a record, and no second one to store the new value.
 * T2  Cells are in the order in which their keys first came: firing windows and snapshots do the same
 *     thing each time they are given the same records.
 */
import type { KeySpace } from './key-space.ts';

export interface Cell<V> {
  readonly key: unknown;
  readonly keyGroup: number;
  value: V;
}

export class KeyedTable<V> {
  private readonly keys: KeySpace;
  private readonly cellsByIdentity = new Map<unknown, Cell<V>>();

  constructor(keys: KeySpace) {
    this.keys = keys;
  }

  /** `undefined`: nothing is kept for this key. */
  get(key: unknown): Cell<V> | undefined {
    const { identity } = this.keys;
    return this.cellsByIdentity.get(identity === null ? key : identity(key));
  }

  /** For a key that has no cell yet. @throws Error when the key is not this subtask's (Y2). */
  add(key: unknown, value: V): Cell<V> {
    const { identity } = this.keys;
    const keyGroup = this.keys.groupOf(key);
    const kept = this.keys.flat(key); // Y3 of key-space.ts
    const cell = { key: kept, keyGroup, value };
    this.cellsByIdentity.set(identity === null ? kept : identity(kept), cell);
    return cell;
  }

  /** In the order in which the keys first came (T2). */
  cells(): IterableIterator<Cell<V>> {
    return this.cellsByIdentity.values();
  }
}
