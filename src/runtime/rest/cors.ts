/**
 * Pages of other origins, where `jobmanager.rest.allowedOrigins` names them.
 *
 * C1  Only a named origin is ever told that it may read an answer: never `*`, as Flink says, because that
 *     is every page that a browser of this network opens.
 * C2  Cookies do not cross origins: such a page sends the token itself.
 */
import { EPOCH_HEADER } from '../../contract/fctl-rest.ts';
import { TOKEN_HEADER } from '../../contract/runtime-config.ts';
import type { Source } from './guard.ts';

const preflightSeconds = 600;

/** What every answer says, errors too. C1 */
export function corsHeaders(
  source: Source | null,
  allowed: readonly string[],
): Readonly<Record<string, string>> {
  if (allowed.length === 0) return {};
  return source?.type === 'allowed'
    ? { vary: 'Origin', 'access-control-allow-origin': source.origin }
    : { vary: 'Origin' };
}

/** Whether a browser asks if it may ask. */
export function isPreflight(source: Source, method: string, wanted: string | undefined): boolean {
  return source.type === 'allowed' && method === 'OPTIONS' && wanted !== undefined;
}

/** C2: no `access-control-allow-credentials`. */
export const preflightHeaders: Readonly<Record<string, string>> = {
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': `${TOKEN_HEADER}, content-type, ${EPOCH_HEADER}`,
  'access-control-max-age': String(preflightSeconds),
};
