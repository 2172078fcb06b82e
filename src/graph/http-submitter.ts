/** Submits jobs to a JobManager over HTTP. Runs in the process of `main()`, wherever that is. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { JobManagerAddress } from '../contract/application-messages.ts';
import { EPOCH_HEADER, type JobResultResponse } from '../contract/fctl-rest.ts';
import { TOKEN_HEADER } from '../contract/runtime-config.ts';
import type { JobSubmitter } from './application.ts';

export interface HttpSubmitterOptions extends JobManagerAddress {
  /** Values that the cluster must not show. */
  readonly secrets: readonly string[];
}

const blobPath = (hash: string) => `/fctl/v1/blobs/${hash}`;

/** How long one request waits for the end of a job; then it is asked again. */
const waitMs = 50_000;

interface Question {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly content?: { readonly stream: Readable; readonly size: number } | null;
}

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
    submit: async (submission) => {
      const request = { ...submission, secrets: options.secrets, workingDirectory: process.cwd() };
      const { body } = await ask('POST', '/fctl/v1/jobs', request);
      return (body as { jobId: string }).jobId;
    },
    has: async (hash) => {
      const { status } = await send(agent, options, { method: 'HEAD', path: blobPath(hash) });
      return status === 200;
    },
    upload: async (hash, file) => {
      const { size } = await stat(file);
      const content = { stream: createReadStream(file), size };
      const answer = await send(agent, options, { method: 'PUT', path: blobPath(hash), content });
      if (answer.status < 300) return;
      throw new Error(messageOf(answer) ?? `the JobManager answers ${answer.status} to its upload`);
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
  { method, path, body = null, content = null }: Question,
): Promise<Answer> {
  const payload = body === null ? null : Buffer.from(JSON.stringify(body));
  const headers = {
    [EPOCH_HEADER]: String(epoch),
    ...(token === null ? {} : { [TOKEN_HEADER]: `Bearer ${token}` }),
    ...(payload === null
      ? {}
      : { 'content-type': 'application/json', 'content-length': payload.length }),
    ...(content === null ? {} : { 'content-length': content.size }),
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
    if (content === null) sent.end(payload);
    else pipeline(content.stream, sent).catch(reject);
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
