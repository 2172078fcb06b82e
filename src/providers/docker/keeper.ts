/** The client's end of a keeper (contract/keeper-messages.ts). */
import { createInterface } from 'node:readline';
import { ClusterError, ProviderError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type {
  KeeperAnswer,
  KeeperOperation,
  KeeperOperations,
  KeeperRequest,
} from '../../record/keeper-messages.ts';
import type { RunningHelper } from './helper.ts';

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
      .on('line', (line) => this.#take(JSON.parse(line) as KeeperAnswer))
      .on('close', () => this.#end());
  }

  get isAlive(): boolean {
    return this.#ended === null;
  }

  ask<O extends KeeperOperation>(
    operation: O,
    request: KeeperOperations[O]['request'],
  ): Promise<KeeperOperations[O]['answer']> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    const message: KeeperRequest<O> = { id, operation, request };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
      this.#helper.stdin.write(`${JSON.stringify(message)}\n`);
    });
  }

  #take(answer: KeeperAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('answer' in answer) waiting?.resolve(answer.answer);
    else waiting?.reject(errorOf(answer.error));
  }

  #end(): void {
    const why = this.#said.trim() || 'its container was ended';
    this.#ended = new ProviderError(
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

function errorOf({
  message,
  problem: found,
}: Extract<KeeperAnswer, { error: unknown }>['error']): Error {
  if (found === null) return new Error(message);
  if (found.code === 'lock-lost') return new ClusterError(ExitCode.conflict, found);
  return new ProviderError(found);
}
