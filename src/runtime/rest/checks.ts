/** What handlers check of a request, and say of a command. All throw HttpError. */
import { EPOCH_HEADER } from '../../contract/fctl-rest.ts';
import type { CommandResult } from '../jobmanager/views/cluster-view.ts';
import { badParameter, HttpError } from './http-error.ts';
import type { RestAnswer, RestRequest } from './router.ts';

/** A path parameter of 32 hex digits, in lower case. @throws HttpError 400. */
export function hexId({ params }: RestRequest, name: string): string {
  const id = params[name]!;
  if (/^[0-9a-f]{32}$/i.test(id)) return id.toLowerCase();
  throw badParameter('path', name, id);
}

/** A number of the query; `fallback` when it is not given. @throws HttpError 400. */
export function wholeNumber({ query }: RestRequest, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw badParameter('query', name, text);
}

/** A whole number of the path. @throws HttpError 400. */
export function pathNumber({ params }: RestRequest, name: string): number {
  const text = params[name]!;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw badParameter('path', name, text);
}

/** Names of the query, divided by commas; `null`: not given. */
export function namesOf({ query }: RestRequest, name: string): readonly string[] | null {
  return query.get(name)?.split(',').filter(Boolean) ?? null;
}

/**
 * The body, as an object. An absent one is `{}`, and fields that are not known do not count.
 * @param format what Flink calls it.
 * @param types of the fields that count; each may be left out, or `null`.
 * @throws HttpError 400.
 */
export async function jsonBody(
  request: RestRequest,
  format: string,
  types: Readonly<Record<string, 'string' | 'boolean' | 'number'>>,
): Promise<Readonly<Record<string, unknown>>> {
  const mismatch = () => new HttpError(400, `Request did not match expected format ${format}.`);
  const body = await request.json().catch((error: unknown) => {
    throw error instanceof HttpError && error.status === 400 ? mismatch() : error;
  });
  if (body === null || typeof body !== 'object' || Array.isArray(body)) throw mismatch();
  const fields = body as Readonly<Record<string, unknown>>;
  for (const [name, type] of Object.entries(types)) {
    const value = fields[name] ?? null;
    if (value !== null && typeof value !== type) throw mismatch();
  }
  return fields;
}

/** A client that believes in another leader gives commands to nobody. @throws HttpError 409. */
export function checkEpoch({ view, header }: RestRequest): void {
  const epoch = header(EPOCH_HEADER);
  if (epoch === undefined || epoch === String(view.epoch)) return;
  throw new HttpError(409, `This is the JobManager of epoch ${view.epoch}, not of ${epoch}`);
}

const refusals = { invalid: 400, 'not-found': 404, conflict: 409, unavailable: 503 } as const;

/** 202, or why not. @throws HttpError 400, 404, 409, 503. */
export function accepted(result: CommandResult, body: unknown = {}): RestAnswer {
  if (result.type === 'accepted') return { status: 202, body };
  throw new HttpError(refusals[result.reason], result.message);
}
