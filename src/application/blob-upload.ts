/**
 * Brings a file to a JobManager under its content hash.
 *
 *     look ─▶ there already: nothing is sent
 *       └───▶ send from where it was ─▶ verified there ─▶ done
 *               └─ connection lost ─▶ look …
 *
 * U1  What the JobManager has already is not sent again: a whole file, or the beginning that an upload left
 *     which was cut off, whoever's it was.
 * U2  A lost connection is no failure while uploads get on: `maxTries` of them in a row may bring nothing.
 * U3  Of two clients with the same file one sends, the other watches it get on, and takes over when it
 *     does not.
 * U4  A beginning that proves wrong in the end is sent once more, as a whole.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Agent } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { UPLOAD_ACTIVE_HEADER, UPLOAD_OFFSET_HEADER } from '../contract/fctl-rest.ts';
import {
  type Answer,
  ask,
  type JobManagerTarget,
  messageOf,
  NoAnswerError,
  type Question,
} from './jobmanager-http.ts';

const maxTries = 6;
const firstDelayMs = 100;
const watchMs = 1000;
const silenceMs = 60_000;
const progressMs = 200;

export interface BlobUpload {
  readonly hash: string;
  readonly file: string;
  /** Called now and then: so many bytes of so many are on their way or there. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Ends it. Rejects with its reason; the next upload goes on where it was. */
  readonly signal?: AbortSignal;
}

/**
 * Rejects when the file cannot be read or is not what its hash says, and when the JobManager does not take it.
 * @returns bytes sent over the network; `null`: it was there.
 */
export async function uploadBlob(
  target: JobManagerTarget,
  upload: BlobUpload,
): Promise<number | null> {
  const { size } = await stat(upload.file);
  const agent = new Agent({ keepAlive: true });
  try {
    const running = new RunningUpload(target, upload, size, agent);
    return (await running.run()) ? running.sentBytes : null;
  } finally {
    agent.destroy();
  }
}

/** Whether the JobManager has all of it. */
export async function hasBlob(
  agent: Agent,
  target: JobManagerTarget,
  hash: string,
): Promise<boolean> {
  const answer = await ask(agent, target, { method: 'HEAD', path: pathOf(hash), silenceMs });
  if (answer.status !== 404) check(answer);
  return answer.status !== 404;
}

const pathOf = (hash: string) => `/fctl/v1/blobs/${hash}`;

/** Statuses of a server that is in trouble, and may be out of it soon. */
const passing: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

class RunningUpload {
  sentBytes = 0;
  readonly #target: JobManagerTarget;
  readonly #upload: BlobUpload;
  readonly #size: number;
  readonly #agent: Agent;
  #nextProgress = 0;

  constructor(target: JobManagerTarget, upload: BlobUpload, size: number, agent: Agent) {
    this.#target = target;
    this.#upload = upload;
    this.#size = size;
    this.#agent = agent;
  }

  /** @returns whether anything was sent. */
  async run(): Promise<boolean> {
    let tries = 0;
    let best = 0;
    let watched = -1;
    let mayBeginAgain = true;
    for (;;) {
      try {
        const part = await this.#look();
        if (part === null) return this.sentBytes > 0; // U1
        if (part.sizeBytes > best) tries = 0; // U2
        best = Math.max(best, part.sizeBytes);
        if (part.isGrowing && part.sizeBytes !== watched) {
          watched = part.sizeBytes; // U3
          await this.#delay(watchMs);
          continue;
        }
        const offset = part.sizeBytes > this.#size ? 0 : part.sizeBytes;
        const answer = await this.#send(offset);
        if (answer.status === 409) throw new NoAnswerError(describe(answer)); // somebody else got on
        if (answer.status === 400 && offset > 0 && mayBeginAgain) {
          mayBeginAgain = false; // U4
          continue;
        }
        check(answer);
        return true;
      } catch (error) {
        if (!(error instanceof NoAnswerError) || ++tries >= maxTries) throw error;
        await this.#delay(firstDelayMs * 2 ** (tries - 1));
      }
    }
  }

  /** `null`: all of it is there. */
  async #look(): Promise<{ sizeBytes: number; isGrowing: boolean } | null> {
    const { status, headers, ...answer } = await this.#ask({ method: 'HEAD' });
    if (status !== 404) {
      check({ status, headers, ...answer });
      return null;
    }
    const sizeBytes = Number(headers[UPLOAD_OFFSET_HEADER] ?? 0);
    return { sizeBytes, isGrowing: headers[UPLOAD_ACTIVE_HEADER] === '1' };
  }

  async #send(offset: number): Promise<Answer> {
    const size = this.#size;
    // A range has a last byte: the rest of a file that is all there but its name is none.
    const begin = offset === size && size > 0 ? 0 : offset;
    const range = begin === 0 ? {} : { 'content-range': `bytes ${begin}-${size - 1}/${size}` };
    const stream = Readable.from(this.#content(begin), { objectMode: false });
    const content = { stream, sizeBytes: size - begin };
    return this.#ask({ method: 'PUT', headers: range, content });
  }

  async *#content(begin: number): AsyncGenerator<Buffer> {
    const { file } = this.#upload;
    let at = begin;
    if (this.#size > 0) {
      for await (const chunk of createReadStream(file, { start: begin, end: this.#size - 1 })) {
        yield chunk as Buffer;
        at += (chunk as Buffer).length;
        this.sentBytes += (chunk as Buffer).length;
        this.#report(at);
      }
    }
    if (at !== this.#size) throw new Error(`${file} changed while it was uploaded`);
  }

  #report(doneBytes: number): void {
    const now = performance.now();
    if (now < this.#nextProgress) return;
    this.#nextProgress = now + progressMs;
    this.#upload.onProgress?.(doneBytes, this.#size);
  }

  async #ask(question: Omit<Question, 'path' | 'silenceMs' | 'signal'>): Promise<Answer> {
    const { hash, signal } = this.#upload;
    const more = signal === undefined ? {} : { signal };
    const whole = { ...question, path: pathOf(hash), silenceMs, ...more };
    const answer = await ask(this.#agent, this.#target, whole);
    if (passing.has(answer.status)) throw new NoAnswerError(describe(answer));
    return answer;
  }

  async #delay(ms: number): Promise<void> {
    const { signal } = this.#upload;
    await delay(ms, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}

/** Rejects what is no success. */
function check(answer: Answer): void {
  if (answer.status >= 300) throw new Error(describe(answer));
}

const describe = (answer: Answer) =>
  messageOf(answer) ?? `the JobManager answers ${answer.status} to an upload`;
