/**
 * Clients of a JobManager's REST API: Flink's v1 (ours or a real Flink's), and our extensions.
 */
import type { ClusterInfo } from '../contract/fctl-rest.ts';
import type { JobDetails, JobsOverview, Overview } from '../contract/rest.ts';

export interface RestClientOptions {
  /** `http://127.0.0.1:8081` */
  readonly url: string;
  /** `null`: none is sent. */
  readonly token: string | null;
  /** Of one request. */
  readonly timeoutMs: number;
}

/** A request that failed. `status` is `null` when there was no answer. */
export class RestError extends Error {
  readonly status: number | null;

  constructor(message: string, status: number | null, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RestError';
    this.status = status;
  }
}

async function request<T>(
  { url, token, timeoutMs }: RestClientOptions,
  method: string,
  path: string,
  required: readonly string[] = [],
): Promise<T> {
  const address = new URL(path, url).href;
  const answer = await fetch(address, {
    method,
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((error: Error) => {
    const cause = error.cause instanceof Error ? error.cause.message : error.message;
    throw new RestError(`${address} does not answer: ${cause}`, null, { cause: error });
  });
  const text = await answer.text();
  let body: unknown;
  try {
    body = text === '' ? {} : JSON.parse(text);
  } catch {
    throw new RestError(
      `${address} answers ${answer.status} with something that is not JSON`,
      answer.status,
    );
  }
  if (!answer.ok)
    throw new RestError(messageOf(body) ?? `${address} answers ${answer.status}`, answer.status);
  const missing = required.filter((field) => !hasField(body, field));
  if (missing.length > 0) {
    throw new RestError(`the answer of ${address} has no ${missing.join(', ')}`, answer.status);
  }
  return body as T;
}

const hasField = (body: unknown, field: string) =>
  body !== null && typeof body === 'object' && field in body;

function messageOf(body: unknown): string | null {
  const errors = (body as { errors?: unknown } | null)?.errors;
  return Array.isArray(errors) && errors.length > 0 ? errors.map(String).join(' ') : null;
}

/** Flink's REST API v1. Every method rejects with a RestError. */
export class FlinkRestClient {
  readonly #options: RestClientOptions;

  constructor(options: RestClientOptions) {
    this.#options = options;
  }

  overview(): Promise<Overview> {
    return request(this.#options, 'GET', '/v1/overview', ['taskmanagers', 'slots-total']);
  }

  jobsOverview(): Promise<JobsOverview> {
    return request(this.#options, 'GET', '/v1/jobs/overview', ['jobs']);
  }

  job(jobId: string): Promise<JobDetails> {
    return request(this.#options, 'GET', `/v1/jobs/${jobId}`, ['jid', 'state', 'vertices']);
  }

  /** Asks for it; the job ends a little later. */
  async cancelJob(jobId: string): Promise<void> {
    await request(this.#options, 'PATCH', `/v1/jobs/${jobId}?mode=cancel`);
  }
}

/** Our extensions. Every method rejects with a RestError. */
export class FctlRestClient {
  readonly #options: RestClientOptions;

  constructor(options: RestClientOptions) {
    this.#options = options;
  }

  cluster(): Promise<ClusterInfo> {
    return request(this.#options, 'GET', '/fctl/v1/cluster', ['clusterId', 'epoch']);
  }

  /** Asks for it; the cluster ends a little later. */
  async cancelApplication(): Promise<void> {
    await request(this.#options, 'POST', '/fctl/v1/cancel');
  }
}
