/** Submits jobs to a JobManager over HTTP. Runs in the process of `main()`, wherever that is. */
import { stat } from 'node:fs/promises';
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobManagerAddress, UploadEvent } from '../contract/application-messages.ts';
import { EPOCH_HEADER, type JobResultResponse } from '../contract/fctl-rest.ts';
import { retryAfterMs } from '../contract/retry-after.ts';
import type { JobSubmitter } from './application.ts';
import { hasBlob, uploadBlob } from './blob-upload.ts';
import { type Answer, ask as send, messageOf } from './jobmanager-http.ts';

export interface HttpSubmitterOptions extends JobManagerAddress {
  /** Values that the cluster must not show. */
  readonly secrets: readonly string[];
  readonly onUpload?: (event: UploadEvent) => void;
}

/** How long one request waits for the end of a job; then it is asked again. */
const waitMs = 50_000;

/** How long a JobManager that does not lead yet is asked again. */
const notLeadingLimitMs = 60_000;

export function createHttpSubmitter(
  options: HttpSubmitterOptions,
): JobSubmitter & { close(): void } {
  const agent = new Agent({ keepAlive: true });
  const headers = { [EPOCH_HEADER]: String(options.epoch) };
  const ask = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    for (const end = performance.now() + notLeadingLimitMs; ;) {
      const answer = await send(agent, options, { method, path, headers, body });
      if (answer.status < 300) return answer;
      const waitMs = retryAfterMs(answer.status, answer.headers['retry-after']);
      if (waitMs === null || performance.now() + waitMs > end) {
        const message = messageOf(answer);
        throw new Error(message ?? `the JobManager answers ${answer.status} to ${method} ${path}`);
      }
      await delay(waitMs);
    }
  };
  return {
    submit: async (submission) => {
      const { applicationId = null, secrets } = options;
      const workingDirectory = process.cwd();
      const request = { ...submission, secrets, workingDirectory, applicationId };
      const { body } = await ask('POST', '/fctl/v1/jobs', request);
      return (body as { jobId: string }).jobId;
    },
    has: (hash) => hasBlob(agent, options, hash),
    upload: async (hash, file) => {
      const { onUpload } = options;
      const onProgress = (doneBytes: number, totalBytes: number) =>
        onUpload?.({ type: 'uploading', file, doneBytes, totalBytes });
      const sentBytes = await uploadBlob(options, { hash, file, onProgress });
      if (sentBytes === null) return;
      const { size: totalBytes } = await stat(file);
      onUpload?.({ type: 'uploaded', file, sentBytes, totalBytes });
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
