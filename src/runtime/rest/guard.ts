/**
 * From where a request may come. All throw HttpError.
 *
 * G1  Only requests for a host that this server is known by are answered, so that a page of another site
 *     cannot reach it through a name that resolves here (DNS rebinding). An IP address is no such name,
 *     but a server on loopback answers to those of the loopback only.
 * G2  A browser says where a request comes from: one of another site is refused, also when the cluster
 *     needs no token, unless its origin is one of those that the configuration allows (cors.ts).
 * G3  Where a browser gives no origin it says how near the page is. Opening an address from another
 *     site's link is allowed: it reads, and the page that asked does not see the answer.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import { isIP } from 'node:net';
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

/** Decides whether a `Host` is one of this server's. */
export type HostCheck = (host: string | undefined) => void;

const isLoopback = (name: string) => /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/.test(name);

/** The name in `name:port` or `[address]:port`, in lower case; empty when it is neither. */
function nameOf(host: string): string {
  const found = /^(?:\[([\da-f:.]+)\]|([^[\]:@]+?)\.?)(?::\d+)?$/i.exec(host);
  return (found?.[1] ?? found?.[2] ?? '').toLowerCase();
}

/**
 * G1
 * @param bind the address that is listened on.
 * @param names by which the server is reached, beside addresses, loopback names and the machine's name.
 */
export function createHostCheck(bind: string, names: readonly string[]): HostCheck {
  const onLoopback = isLoopback(bind.toLowerCase());
  const machine = onLoopback ? [] : [hostname(), hostname().split('.')[0]!, bind];
  const known = new Set([...machine, ...names].map((name) => name.toLowerCase()));
  return (host) => {
    if (host === undefined) return; // HTTP/1.0: no browser
    const name = nameOf(host);
    if (isLoopback(name) || known.has(name) || (!onLoopback && isIP(name) > 0)) return;
    const answers = onLoopback ? 'listens on loopback and answers' : 'answers';
    throw new HttpError(
      403,
      `This JobManager ${answers} requests for its own names only, not for '${name}': if that is one, add it to jobmanager.rest.hosts.`,
    );
  };
}

/** Where a request comes from. */
export type Source =
  /** A page of this server, or no page at all. */
  | { readonly type: 'own' }
  /** A page of an allowed origin: it may do what its token lets it, but has no cookie. */
  | { readonly type: 'allowed'; readonly origin: string };

/** G2, G3 */
export function checkOrigin(
  method: string,
  headers: IncomingHttpHeaders,
  host: string | undefined,
  allowed: readonly string[],
): Source {
  const { origin } = headers;
  if (origin === undefined) {
    if (isOwnFetch(method, headers)) return { type: 'own' };
  } else if (URL.parse(origin)?.host === host?.toLowerCase()) return { type: 'own' };
  else if (allowed.includes(origin)) return { type: 'allowed', origin };
  throw new HttpError(403, 'This JobManager answers no requests from pages of other sites.');
}

/** G3: `none` is the address bar, `same-origin` a page of ours. */
function isOwnFetch(method: string, headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'none' || site === 'same-origin') return true;
  return headers['sec-fetch-mode'] === 'navigate' && (method === 'GET' || method === 'HEAD');
}
