/** Finds the handler of a request: a table of methods and patterns such as `/jobs/:jobid`. */
import type { Readable } from 'node:stream';
import type { ClusterView } from '../jobmanager/views/cluster-view.ts';
import type { UploadedFile } from './body.ts';
import { HttpError } from './http-error.ts';

export interface RestRequest {
  readonly view: ClusterView;
  /** Values of the pattern's parameters, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Value of a header, by its name in lower case. */
  readonly header: (name: string) => string | undefined;
  /** Address that the request comes from. */
  readonly client: string;
  /** Reads and parses the body; `{}` when there is none. @throws HttpError 400, 408 or 413. */
  readonly json: () => Promise<unknown>;
  /** Reads a form's fields. @throws HttpError 408, 413 or 415. */
  readonly form: () => Promise<URLSearchParams>;
  /** Reads the files of a multipart form. @throws HttpError 400, 408 or 413. */
  readonly files: () => Promise<readonly UploadedFile[]>;
  /** The body as it comes; of any length. */
  readonly body: () => Readable;
}

export type RestAnswer =
  /** `verbatim`: secrets are not masked in it. */
  | { readonly status: number; readonly body: unknown; readonly verbatim?: boolean }
  /** Secrets are masked in text, too, but where all of it is ours: they would break a page. */
  | {
      readonly status: number;
      readonly text: string;
      readonly contentType: string;
      readonly verbatim?: boolean;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly status: number; readonly file: string; readonly sizeBytes: number };

export interface Route {
  readonly method: string;
  /** Flink's may be asked for with `/v1` in front. */
  readonly pattern: string;
  /** Whether it needs no token. */
  readonly open?: boolean;
  /** Whether it is answered also while the JobManager does not lead yet, and knows nothing of its jobs. */
  readonly early?: boolean;
  /** Whether it changes something though its method says that it reads: no link may do that. */
  readonly isCommand?: boolean;
  readonly handle: (request: RestRequest) => Promise<RestAnswer> | RestAnswer;
}

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

export const ok = (body: unknown): RestAnswer => ({ status: 200, body });

export const get = (pattern: string, handle: Route['handle']): Route => ({
  method: 'GET',
  pattern,
  handle,
});

/**
 * What may be got may be asked for by HEAD, too, but for commands.
 * @returns a function from method and path, still encoded, to the route; it throws HttpError 400.
 */
export function createRouter(
  routes: readonly Route[],
): (method: string, path: string) => Match | null {
  const compiled = routes.map((route) => ({ route, segments: split(route.pattern) }));
  return (method, path) => {
    const segments = decode(path);
    const unversioned = segments[0] === 'v1' ? segments.slice(1) : segments;
    const find = (wanted: string): Match | null => {
      for (const { route, segments: pattern } of compiled) {
        if (route.method !== wanted) continue;
        const params = matchSegments(pattern, pattern[0] === 'fctl' ? segments : unversioned);
        if (params !== null) return { route, params };
      }
      return null;
    };
    const found = find(method);
    if (found !== null || method !== 'HEAD') return found;
    const read = find('GET');
    return read?.route.isCommand ? null : read;
  };
}

/** Empty segments do not count, as in Flink: `//overview`, `/jobs/`. */
const split = (path: string) => path.split('/').filter(Boolean);

function decode(path: string): string[] {
  try {
    return split(path).map((segment) => decodeURIComponent(segment));
  } catch {
    throw new HttpError(400, `Bad request, could not decode the path ${path}`);
  }
}

function matchSegments(
  pattern: readonly string[],
  segments: readonly string[],
): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index]!;
    if (part.startsWith(':')) params[part.slice(1)] = segment;
    else if (part !== segment) return null;
  }
  return params;
}
