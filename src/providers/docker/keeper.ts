/**
 * The client's end of a keeper (record/keeper-messages.ts).
 *
 * Stages: alive, ended. Whatever ends it settles everything that waits for it, with the reason.
 *
 * E1  A keeper that does not answer in time is given up: its container is paused, or the way to it is
 *     dead. The next one who asks starts another.
 * E2  So is one that says what is no answer: nobody knows any more what the next line belongs to.
 */
import { createInterface } from 'node:readline';
import { ClusterError, ProviderError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { formatDuration } from '../../contract/units.ts';
import type {
  KeeperAnswer,
  KeeperOperation,
  KeeperOperations,
  KeeperRequest,
} from '../../record/keeper-messages.ts';
import type { RunningHelper } from './helper.ts';

const answerTimeoutMs = 30_000;

export interface KeeperAskOptions {
  readonly signal?: AbortSignal;
  /** Until the answer. Default: 30 s. */
  readonly timeoutMs?: number;
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class Keeper {
  readonly id: string;
  readonly #helper: RunningHelper;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #said = '';
  /** Why it answers no more; `null`: it does. */
  #ended: Error | null = null;

  constructor(helper: RunningHelper) {
    this.id = helper.id;
    this.#helper = helper;
    helper.stderr.setEncoding('utf8').on('data', (text: string) => (this.#said += text));
    helper.stdin.on('error', () => {}); // its end is noticed at its output
    createInterface({ input: helper.stdout })
      .on('line', (line) => this.#take(line))
      .on('close', () => this.#end(this.#said.trim() || 'its container was ended'));
  }

  get isAlive(): boolean {
    return this.#ended === null;
  }

  /** @throws ProviderError `keeper-lost`; the reason of the signal, and then it may have been done. */
  async ask<O extends KeeperOperation>(
    operation: O,
    request: KeeperOperations[O]['request'],
    { signal, timeoutMs = answerTimeoutMs }: KeeperAskOptions = {},
  ): Promise<KeeperOperations[O]['answer']> {
    signal?.throwIfAborted();
    if (this.#ended !== null) throw this.#ended;
    const id = this.#nextId++;
    const message: KeeperRequest<O> = { id, operation, request };
    const { promise, reject, resolve } = Promise.withResolvers<KeeperOperations[O]['answer']>();
    this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
    const late = () => this.#giveUp(`it does not answer within ${formatDuration(timeoutMs)}`);
    const timer = setTimeout(late, timeoutMs); // E1
    const abort = () => reject(signal!.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    this.#helper.stdin.write(`${JSON.stringify(message)}\n`);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      this.#waiting.delete(id);
    }
  }

  #take(line: string): void {
    const answer = parseAnswer(line);
    if (answer === null) return this.#giveUp(`it said what is no answer: ${line.slice(0, 200)}`); // E2
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('answer' in answer) waiting?.resolve(answer.answer);
    else waiting?.reject(errorOf(answer.error));
  }

  #giveUp(why: string): void {
    this.#end(why);
    this.close();
  }

  #end(why: string): void {
    this.#ended ??= new ProviderError(
      problem({
        code: 'keeper-lost',
        message: `what fctl ran beside the volume of the cluster is gone: ${why}`,
        hint: 'repeat the command',
      }),
    );
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }

  /** It ends by itself when its input does. */
  close(): void {
    this.#ended ??= new Error('closed');
    this.#helper.stdin.end();
    this.#helper.stdin.destroy();
  }
}

function parseAnswer(line: string): KeeperAnswer | null {
  try {
    const answer = JSON.parse(line) as Partial<KeeperAnswer> | null;
    const isAnswer = answer !== null && typeof answer === 'object' && Number.isInteger(answer.id);
    return isAnswer && ('answer' in answer || 'error' in answer) ? (answer as KeeperAnswer) : null;
  } catch {
    return null;
  }
}

function errorOf({
  message,
  problem: found,
}: Extract<KeeperAnswer, { error: unknown }>['error']): Error {
  if (found === null) return new Error(message);
  if (found.code === 'lock-lost') return new ClusterError(ExitCode.conflict, found);
  return new ProviderError(found);
}
