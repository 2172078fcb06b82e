/**
 * Who may ask at all. All throw HttpError.
 *
 * G1  A loopback server answers only requests for a loopback host, so that a page of another site cannot
 *     reach it through a name that resolves here (DNS rebinding).
 * G2  A browser says where a request comes from: one of another site is refused, also when the cluster
 *     needs no token. There are no CORS headers: Flink's `*` would undo this.
 * G3  The token is compared in a time that does not tell how much of it is right.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-error.ts';

/** The part of a URL that names a resource, still encoded. */
export interface Target {
  readonly path: string;
  readonly query: URLSearchParams;
  /** `host:port` that the client believes to speak to. */
  readonly host: string | undefined;
}

/** Paths are taken as they are: nothing resolves `..` before the router. @throws HttpError 400. */
export function parseTarget({ headers, httpVersion, url = '/' }: IncomingMessage): Target {
  // To a proxy one names the whole URL, and then its host is the one that counts.
  const absolute = /^https?:\/\/([^/?]*)(.*)$/i.exec(url);
  const resource = absolute ? absolute[2]! : url;
  const host = absolute ? absolute[1] : headers.host;
  if (host === undefined && httpVersion === '1.1') {
    throw new HttpError(400, 'Bad request, it has no Host header');
  }
  const end = resource.indexOf('?');
  return {
    path: end < 0 ? resource : resource.slice(0, end),
    query: new URLSearchParams(end < 0 ? '' : resource.slice(end)),
    host,
  };
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/** G1 */
export function checkHost(bind: string, host: string | undefined): void {
  const bindsLoopback = bind === 'localhost' || bind === '::1' || bind.startsWith('127.');
  if (bindsLoopback && host !== undefined && !loopback.test(host)) {
    throw new HttpError(
      403,
      'This JobManager listens on loopback and answers requests for it only.',
    );
  }
}

/** G2 */
export function checkOrigin(origin: string | undefined, host: string | undefined): void {
  if (origin === undefined || URL.parse(origin)?.host === host?.toLowerCase()) return;
  throw new HttpError(403, 'This JobManager answers no requests from pages of other sites.');
}

/** G3. @param token `null`: none is needed. */
export function checkToken(token: string | null, authorization: string | undefined): void {
  if (token === null) return;
  const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  // Hashes have one length, as the comparison needs.
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (given !== undefined && timingSafeEqual(digest(given), digest(token))) return;
  throw new HttpError(
    401,
    given === undefined
      ? "This cluster needs its token: send 'Authorization: Bearer TOKEN', or use 'fctl proxy'."
      : 'This is not the token of the cluster.',
  );
}
