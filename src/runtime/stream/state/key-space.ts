/**
 * The keys of one keyed operator in one subtask: how they are told apart, and which key group each is of.
 *
 * Y1  Two keys are the same key exactly when their canonical encodings are equal, as for the channel
 *     that brought the record here. Numbers, strings, … stand for themselves in a Map; other keys by
 *     their encoding.
 * Y2  A key of a group that this subtask does not own is refused: its record belongs elsewhere, or its
 *     key is not the same here as where the record was sent from.
 * Y3  A key that is kept holds nothing but itself: V8 makes a text that was cut from another one a slice of
 *     it, which keeps the whole of that in memory (a chunk of a file), and a key of fields is the user's.
 */
import { compileKeyGroup, compileKeyText, isIdentityKey } from '../../../api/keys.ts';
import { ByteReader, ByteWriter } from '../../../api/bytes.ts';
import { compileCodec } from '../../../api/codec.ts';
import type { TypeShape } from '../../../api/types.ts';

/** Inclusive on both ends, as Flink's KeyGroupRange. */
export interface KeyGroupRange {
  readonly start: number;
  readonly end: number;
}

/** The key groups of a subtask: those with `floor(group × parallelism / maxParallelism)` = its index. */
export function keyGroupRange(
  subtaskIndex: number,
  parallelism: number,
  maxParallelism: number,
): KeyGroupRange {
  return {
    start: Math.ceil((subtaskIndex * maxParallelism) / parallelism),
    end: Math.ceil(((subtaskIndex + 1) * maxParallelism) / parallelism) - 1,
  };
}

export interface KeySpaceOptions {
  /** Y3 */
  readonly flat: (key: unknown) => unknown;
  /** What stands for a key in a Map: equal for equal keys. `null`: the key itself does. */
  readonly identity: ((key: unknown) => string) | null;
  readonly keyGroupOf: (key: unknown) => number;
  readonly range: KeyGroupRange;
}

export class KeySpace {
  /** The key as it may be kept (Y3). */
  readonly flat: (key: unknown) => unknown;
  readonly identity: ((key: unknown) => string) | null;
  private readonly keyGroupOf: (key: unknown) => number;
  private readonly range: KeyGroupRange;

  constructor(options: KeySpaceOptions) {
    this.flat = options.flat;
    this.identity = options.identity;
    this.keyGroupOf = options.keyGroupOf;
    this.range = options.range;
  }

  /** @throws Error naming key and key group when this subtask does not own it (Y2). */
  groupOf(key: unknown): number {
    const group = this.keyGroupOf(key);
    if (group >= this.range.start && group <= this.range.end) return group;
    throw new Error(
      `key ${describe(key)} is of key group ${group}, but this subtask owns ` +
        `${this.range.start} to ${this.range.end}: the key selector must return the same key for the ` +
        'same record each time, on every machine',
    );
  }
}

/** The subtask that keys are for. */
export interface KeyOwner {
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
}

/** The keys of type `type` that `owner` has. */
export function keySpaceOf(type: TypeShape, owner: KeyOwner): KeySpace {
  const { subtaskIndex, parallelism, maxParallelism } = owner;
  return new KeySpace({
    flat: flattener(type),
    identity: isIdentityKey(type) ? null : compileKeyText(type),
    keyGroupOf: compileKeyGroup(type, maxParallelism),
    range: keyGroupRange(subtaskIndex, parallelism, maxParallelism),
  });
}

/** V8 copies shorter pieces of a text; only longer ones are slices. */
const longestCopied = 12;

/** Y3: through the key's own encoding. */
function flattener(type: TypeShape): (key: unknown) => unknown {
  const codec = compileCodec<unknown>(type);
  return (key) => {
    if (typeof key === 'string' ? key.length <= longestCopied : typeof key !== 'object') return key;
    const writer = new ByteWriter();
    codec.write(writer, key);
    return codec.read(new ByteReader(writer.written()));
  };
}

/** The one key of a `windowAll`: `null`, of key group 0. */
export const singleKey = new KeySpace({
  flat: (key) => key,
  identity: null,
  keyGroupOf: () => 0,
  range: { start: 0, end: 0 },
});

function describe(key: unknown): string {
  if (typeof key === 'string') return `'${key}'`;
  if (typeof key !== 'object' || key === null) return String(key);
  return JSON.stringify(key, (_name, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}
