/** Finds the handler of a request: a table of methods and patterns such as `/jobs/:jobid`. */
import type { IncomingMessage } from 'node:http';
import type { ClusterView } from '../jobmanager/cluster-view.ts';
import { HttpError } from './http-error.ts';

export interface RestRequest {
  readonly view: ClusterView;
  /** Values of the pattern's parameters, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly incoming: IncomingMessage;
  /** Reads and parses the body; `{}` when there is none. @throws HttpError 400 or 413. */
  readonly json: () => Promise<unknown>;
}

export type RestAnswer =
  | { readonly status: number; readonly body: unknown }
  | { readonly status: number; readonly file: string; readonly sizeBytes: number };

export interface Route {
  readonly method: string;
  readonly pattern: string;
  readonly handle: (request: RestRequest) => Promise<RestAnswer> | RestAnswer;
}

interface CompiledRoute extends Route {
  readonly segments: readonly string[];
}

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

export function createRouter(
  routes: readonly Route[],
): (method: string, path: string) => Match | null {
  const compiled: CompiledRoute[] = routes.map((route) => ({
    ...route,
    segments: route.pattern.split('/').filter(Boolean),
  }));
  return (method, path) => {
    const segments = split(path);
    for (const route of compiled) {
      if (route.method !== method) continue;
      const params = matchSegments(route.segments, segments);
      if (params !== null) return { route, params };
    }
    return null;
  };
}

/** Without empty segments and, as Flink's own paths, with or without `/v1`. @throws HttpError 400. */
function split(path: string): string[] {
  const raw = path.split('/').filter(Boolean);
  const segments = raw[0] === 'v1' ? raw.slice(1) : raw;
  try {
    return segments.map(decodeURIComponent);
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
