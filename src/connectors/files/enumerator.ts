/**
 * Finds the files of a source and divides them into splits. Runs on the JobManager.
 *
 * E1  Splits are handed out in their order, file by file, so that parallel readers of sorted input stay close
 *     in event time.
 * E2  A file is looked into when its turn comes: a thousand files cost one listing at the start.
 * E3  Large files become several splits, so that one file keeps all subtasks busy: ranges of bytes, or row
 *     groups of Parquet. What is compressed as a whole can only be read from its beginning: one split.
 */
import type { Split, SplitEnumerator } from '../../api/source.ts';
import type { JsonObject } from '../../contract/json.ts';
import { compressionProblem, isCompressed } from './byte-chunks.ts';
import { type InputFile, findFiles } from './find-files.ts';
import { CsvParser } from './csv-parser.ts';
import { type RowBoundaries, openLineBoundaries, openQuotedBoundaries } from './row-boundaries.ts';
import type { TextEncoding } from './text-encoding.ts';

/** How the rows of CSV are told apart; see CsvParser. */
interface CsvForm {
  readonly separator: string;
  readonly quote?: string | null;
  readonly keepsBlank: boolean;
  readonly width: number | null;
}

/** About so many bytes are a split: some tenths of a second, which asking for the next one does not add to. */
const defaultSplitBytes = 16 * 1024 * 1024;

/**
 * Options: `path`: a file, a folder or a glob; `format`: `lines`, `csv` (with its form under `csv`) or
 * `parquet`; `encoding` of text, or none; `splitBytes`: default 16 MiB.
 */
export function createFileEnumerator(
  options: JsonObject,
  workingDirectory: string,
): SplitEnumerator {
  return new FileEnumerator(options, workingDirectory);
}

/** A file that is being divided. */
interface Dividing {
  readonly file: InputFile;
  readonly boundaries: RowBoundaries;
  from: number;
}

class FileEnumerator implements SplitEnumerator {
  readonly #options: JsonObject;
  readonly #workingDirectory: string;
  readonly #splitBytes: number;
  #files: InputFile[] = [];
  #dividing: Dividing | null = null;
  /** To be handed out before anything that is in `#files`. */
  #ready: Split[] = [];
  /** By id, of all splits that there were (E1). */
  readonly #order = new Map<string, number>();
  /** One at a time: they come for several subtasks at once. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: JsonObject, workingDirectory: string) {
    this.#options = options;
    this.#workingDirectory = workingDirectory;
    this.#splitBytes = (options['splitBytes'] as number | undefined) ?? defaultSplitBytes;
  }

  async start(): Promise<void> {
    const files = await findFiles(this.#options['path'] as string, this.#workingDirectory);
    for (const { path } of files) {
      const problem = this.#options['format'] === 'parquet' ? null : compressionProblem(path);
      if (problem !== null) throw new Error(problem);
    }
    this.#files = files;
  }

  next(): Promise<Split | null> {
    const next = this.#turn.then(() => this.#next());
    this.#turn = next.catch(() => {});
    return next;
  }

  async #next(): Promise<Split | null> {
    for (;;) {
      const split = this.#ready.shift();
      if (split !== undefined) return split;
      const [file] = this.#files;
      if (file === undefined) return null;
      for (const each of await this.#splitsOf(file)) {
        this.#order.set(each.id, this.#order.size);
        this.#ready.push(each);
      }
      if (this.#dividing === null) this.#files.shift();
    }
  }

  /** Some of them, as long as the file is being divided. */
  async #splitsOf(file: InputFile): Promise<readonly Split[]> {
    const whole = { id: file.path, file: file.path };
    if (this.#options['format'] === 'parquet') {
      if (file.size <= this.#splitBytes) return [whole];
      const { rowGroupSplits } = await import('./parquet-open.ts');
      return rowGroupSplits(file.path);
    }
    if (this.#dividing === null) {
      if (file.size <= this.#splitBytes || isCompressed(file.path)) return [whole];
      this.#dividing = { file, boundaries: await this.#openBoundaries(file.path), from: 0 };
    }
    return [await this.#nextRange(this.#dividing)];
  }

  #openBoundaries(file: string): Promise<RowBoundaries> {
    const encoding = (this.#options['encoding'] as TextEncoding | undefined) ?? null;
    const csv = this.#options['csv'] as unknown as CsvForm | undefined;
    if (csv === undefined || csv.quote === null) return openLineBoundaries(file, encoding);
    const rest = { onError: 'skip', skipped: () => {}, isStart: true } as const;
    const parser = new CsvParser({ ...csv, quote: csv.quote, ...rest });
    return openQuotedBoundaries(file, encoding, csv.quote ?? '"', parser);
  }

  async #nextRange(dividing: Dividing): Promise<Split> {
    const { boundaries, file, from } = dividing;
    const target = from + this.#splitBytes;
    const isRest = file.size - target < this.#splitBytes / 2;
    const found = isRest ? null : await boundaries.next(target);
    const to = found !== null && found < file.size ? found : null;
    if (to === null) {
      await boundaries.close();
      this.#dividing = null;
    } else dividing.from = to;
    return { id: `${file.path}#${from}`, file: file.path, from, to };
  }

  addBack(splits: readonly Split[]): void {
    const rank = (split: Split) => this.#order.get(split.id) ?? 0;
    this.#ready = [...splits, ...this.#ready].sort((a, b) => rank(a) - rank(b));
  }

  snapshot() {
    const files = this.#files.map(({ path, size }) => ({ path, size }));
    return { ready: [...this.#ready], files, from: this.#dividing?.from ?? 0 };
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#dividing?.boundaries.close();
    this.#dividing = null;
    this.#files = [];
  }
}
