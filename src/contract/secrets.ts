/**
 * Values that must be shown nowhere: what stands in their place, and who puts it there. The redactor takes them out of whatever is shown.
 *
 * R1  Of a tree (JSON) only string values change. Keys, numbers, `true`, `false` and `null` say what
 *     fctl says: a secret that happens to be `true`, `1234` or `jobs` must not break them. Nor does one
 *     change a value that is a word of fctl's own as a whole: `RUNNING` (own-words.ts).
 * R2  Occurrences that overlap are taken out as one, so that no part of a secret is left behind.
 * R3  A stream is masked like the whole text, wherever it is cut into chunks. Only what may be the
 *     beginning of a secret is held back.
 */
import type { JsonObject, JsonValue } from './json.ts';
import { isOwnWord, isState, longestState } from './own-words.ts';

/** What stands in the place of a secret. */
export const MASK = '******';

/** A shorter value is masked where it is expected only: in other text it would hit half of all words. */
const minLength = 4;

/** Masks secrets in text. More may become known while it is in use. */
export class Redactor {
  readonly #values = new Set<string>();
  /** As they stand in plain text and in JSON. */
  #forms: readonly string[] = [];
  /** The same, each character one byte of its UTF-8. */
  #byteForms: readonly string[] = [];

  constructor(values: readonly string[] = []) {
    this.add(values);
  }

