/**
 * What a verb says: results on stdout, messages and progress on stderr. With `--json` stdout has one JSON
 * document (a following verb: one a line) and nothing else.
 */
import type { Problem } from '../../contract/errors.ts';
import { err } from './style.ts';

export interface ReportOptions {
  readonly command: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

export class Report {
  readonly options: ReportOptions;
  #answered = false;

  constructor(options: ReportOptions) {
    this.options = options;
  }

  /** The verb's result. `text` is only made for people. */
  result(data: unknown, text: () => string): void {
    if (this.options.json) {
      this.#document(true, data, []);
      return;
    }
    const lines = text();
    if (lines !== '') process.stdout.write(lines.endsWith('\n') ? lines : `${lines}\n`);
  }

  /** A failed verb; `data` is what it found out all the same. */
  failure(problems: readonly Problem[], data: unknown = null): void {
    if (this.options.json && !this.#answered) this.#document(false, data, problems);
    for (const problem of problems) process.stderr.write(`${describeProblem(problem)}\n`);
  }

  /** A line for people about what was done. */
  message(text: string): void {
    if (!this.options.quiet) process.stderr.write(`${text}\n`);
  }

  warning(text: string): void {
    process.stderr.write(`${err.yellow('warning')} ${text}\n`);
  }

  /** Only with `--verbose`. */
  detail(text: string): void {
    if (this.options.verbose) process.stderr.write(`${err.dim(text)}\n`);
  }

  #document(ok: boolean, data: unknown, errors: readonly Problem[]): void {
    this.#answered = true;
    const { command } = this.options;
    process.stdout.write(`${JSON.stringify({ ok, command, data, errors })}\n`);
  }
}

/** `error file:line:column path: message` and, on a line of its own, what to do. */
function describeProblem(problem: Problem): string {
  const { file, line, column, path, message, hint } = problem;
  const place =
    file === null ? null : [file, line, column].filter((part) => part !== null).join(':');
  const where = [place, path].filter((part) => part !== null).join(' ');
  const first = `${err.red('error')} ${where === '' ? '' : `${err.bold(where)}: `}${message}`;
  return hint === null ? first : `${first}\n  ${err.dim(`→ ${hint}`)}`;
}
