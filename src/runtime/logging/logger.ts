/**
 * The log of a JobManager or TaskManager: JSON lines in `<directory>/<resource>.log`, and what user code
 * prints in `<directory>/<resource>.out`.
 *
 *     {"time":"2026-01-31T08:15:00.000Z","level":"info","resource":"taskmanager-0","message":"…", …fields}
 */
import { shortText } from '../../contract/failure.ts';
import type { LoggingConfig } from '../../contract/runtime-config.ts';
import { Redactor } from '../../contract/secrets.ts';
import { RotatingFile } from './rotating-file.ts';

export type LogLevel = LoggingConfig['level'];

/** What stands beside the message. An Error is written with its stack and causes. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. Shares the file. */
  child(fields: LogFields): Logger;
  /** Closes the file; later lines are dropped. */
  close(): void;
}

/** Where `print` and `console.log` of user code go. */
export interface Output {
  write(text: string | Uint8Array): void;
  close(): void;
}

export interface LoggerOptions {
  /** Masks secrets in every line. */
  readonly redactor?: Redactor;
  readonly clock?: () => number;
}

const severity: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/**
 * Opens the log of a process. Every line is on disk (in the kernel) when the call returns, so nothing has
 * to be flushed before the process ends.
 *
 * @param resource name of the process and of its files: `taskmanager-0`.
 * @throws Error when the folder or file cannot be made.
 */
export function createLogger(
  config: LoggingConfig,
  resource: string,
  { redactor = new Redactor(), clock = Date.now }: LoggerOptions = {},
): Logger {
  const file = new RotatingFile(`${resource}.log`, config);
  return new JsonLogger({ file, redactor, clock, minimum: severity[config.level] }, { resource });
}

/** Opens the file for what user code prints, rotated like the log. */
export function createOutput(
  config: LoggingConfig,
  resource: string,
  redactor: Redactor = new Redactor(),
): Output {
  const file = new RotatingFile(`${resource}.out`, config);
  return {
    write: (text) =>
      file.write(typeof text === 'string' ? redactor.mask(text) : redactor.maskBytes(text)),
    close: () => file.close(),
  };
}

interface Target {
  readonly file: RotatingFile;
  readonly redactor: Redactor;
  readonly clock: () => number;
  readonly minimum: number;
}

class JsonLogger implements Logger {
  private readonly target: Target;
  private readonly fields: LogFields;

  constructor(target: Target, fields: LogFields) {
    this.target = target;
    this.fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.log('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.log('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.log('error', message, fields);
  }

  child(fields: LogFields): Logger {
    return new JsonLogger(this.target, { ...this.fields, ...fields });
  }

  close(): void {
    this.target.file.close();
  }

  private log(level: LogLevel, message: string, fields: LogFields | undefined): void {
    const { file, redactor, clock, minimum } = this.target;
    if (severity[level] < minimum) return;
    const time = new Date(clock()).toISOString();
    const { resource, ...own } = this.fields;
    const head = JSON.stringify({ time, level, resource });
    file.write(
      `${head.slice(0, -1)},${toJson({ ...own, message, ...fields }, redactor).slice(1)}\n`,
    );
  }
}

/**
 * Never throws: what cannot be JSON says so instead. Secrets are masked in values: one that is a level, a
 * number or a key leaves lines that can be read.
 */
function toJson(said: LogFields, redactor: Redactor): string {
  const masked = (_key: string, value: unknown) =>
    typeof value === 'string' ? redactor.mask(value) : plain(value);
  try {
    return JSON.stringify(said, masked);
  } catch (error) {
    return JSON.stringify({ message: said['message'], unloggable: String(error) }, masked);
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (!(value instanceof Error)) return value;
  const { name, cause } = value;
  const message = shortText(value.message);
  const stack = value.stack && shortText(value.stack);
  return cause === undefined ? { name, message, stack } : { name, message, stack, cause };
}
