/**
 * Lines → rows of CSV: RFC 4180, and what other tools write that do not keep to it. Knows nothing of files.
 * Not by a library: those that were looked at fail, or join rows, where quotes are data, and csv-parse takes twice
 * the CPU time (*measured*, rows of a time, a number and a text, from bytes to records).
 *
 * R1  A quote opens a field only at its start, and closes it only before a separator or the end of its line.
 *     Everywhere else in a line it is a letter like any other: `pipe 5" wide`, `"Bass" Lake`.
 * R2  No row disappears in another one: a field of several lines whose next quote does not close it was opened
 *     by mistake. That is told of its first line alone; the others are read again, each for itself.
 * R3  A file separated by tabs rarely has line breaks within its fields, and often quotes that are data. A row
 *     over several lines, each of which is a row of the right width by itself, is read as those rows, unless
 *     all of its fields that are not empty are quoted, as FileSink writes them, or the quote was named.
 */

export interface CsvDialect {
  readonly separator: string;
  /** `null`: there are none. `undefined`: `"`, with R3. */
  readonly quote: string | null | undefined;
}

/** One row. */
export interface CsvRow {
  readonly fields: readonly string[];
  /** Indexes of fields that are `""`: an empty text, where an empty field may be nothing. `null`: there are none. */
  readonly emptyTexts: ReadonlySet<number> | null;
}

/** Why a row cannot be read; `line` is where it begins. */
export class CsvError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

export interface NumberedRow {
  readonly row: CsvRow;
  /** 1-based, of its last line. */
  readonly line: number;
}

/** A row in work. */
interface Work {
  readonly fields: string[];
  emptyTexts: Set<number> | null;
  isAllQuoted: boolean;
  /** Its lines so far, with their CR. */
  readonly lines: string[];
  /** Where in the first line its first field of several lines begins. */
  firstOpenAt: number;
  /** The field that goes on behind the end of its line. */
  open: OpenField | null;
}

interface OpenField {
  /** What of it was read, with the ends of lines. */
  readonly parts: string[];
  chars: number;
}

/** A field that is longer has lost its closing quote. */
const longestField = 16 * 1024 * 1024;

const neverClosed =
  'the row that begins here has a quote that is never closed: close it, or read the file with `quote: null`, if quotes are letters like any other in it';

/** No quote. */
const none = -1;

export class CsvRows {
  readonly #separator: string;
  readonly #quote: string | null;
  readonly #isTabs: boolean;
  readonly #keepsBlank: boolean;
  /** How many columns the first row has. */
  #width: number | null;
  #isFirst: boolean;
  #work: Work | null = null;
  /** Lines to read again (R2), the next one last. */
  readonly #again: string[] = [];
  /** Lines that were read, but for those to be read again. */
  #line = 0;

  /**
   * @param options.keepsBlank whether a blank line of a file of one column is a row with an empty field.
   * @param options.width how many columns there are, where the first row does not tell it in time.
   * @param options.isStart whether the first row is that of the file, which tells how many columns there are. Default true.
   */
  constructor(
    { separator, quote }: CsvDialect,
    {
      isStart = true,
      keepsBlank,
      width,
    }: {
      readonly isStart?: boolean;
      readonly keepsBlank: boolean;
      readonly width: number | null;
    },
  ) {
    this.#separator = separator;
    this.#quote = quote === undefined ? '"' : quote;
    this.#isTabs = separator === '\t' && quote === undefined;
    this.#keepsBlank = keepsBlank;
    this.#width = width;
    this.#isFirst = isStart;
  }

  /** How many lines were read, but for those to be read again. */
  get line(): number {
    return this.#line;
  }

