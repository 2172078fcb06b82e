/**
 * Browsers that have shown the token, known again by a cookie.
 *
 * S1  The cookie is not the token and does not tell it: it is the end of the session and a random part,
 *     signed with the token. So sessions survive the JobManager, and end with the token.
 * S2  A session that was closed is not taken again by this JobManager.
 * S3  The cookie's name tells clusters apart: a browser sends cookies of a host to all of its ports.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { keyedHash } from '../../contract/hash.ts';
import type { Clock } from '../../contract/clock.ts';

const sessionSeconds = 12 * 3600;
const attributes = 'HttpOnly; SameSite=Strict; Path=/';

export class Sessions {
  readonly #token: string;
  readonly #clock: Clock;
  readonly #name: string;
  /** Signatures of closed sessions, and when these had ended anyway: epoch seconds. */
  readonly #closed = new Map<string, number>();

  constructor(token: string, clock: Clock) {
    this.#token = token;
    this.#clock = clock;
    this.#name = `fctl-${keyedHash(token, 'cookie name').slice(0, 12)}`; // S3
  }

  /** @returns a `Set-Cookie`. */
  open(): string {
    const until = this.#now() + sessionSeconds;
    const content = `${until}.${randomBytes(16).toString('base64url')}`;
    const value = `${content}.${this.#sign(content)}`;
    return `${this.#name}=${value}; ${attributes}; Max-Age=${sessionSeconds}`;
  }

  /** @param cookies the header `Cookie`. */
  has(cookies: string | undefined): boolean {
    return this.#find(cookies) !== null;
  }

  /** @returns a `Set-Cookie` that removes the cookie. */
  close(cookies: string | undefined): string {
    const found = this.#find(cookies);
    const now = this.#now();
    for (const [signature, until] of this.#closed) {
      if (until <= now) this.#closed.delete(signature);
    }
    if (found !== null) this.#closed.set(found.signature, found.until); // S2
    return `${this.#name}=; ${attributes}; Max-Age=0`;
  }

  #find(cookies = ''): { readonly signature: string; readonly until: number } | null {
    const prefix = `${this.#name}=`;
    for (const cookie of cookies.split(';').map((part) => part.trim())) {
      if (!cookie.startsWith(prefix)) continue;
      const [, content, until, signature] =
        /^((\d{1,12})\.[\w-]{22})\.([\da-f]{64})$/.exec(cookie.slice(prefix.length)) ?? [];
      if (content === undefined || until === undefined || signature === undefined) continue;
      const expected = this.#sign(content);
      if (!timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) continue;
      if (Number(until) <= this.#now() || this.#closed.has(signature)) continue;
      return { signature, until: Number(until) };
    }
    return null;
  }

  #sign(content: string): string {
    return keyedHash(this.#token, `session ${content}`);
  }

  #now(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}