  get values(): readonly string[] {
    return [...this.#values];
  }

  add(values: readonly string[]): void {
    for (const value of values) {
      // One that is nothing but asterisks looks like every other secret already.
      if (value.length >= minLength && /[^*]/.test(value)) this.#values.add(value);
    }
    const forms = new Set(this.values.flatMap((v) => [v, JSON.stringify(v).slice(1, -1)]));
    this.#forms = [...forms];
    this.#byteForms = this.#forms.map((form) => toBinary(Buffer.from(form)));
  }

  /** The text without any secret. */
  mask(text: string): string {
    return maskAll(text, this.#forms);
  }

  /** The same for what fctl says to people: a state that stands alone stays, as in a table (R1). */
  maskSaid(text: string): string {
    return maskAll(text, this.#forms, isWithinState);
  }

  /** The same for bytes, which are returned as they are where there is nothing to mask. */
  maskBytes(bytes: Uint8Array): Uint8Array {
    const text = toBinary(bytes);
    const masked = maskAll(text, this.#byteForms);
    return masked === text ? bytes : Buffer.from(masked, 'latin1');
  }

  /** The same for string values of a tree (R1). */
  maskJson<T>(value: T): T {
    if (this.#forms.length === 0) return value;
    return maskTree(value as JsonValue, (text) => this.#maskValue(text)) as T;
  }

  /** R1 */
  #maskValue(text: string): string {
    return isOwnWord(text) ? text : this.mask(text);
  }

  /** As `JSON.stringify`, with string values masked (R1). */
  stringify(value: unknown): string {
    if (this.#forms.length === 0) return JSON.stringify(value);
    return JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'string' ? this.#maskValue(inner) : inner,
    );
  }

  /** For bytes that come in chunks (R3). */
  stream(): MaskingStream {
    return new MaskingStream(() => this.#byteForms);
  }
}

/** Bytes, whatever they mean, as text of the same length. */
const toBinary = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

export class MaskingStream {
  readonly #forms: () => readonly string[];
  /** What came and was not given on, as it may be the beginning of a secret. */
  #held = '';

  constructor(forms: () => readonly string[]) {
    this.#forms = forms;
  }

  /** @returns what can be given on. */
  write(chunk: Uint8Array): Buffer {
    const forms = this.#forms();
    const text = this.#held + toBinary(chunk);
    const spans = findSpans(text, forms);
    let end = text.length - partialAtEnd(text, forms);
    // A secret that is whole may overlap one that is not.
    const open = spans.find((span) => span.start < end && end < span.end);
    if (open !== undefined) end = open.start;
    this.#held = open === undefined ? text.slice(end) : text.slice(open.lastStart);
    return Buffer.from(maskAll(text.slice(0, end), forms), 'latin1');
  }

  /** @returns the rest. */
  end(): Buffer {
    const rest = maskAll(this.#held, this.#forms());
    this.#held = '';
    return Buffer.from(rest, 'latin1');
  }
}

/** Occurrences that overlap each other. */
interface Span {
  readonly start: number;
  readonly end: number;
  /** Where the one begins that ends last: all before it is hidden already. */
  readonly lastStart: number;
}

/** @param isKept says of what looks like a secret that it stays. */
function maskAll(
  text: string,
  forms: readonly string[],
  isKept: (text: string, span: Span) => boolean = () => false,
): string {
  let masked = text;
  for (;;) {
    const whole = masked;
    const spans = findSpans(whole, forms).filter((span) => !isKept(whole, span));
    if (spans.length === 0) return masked;
    let at = 0;
    let next = '';
    for (const { start, end } of spans) {
      next += masked.slice(at, start) + MASK;
      at = end;
    }
    // Only a secret with asterisks at its ends can be there again, each time with less beside them.
    masked = next + masked.slice(at);
  }
}

/** Whether it is a state, or a part of one, with nothing beside it. */
function isWithinState(text: string, { end, start }: Span): boolean {
  if (!/^[A-Z]+$/.test(text.slice(start, end))) return false;
  const before = /[\w-]*$/.exec(text.slice(Math.max(0, start - longestState), start))![0];
  const after = /^[\w-]*/.exec(text.slice(end, end + longestState))![0];
  return isState(before + text.slice(start, end) + after);
}

/** In their order (R2). */
function findSpans(text: string, forms: readonly string[]): readonly Span[] {
  const found = forms.flatMap((form) => {
    const starts: number[] = [];
    for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1)) starts.push(at);
    return starts.map((start) => ({ start, end: start + form.length }));
  });
  const spans: Span[] = [];
  for (const { start, end } of found.sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = spans.at(-1);
    if (last === undefined || start >= last.end) spans.push({ start, end, lastStart: start });
    else if (end > last.end) spans[spans.length - 1] = { start: last.start, end, lastStart: start };
  }
  return spans;
}

/** How many characters at the end may be the beginning of a secret, and are none yet. */
function partialAtEnd(text: string, forms: readonly string[]): number {
  let most = 0;
  for (const form of forms) {
    for (let length = Math.min(form.length - 1, text.length); length > most; length--) {
      if (text.endsWith(form.slice(0, length))) most = length;
    }
  }
  return most;
}

function maskTree(value: JsonValue, mask: (text: string) => string): JsonValue {
  if (typeof value === 'string') return mask(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => maskTree(item, mask));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, maskTree(inner, mask)]),
  );
}

/** Secret arguments by their JSON pointer: what an application's secret file holds. */
export type SecretArguments = Readonly<Record<string, string | number>>;

/** As they may stand in text. */
export const textsOf = (secrets: SecretArguments): string[] => Object.values(secrets).map(String);

/** Splits arguments into what may be seen and what may not. */
export function splitSecrets(
  args: JsonObject,
  pointers: readonly string[],
): { masked: JsonObject; secrets: SecretArguments } {
  const secrets: Record<string, string | number> = {};
  const isSecret = new Set(pointers);
  const masked = mapLeaves(args, '', (leaf, pointer) => {
    if (!isSecret.has(pointer)) return leaf;
    secrets[pointer] = leaf;
    return MASK;
  });
  return { masked: masked as JsonObject, secrets };
}

/** The arguments as they were before `splitSecrets`. */
export function joinSecrets(masked: JsonObject, secrets: SecretArguments): JsonObject {
  return mapLeaves(masked, '', (leaf, pointer) => secrets[pointer] ?? leaf) as JsonObject;
}

/** Texts and numbers. */
function mapLeaves(
  value: JsonValue,
  pointer: string,
  change: (leaf: string | number, pointer: string) => string | number,
): JsonValue {
  if (typeof value === 'string' || typeof value === 'number') return change(value, pointer);
  if (value === null || typeof value !== 'object') return value;
  const below = (inner: JsonValue, key: string | number) =>
    mapLeaves(inner, `${pointer}/${escapePointer(String(key))}`, change);
  if (Array.isArray(value)) return value.map((item: JsonValue, index) => below(item, index));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, below(inner, key)]));
}

/** RFC 6901 */
const escapePointer = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1');