  /**
   * The next row of `nextLine`, which gives lines with their CR, or `null` when there is none now.
   * @param isEnd whether no more lines come.
   * @throws CsvError for a row that cannot be read; the next call goes on behind its first line.
   */
  next(nextLine: () => string | null, isEnd: () => boolean): NumberedRow | null {
    for (;;) {
      const raw = this.#again.pop() ?? nextLine();
      if (raw === null && (this.#work === null || !isEnd())) return null;
      if (raw !== null) this.#line++;
      const row = raw === null ? this.#giveUp(this.#work!) : this.#read(raw);
      if (row === null) continue;
      if (this.#isFirst) this.#width = row.fields.length;
      this.#isFirst = false;
      return { row, line: this.#line };
    }
  }

  /** Whether all lines that were read belong to rows that were given, or to none. */
  get isBetweenRows(): boolean {
    return this.#work === null && this.#again.length === 0;
  }

  /** `null`: the row goes on, or the line is blank. */
  #read(raw: string): CsvRow | null {
    if (this.#work !== null) return this.#goOn(this.#work, raw);
    if (this.#quote !== null && raw.includes(this.#quote)) return this.#begin(raw, none);
    const line = withoutCr(raw);
    if (line === '' && !(this.#keepsBlank && this.#width === 1)) return null;
    return { fields: line.split(this.#separator), emptyTexts: null };
  }

  /** @param letterAt where a quote is a letter, whatever follows. */
  #begin(raw: string, letterAt: number): CsvRow | null {
    const work: Work = {
      fields: [],
      emptyTexts: null,
      isAllQuoted: true,
      lines: [raw],
      firstOpenAt: none,
      open: null,
    };
    return this.#readFields(work, 0, letterAt);
  }

  /** The fields from `at` on in the last line of the row. */
  #readFields(work: Work, at: number, letterAt: number): CsvRow | null {
    const [separator, quote] = [this.#separator, this.#quote!];
    const raw = work.lines.at(-1)!;
    const line = withoutCr(raw);
    for (let start = at; ;) {
      let end = none;
      if (line.startsWith(quote, start) && start !== letterAt) {
        const close = this.#closing(line, start + 1);
        if (close < 0) return this.#leaveOpen(work, raw, start);
        if (this.#isEndOfField(line, close + 1)) {
          end = close + 1;
          this.#add(work, line.slice(start + 1, close));
        }
      }
      if (end < 0) {
        const next = line.indexOf(separator, start);
        end = next < 0 ? line.length : next;
        work.fields.push(line.slice(start, end));
        if (end > start) work.isAllQuoted = false;
      }
      if (end === line.length) return this.#finish(work);
      start = end + separator.length;
    }
  }

  #isEndOfField(line: string, at: number): boolean {
    return at === line.length || line.startsWith(this.#separator, at);
  }

  /** A quoted field, as it is between its quotes. */
  #add(work: Work, text: string): void {
    const quote = this.#quote!;
    if (text === '') (work.emptyTexts ??= new Set()).add(work.fields.length);
    work.fields.push(text.includes(quote) ? text.replaceAll(quote + quote, quote) : text);
  }

  /** Of the quote that closes a field; two of them are a letter. Below 0: it is not in this line. */
  #closing(line: string, from: number): number {
    const quote = this.#quote!;
    for (let at = from; ; at += 2) {
      at = line.indexOf(quote, at);
      if (at < 0 || line[at + 1] !== quote) return at;
    }
  }

  #leaveOpen(work: Work, raw: string, at: number): null {
    if (work.lines.length === 1) work.firstOpenAt = at;
    work.open = { parts: [raw.slice(at + 1), '\n'], chars: raw.length };
    this.#work = work;
    return null;
  }

  /** One more line of a row with an open field. */
  #goOn(work: Work, raw: string): CsvRow | null {
    const open = work.open!;
    const line = withoutCr(raw);
    work.lines.push(raw);
    const close = this.#closing(line, 0);
    if (close < 0) {
      open.parts.push(raw, '\n');
      open.chars += raw.length + 1;
      return open.chars > longestField ? this.#giveUp(work) : null;
    }
    if (!this.#isEndOfField(line, close + 1)) return this.#giveUp(work); // R2
    this.#work = null;
    this.#add(work, open.parts.join('') + line.slice(0, close));
    if (close + 1 === line.length) return this.#finish(work);
    return this.#readFields(work, close + 1 + this.#separator.length, none);
  }

  #finish({ emptyTexts, fields, firstOpenAt, isAllQuoted, lines }: Work): CsvRow | null {
    const areRows = lines.length > 1 && !isAllQuoted && this.#areRows(lines, fields.length);
    if (!areRows) return { fields, emptyTexts };
    const [first, ...others] = lines;
    this.#readAgain(others);
    return this.#begin(first!, firstOpenAt);
  }

  /** R3 */
  #areRows(lines: readonly string[], found: number): boolean {
    const width = this.#width ?? found;
    if (!this.#isTabs || width === 1) return false;
    return lines.every((line) => line.split(this.#separator).length === width);
  }

  #readAgain(lines: readonly string[]): void {
    for (const line of lines.toReversed()) this.#again.push(line);
    this.#line -= lines.length;
  }

  /** The open field does not end. @throws CsvError unless its first line is a row by itself (R3). */
  #giveUp({ firstOpenAt, lines }: Work): CsvRow | null {
    const [first, ...others] = lines;
    this.#work = null;
    this.#readAgain(others);
    if (this.#width !== null && this.#areRows([first!], 0)) return this.#begin(first!, firstOpenAt);
    throw new CsvError(this.#line, neverClosed);
  }
}

const withoutCr = (raw: string): string => (raw.endsWith('\r') ? raw.slice(0, -1) : raw);
