/**
 * Who may ask: whoever shows the token, in a header or, from a browser, by a session (sessions.ts).
 *
 * T1  The token is compared in a time that does not tell how much of it is right.
 * T2  Too many wrong tokens of a client get 429 and cost it a connection each, but the right one is
 *     always taken: whoever guesses locks out nobody, behind the same address either.
 * T3  A session counts only for requests from this server's own pages, and where something is changed
 *     only if the browser says that they are: SameSite alone takes another port for the same site.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from '../logging/logger.ts';
import type { Clock } from '../../contract/clock.ts';
import { Attempts } from './attempts.ts';
import type { Source } from './guard.ts';
import { HttpError } from './http-error.ts';
import { Sessions } from './sessions.ts';

const msBetweenWarnings = 60_000;

/** Hashes have one length, as the comparison needs. */
const digest = (text: string) => createHash('sha256').update(text).digest();

export interface Asking {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly source: Source;
  /** Address of the client. */
  readonly client: string;
}

export class Authentication {
  readonly sessions: Sessions;
  readonly #digest: Buffer;
  readonly #attempts: Attempts;
  readonly #logger: Logger;
  readonly #clock: Clock;
  #warnedAt = -Infinity;

  constructor(token: string, clock: Clock, logger: Logger) {
    this.sessions = new Sessions(token, clock);
    this.#digest = digest(token);
    this.#attempts = new Attempts(clock);
    this.#logger = logger;
    this.#clock = clock;
  }

  /** @throws HttpError 401, 429; 403: a session that must not do this. */
  check(asking: Asking): void {
    const { client, headers } = asking;
    const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
    if (given !== undefined) return this.checkToken(given, client);
    if (asking.source.type === 'own' && this.sessions.has(headers.cookie)) {
      return checkDeliberate(asking);
    }
    throw unauthorized(
      "This cluster needs its token: send 'Authorization: Bearer TOKEN', or use 'fctl proxy'.",
    );
  }

  /** T1, T2. @throws HttpError 401, 429. */
  checkToken(given: string, client: string): void {
    if (timingSafeEqual(digest(given), this.#digest)) return;
    const waitSeconds = this.#attempts.fail(client);
    if (waitSeconds === 0) throw unauthorized('This is not the token of the cluster.');
    this.#warn(client);
    throw new HttpError(
      429,
      'These are too many wrong tokens. The right one is taken at any time.',
      {
        'retry-after': String(waitSeconds),
        connection: 'close',
      },
    );
  }

  /** Whoever guesses fills no log. */
  #warn(client: string): void {
    const now = this.#clock.now();
    if (now < this.#warnedAt + msBetweenWarnings) return;
    this.#warnedAt = now;
    this.#logger.warn('REST gets too many wrong tokens', { client });
  }
}

const unauthorized = (message: string) =>
  new HttpError(401, message, { 'www-authenticate': 'Bearer' });

/** T3 */
function checkDeliberate({ headers, method }: Asking): void {
  if (method === 'GET' || method === 'HEAD') return;
  if (headers.origin !== undefined || headers['sec-fetch-site'] === 'same-origin') return;
  throw new HttpError(
    403,
    'A cookie allows changes only where the browser says that a page of this server asks for them.',
  );
}
