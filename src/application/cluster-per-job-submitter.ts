/**
 * Per-job mode: every job gets a JobManager of its own, which is asked for when the job is submitted and
 * ends with it.
 *
 * P1  Cached files are uploaded when the cluster is there, just before the job.
 * P2  A JobManager that answers no more has told the record how its job ended; that is asked then.
 */
import type {
  ClusterReply,
  ClusterRequest,
  JobManagerAddress,
  UploadEvent,
} from '../contract/application-messages.ts';
import type { JobSubmitter } from './application.ts';
import { createHttpSubmitter } from './http-submitter.ts';

type HttpSubmitter = ReturnType<typeof createHttpSubmitter>;

export interface ClusterPerJobOptions {
  /** Asks whoever runs this process. Rejects when the process ends first. */
  readonly ask: (request: ClusterRequest) => Promise<ClusterReply>;
  readonly secrets: readonly string[];
  readonly onUpload?: (event: UploadEvent) => void;
}

export function createClusterPerJobSubmitter({
  ask,
  ...options
}: ClusterPerJobOptions): JobSubmitter & { close(): void } {
  const jobs = new Map<string, { submitter: HttpSubmitter; executeIndex: number }>();
  const files = new Map<string, string>();
  const clusterFor = async (executeIndex: number, name: string): Promise<JobManagerAddress> => {
    const reply = await ask({ type: 'cluster-wanted', executeIndex, name });
    if (reply.type === 'cluster') return reply.jobManager;
    throw new Error(reply.type === 'no-cluster' ? reply.message : 'there is no cluster');
  };
  const jobOf = (jobId: string) => {
    const job = jobs.get(jobId);
    if (job === undefined) throw new Error(`job ${jobId} has ended, and its JobManager with it`);
    return job;
  };
  return {
    has: async (hash) => files.has(hash),
    upload: async (hash, file) => void files.set(hash, file),
    submit: async (submission) => {
      const { executeIndex, graph } = submission;
      const address = await clusterFor(executeIndex, graph.name);
      const submitter = createHttpSubmitter({ ...address, ...options });
      for (const { hash } of Object.values(graph.cachedFiles ?? {})) {
        if (!(await submitter.has(hash))) await submitter.upload(hash, files.get(hash)!); // P1
      }
      const jobId = await submitter.submit(submission);
      jobs.set(jobId, { submitter, executeIndex });
      return jobId;
    },
    status: async (jobId) => jobOf(jobId).submitter.status(jobId),
    cancel: async (jobId) => jobOf(jobId).submitter.cancel(jobId),
    result: async (jobId) => {
      const { submitter, executeIndex } = jobOf(jobId);
      try {
        const result = await submitter.result(jobId);
        jobs.delete(jobId);
        submitter.close();
        return result;
      } catch (error) {
        const reply = await ask({ type: 'result-wanted', executeIndex, jobId }); // P2
        if (reply.type === 'result') return reply.result;
        throw error;
      }
    },
    close: () => {
      for (const { submitter } of jobs.values()) submitter.close();
    },
  };
}
