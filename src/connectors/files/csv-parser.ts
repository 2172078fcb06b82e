/** Text → rows of CSV. */
import { type CsvDialect, CsvError, type CsvRow, CsvRows } from './csv-rows.ts';
import { LineParser } from './lines.ts';
import { type Item, type ItemParser, MalformedItem } from './text-split.ts';

export interface CsvParserOptions extends CsvDialect {
  readonly onError: 'fail' | 'skip';
  /** Counts a row that cannot be read. */
  readonly skipped: () => void;
  /** Whether a blank line of a file of one column is a row with an empty field. */
  readonly keepsBlank: boolean;
  /** How many columns there are; `null`: the first row tells it. */
  readonly width: number | null;
  /** Whether the first row is that of the file. */
  readonly isStart: boolean;
}

export class CsvParser implements ItemParser<CsvRow> {
  readonly #options: CsvParserOptions;
  readonly #rows: CsvRows;
  readonly #lines = new LineParser();
  readonly #nextLine = () => this.#lines.nextRaw();
  readonly #isEnd = () => this.#lines.ended;

  constructor(options: CsvParserOptions) {
    this.#options = options;
    this.#rows = new CsvRows(options, options);
  }

  get isBetweenItems(): boolean {
    return this.#rows.isBetweenRows && this.#lines.isBetweenItems;
  }

  get line(): number {
    return this.#rows.line;
  }

  get ended(): boolean {
    return this.#lines.ended;
  }

  push(text: string): void {
    this.#lines.push(text);
  }

  end(): void {
    this.#lines.end();
  }

  next(): Item<CsvRow> | null {
    for (;;) {
      try {
        const found = this.#rows.next(this.#nextLine, this.#isEnd);
        return found === null ? null : { value: found.row, line: found.line };
      } catch (error) {
        if (!(error instanceof CsvError)) throw error;
        if (this.#options.onError === 'fail')
          throw new MalformedItem(error.line, error.message, { cause: error });
        this.#options.skipped();
      }
    }
  }
}
