/** A process that speaks on its streams, as what a client of a protocol wants of a socket. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Duplex, type Readable, type Writable } from 'node:stream';

type Speaker = ChildProcessByStdio<Writable, Readable, Readable>;

export interface ProcessStreamOptions {
  /** What it is, for people: `ssh`. */
  readonly name: string;
  /** `code` of the errors that it ends with. */
  readonly errorCode: string;
}

/** Ends with its process, and the process with it. What went wrong is an error of the stream. */
export class ProcessStream extends Duplex {
  readonly #child: Speaker;
  readonly #options: ProcessStreamOptions;
  #said = '';

  constructor(command: readonly [string, ...string[]], options: ProcessStreamOptions) {
    super();
    this.#options = options;
    const [file, ...args] = command;
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#said += text));
    child.stdin.on('error', () => {}); // it has ended; 'close' says why
    child.stdout.on('data', (chunk: Buffer) => this.push(chunk) || child.stdout.pause());
    child.once('error', (error) => this.#fail(`could not be started: ${error.message}`));
    child.once('close', (code) => {
      if (code === 0) this.push(null);
      else this.#fail(this.#said.trim() || `ended with code ${code}`);
    });
  }

  #fail(why: string): void {
    const { errorCode: code, name } = this.#options;
    this.destroy(Object.assign(new Error(`${name}: ${why}`), { code }));
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#child.stdin.write(chunk)) done();
    else this.#child.stdin.once('drain', done);
  }

  override _final(done: () => void): void {
    this.#child.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { stderr, stdin, stdout } = this.#child;
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
    this.#child.kill();
    this.#child.unref();
    done(error);
  }

  // A process has none of these; what waits too long is given up by whoever uses it.
  setTimeout = () => this;
  setKeepAlive = () => this;
  setNoDelay = () => this;
  ref = () => this;
  unref = () => this;
}
