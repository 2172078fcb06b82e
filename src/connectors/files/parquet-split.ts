/**
 * A split of a Parquet file: a row group of a large file, or all of a small one, decoded column by column,
 * given out row by row. One row group is in memory at a time.
 *
 * The next one is not read ahead. Decoding shares the thread with the operators, so that only waiting for
 * the disk could overlap: 1 to 2 % of the time (*measured*, 3 million rows). In return a reader would hold
 * a split that another one, idle at the end of the input, could have read.
 */
import { NO_TIMESTAMP, type SourceOutput, type Split } from '../../api/source.ts';
import type { TypeShape } from '../../api/types.ts';
import { type OpenSplit, fileOf } from '../split-reader.ts';
import { type PlannedColumns, planColumns } from './parquet-columns.ts';
import { readColumns } from './parquet-file.ts';
import {
  type LastParquetFile,
  type ParquetFile,
  type RowRange,
  rowGroupsOf,
} from './parquet-open.ts';

type RecordShape = Extract<TypeShape, { kind: 'record' }>;

/** Makes record number `row` of converted columns. */
type MakeRow<T> = (columns: readonly (readonly unknown[])[], row: number) => T;

/** A function compiled for the names of the fields: records of one hidden class, no loop over names. */
export function compileRow<T>(type: RecordShape): MakeRow<T> {
  const fields = Object.keys(type.fields).map(
    (name, index) => `${JSON.stringify(name)}: c[${index}][i]`,
  );
  // The source is made of the field names alone, quoted as JSON.
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
  return new Function('c', 'i', `return { ${fields.join(', ')} };`) as MakeRow<T>;
}

export class ParquetSplit<T> implements OpenSplit<T> {
  readonly #path: string;
  readonly #files: LastParquetFile;
  readonly #type: RecordShape;
  readonly #makeRow: MakeRow<T>;
  readonly #onError: 'fail' | 'skip';
  readonly #skipped: () => void;
  #loading: Promise<void>;
  #isLoading = true;
  /** Row groups that were not read yet. */
  #groups: RowRange[] = [];
  #columns: readonly (readonly unknown[])[] = [];
  #bad: ReadonlySet<number> = new Set();
  /** Rows of the file: where those of `#columns` begin and end, and the next one. */
  #from = 0;
  #to = 0;
  #row: number;

  constructor(
    split: Split,
    type: RecordShape,
    makeRow: MakeRow<T>,
    options: { files: LastParquetFile; onError: 'fail' | 'skip'; skipped: () => void },
  ) {
    this.#path = fileOf(split);
    this.#files = options.files;
    this.#type = type;
    this.#makeRow = makeRow;
    this.#onError = options.onError;
    this.#skipped = options.skipped;
    const from = Number(split['from'] ?? 0);
    this.#row = Number(split['position'] ?? from);
    this.#loading = this.#start(from, Number(split['to'] ?? Infinity));
    this.#loading.catch(() => {}); // reported by available()
  }

  async #start(from: number, to: number): Promise<void> {
    const file = await this.#files.open(this.#path);
    const start = Math.max(from, this.#row);
    this.#groups = rowGroupsOf(file).filter((group) => group.to > start && group.from < to);
    await this.#load(file, this.#plan(file));
  }

  #plan({ metadata }: ParquetFile): PlannedColumns {
    try {
      return planColumns(metadata, this.#type);
    } catch (error) {
      throw new Error(`${this.#path} ${(error as Error).message}`, { cause: error });
    }
  }

  async #load(file: ParquetFile, planned: PlannedColumns): Promise<void> {
    const group = this.#groups.shift();
    if (group === undefined) {
      this.#isLoading = false;
      return;
    }
    const { from, to } = group;
    const read = await readColumns(file, planned, from, to);
    const bad = new Set<number>();
    this.#columns = planned.columns.map((column, index) => {
      const values = read[index]!;
      if (column === null || values === null) return [];
      for (let row = 0; row < values.length; row++) {
        try {
          values[row] = column.convert(values[row]);
        } catch (error) {
          if (this.#onError === 'fail') {
            throw new Error(
              `${this.#path}, row ${from + row}, column '${column.name}': ${(error as Error).message}`,
            );
          }
          bad.add(row);
        }
      }
      return values;
    });
    this.#bad = bad;
    this.#from = from;
    this.#to = to;
    this.#row = Math.max(this.#row, from);
    this.#isLoading = false;
  }

  /** Number of the next row in the file. */
  get position(): number {
    return this.#row;
  }

  get ended(): boolean {
    return !this.#isLoading && this.#row >= this.#to && this.#groups.length === 0;
  }

  emit(output: SourceOutput<T>, max: number): number {
    if (this.#isLoading) return 0;
    const [columns, makeRow, from, to] = [this.#columns, this.#makeRow, this.#from, this.#to];
    const bad = this.#bad.size === 0 ? null : this.#bad;
    let [emitted, row] = [0, this.#row];
    for (; emitted < max && row < to; row++) {
      if (bad?.has(row - from)) this.#skipped();
      else {
        output.emit(makeRow(columns, row - from), NO_TIMESTAMP);
        emitted++;
      }
    }
    this.#row = row;
    if (this.#row >= this.#to && this.#groups.length > 0) this.#loadNext();
    return emitted;
  }

  #loadNext(): void {
    this.#isLoading = true;
    this.#columns = [];
    this.#loading = this.#files.open(this.#path).then((file) => this.#load(file, this.#plan(file)));
    this.#loading.catch(() => {}); // reported by available()
  }

  available(): Promise<void> {
    return this.#loading;
  }

  async close(): Promise<void> {
    this.#groups = [];
    await this.#loading.catch(() => {}); // it was reported, or nobody waits for it any more
    this.#columns = [];
  }
}
