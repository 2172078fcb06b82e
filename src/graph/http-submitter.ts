/** Submits jobs to a JobManager over HTTP. Runs in the process of `main()`, wherever that is. */
import { Agent, type IncomingMessage, request } from 'node:http';
import { EPOCH_HEADER, type JobResultResponse } from '../contract/fctl-rest.ts';
import { TOKEN_HEADER } from '../contract/runtime-config.ts';
import type { JobSubmitter } from './application.ts';

export interface HttpSubmitterOptions {
  readonly restUrl: string;
  readonly token: string | null;
  readonly epoch: number;
}

/** How long one request waits for the end of a job; then it is asked again. */
const waitMs = 50_000;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export function createHttpSubmitter(
  options: HttpSubmitterOptions,
): JobSubmitter & { close(): void } {
  const agent = new Agent({ keepAlive: true });
  const ask = async (method: string, path: string, body: unknown = null): Promise<Answer> => {
    const answer = await send(agent, options, { method, path, body });
    if (answer.status < 300) return answer;
    throw new Error(
      messageOf(answer) ?? `the JobManager answers ${answer.status} to ${method} ${path}`,
    );
  };
  return {
    submit: async (jobId, graph) => {
      await ask('POST', '/fctl/v1/jobs', { jobId, graph });
    },
    status: async (jobId) => {
      const { body } = await ask('GET', `/v1/jobs/${jobId}`);
      return (body as { state: string }).state;
    },
    cancel: async (jobId) => {
      await ask('PATCH', `/v1/jobs/${jobId}?mode=cancel`);
    },
    result: async (jobId) => {
      for (;;) {
        const { body } = await ask('GET', `/fctl/v1/jobs/${jobId}/result?wait=${waitMs}`);
        const result = body as JobResultResponse;
        if (result.outcome !== null) return result;
      }
    },
    close: () => agent.destroy(),
  };
}

/** Flink's form of errors: `{ "errors": ["…"] }`. */
function messageOf({ body }: Answer): string | null {
  const errors = (body as { errors?: unknown } | null)?.errors;
  return Array.isArray(errors) && typeof errors[0] === 'string' ? errors[0] : null;
}

function send(
  agent: Agent,
  { restUrl, token, epoch }: HttpSubmitterOptions,
  { method, path, body }: { method: string; path: string; body: unknown },
): Promise<Answer> {
  const payload = body === null ? null : Buffer.from(JSON.stringify(body));
  const headers = {
    [EPOCH_HEADER]: String(epoch),
    ...(token === null ? {} : { [TOKEN_HEADER]: `Bearer ${token}` }),
    ...(payload === null
      ? {}
      : { 'content-type': 'application/json', 'content-length': payload.length }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, restUrl), { method, agent, headers }, (response) => {
      readJson(response).then(
        (json) => resolve({ status: response.statusCode ?? 0, body: json }),
        reject,
      );
    });
    sent.once('error', (error) => {
      reject(
        new Error(`the JobManager at ${restUrl} does not answer: ${error.message}`, {
          cause: error,
        }),
      );
    });
    sent.end(payload);
  });
}

async function readJson(response: IncomingMessage): Promise<unknown> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) text += chunk as string;
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
