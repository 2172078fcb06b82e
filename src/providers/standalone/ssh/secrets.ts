/** Passwords and passphrases: of the config, or asked for, once each, one question at a time. */
import { UsageError } from '../../../contract/errors.ts';

export class SecretPrompts {
  readonly #ask: (question: string, signal: AbortSignal) => Promise<string>;
  readonly #closing = new AbortController();
  readonly #answers = new Map<string, Promise<string | null>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(ask: (question: string, signal: AbortSignal) => Promise<string>) {
    this.#ask = ask;
  }

  /** @returns the answer, the same to everybody who asks the same; `null` when nobody is there. */
  answer(question: string): Promise<string | null> {
    const known = this.#answers.get(question);
    if (known !== undefined) return known;
    const answer = this.ask(question);
    this.#answers.set(question, answer);
    return answer;
  }

  /** The same for what is valid once: each time it is asked anew. */
  ask(question: string): Promise<string | null> {
    const answer = this.#last.then(async () => {
      try {
        return await this.#ask(question, this.#closing.signal);
      } catch (error) {
        if (error instanceof UsageError) return null;
        throw error;
      }
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  /** Nobody needs answers any more. */
  close(): void {
    this.#closing.abort();
  }
}
