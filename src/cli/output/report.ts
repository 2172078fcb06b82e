/**
 * What a verb says: results on stdout, messages and progress on stderr. With `--json` stdout has one JSON
 * document (a following verb: one a line, and a failure as the last one) and nothing else. With `-o yaml`
 * the same is YAML, and documents begin with `---` where there are several.
 */
import type { Problem } from '../../contract/errors.ts';
import { Redactor } from '../../contract/secrets.ts';
import { err, shown } from './style.ts';

export interface ReportOptions {
  readonly command: string;
  /** An answer for programs is wanted: JSON, or YAML. */
  readonly json: boolean;
  /** Makes YAML of what would be JSON. `null`: JSON. */
  readonly toYaml: ((value: unknown) => string) | null;
  /** Of a list: with more columns, or only the names. `null`: the columns that fit. */
  readonly form: 'wide' | 'name' | null;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

export interface Listing {
  readonly names: () => readonly string[];
  /** For people. */
  readonly table: (isWide: boolean) => string;
}

export class Report {
  readonly options: ReportOptions;
  /** What it holds is in nothing that is said. */
  readonly redactor = new Redactor();
  #answered = false;

  constructor(options: ReportOptions) {
    this.options = options;
  }

  /**
   * A list. `-o name` prints the names alone, `-o wide` a table with more columns.
   * @param problems what kept it from being whole.
   */
  listing(data: unknown, list: Listing, problems: readonly Problem[] = []): void {
    const { form } = this.options;
    const text = () => (form === 'name' ? list.names().join('\n') : list.table(form === 'wide'));
    this.incomplete(data, text, problems);
  }

  /** The verb's result. `text` is only made for people. */
  result(data: unknown, text: () => string): void {
    this.incomplete(data, text, []);
  }

  /** The same where the text for people is JSON, too: made from values in which secrets are masked. */
  resultAsJson(data: unknown, text: () => string): void {
    if (this.options.json) this.#document(data, []);
    else this.#write(process.stdout, text());
  }

  /** A result that may lack something, with what kept it from being whole. */
  incomplete(data: unknown, text: () => string, problems: readonly Problem[]): void {
    if (this.options.json) this.#document(data, problems);
    else {
      const lines = text();
      if (lines !== '') this.#print(process.stdout, lines.replace(/\n$/, ''));
    }
    for (const problem of problems) this.warning(problem);
  }

  /**
   * One of many results of a verb that follows something; a failure may come behind them. What programs print is
   * as it is, but on a terminal.
   */
  line(data: unknown, text: () => string): void {
    if (this.options.json) this.#write(process.stdout, this.#one(data));
    else this.#printed(process.stdout, text());
  }

  /**
   * A result with a list that may be too long for the memory: it waits in a file until it is whole, so that
   * the document is one of success or of failure. Only for an answer to programs.
   * @param data beside the list.
   */
  async spooled(data: object, name: string, items: AsyncIterable<unknown>): Promise<void> {
    const { toYaml } = this.options;
    if (toYaml !== null) {
      const all: unknown[] = [];
      for await (const item of items) all.push(item);
      return this.result({ ...data, [name]: all }, () => '');
    }
    const { spool } = await import('./spool.ts');
    const around = this.#envelope({ ...data, [name]: [] }, []);
    const at = around.lastIndexOf('[]},"errors"') + 1; // within the list, which ends the data
    const frame = { head: around.slice(0, at), tail: `${around.slice(at)}\n` };
    await spool(this.#separated(items), process.stdout, frame);
    this.#answered = true;
  }

  async *#separated(items: AsyncIterable<unknown>): AsyncGenerator<string> {
    let before = '';
    for await (const item of items) {
      yield before + this.redactor.stringify(item);
      before = ',';
    }
  }

  /** A failed verb; `data` is what it found out all the same. */
  failure(problems: readonly Problem[], data: unknown = null): void {
    if (this.options.json && !this.#answered) this.#document(data, problems);
    for (const problem of problems) this.#print(process.stderr, describeProblem(problem));
  }

  /** A line for people about what was done. */
  message(text: string): void {
    if (!this.options.quiet) this.#print(process.stderr, text);
  }

  /** What user code printed while it ran here: whole lines, or parts of them. */
  output(text: string): void {
    if (!this.options.quiet) this.#printed(process.stderr, text.replace(/\n$/, ''));
  }

  /** Something that is allowed and yet worth a thought. */
  warning(problem: Problem): void {
    if (!this.options.quiet) this.#print(process.stderr, describe(problem, err.yellow('warning')));
  }

  /** Only with `--verbose`. */
  detail(text: string): void {
    if (this.options.verbose) this.#print(process.stderr, err.dim(text));
  }

  /** One of several. */
  #one(data: unknown): string {
    const envelope = this.#envelope(data, []);
    return this.options.toYaml ? `---\n${envelope}` : envelope;
  }

  #document(data: unknown, errors: readonly Problem[]): void {
    this.#answered = true;
    this.#write(process.stdout, this.#envelope(data, errors));
  }

  /** What a problem says may hold a secret; its code and its place are for scripts, and hold none. */
  #envelope(data: unknown, errors: readonly Problem[]): string {
    const { redactor } = this;
    const said = errors.map((problem) => ({
      ...problem,
      message: redactor.maskSaid(problem.message),
      hint: problem.hint === null ? null : redactor.maskSaid(problem.hint),
    }));
    const { command } = this.options;
    const masked = JSON.parse(redactor.stringify(data ?? null)) as unknown;
    const envelope = { ok: errors.length === 0, command, data: masked, errors: said };
    const { toYaml } = this.options;
    return toYaml ? toYaml(envelope) : JSON.stringify(envelope);
  }

  #print(stream: NodeJS.WriteStream, text: string): void {
    this.#write(stream, shown(this.redactor.maskSaid(text)));
  }

  #printed(stream: NodeJS.WriteStream, text: string): void {
    const masked = this.redactor.mask(text);
    this.#write(stream, stream.isTTY ? shown(masked) : masked);
  }

  #write(stream: NodeJS.WriteStream, text: string): void {
    stream.write(`${text}\n`);
  }
}

const describeProblem = (problem: Problem) => describe(problem, err.red('error'));

/** `error file:line:column path: message` and, on a line of its own, what to do. */
function describe(problem: Problem, kind: string): string {
  const { file, line, column, path, message, hint } = problem;
  const place =
    file === null ? null : [file, line, column].filter((part) => part !== null).join(':');
  const where = [place, path].filter((part) => part !== null).join(' ');
  const first = `${kind} ${where === '' ? '' : `${err.bold(where)}: `}${message}`;
  return hint === null ? first : `${first}\n  ${err.dim(`→ ${hint}`)}`;
}
