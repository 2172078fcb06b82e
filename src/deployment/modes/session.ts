/** Session mode: a long-lived cluster that takes the jobs of many applications. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { ApplicationEvent, ApplicationResult } from '../../contract/application-messages.ts';
import { LOST } from '../../contract/outcome.ts';
import type { OutcomeDocument } from '../../record/documents.ts';
import { ClusterError, DeploymentError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { JsonObject } from '../../contract/json.ts';
import { uploadBlob } from '../../application/blob-upload.ts';
import type { ApplicationBundle } from '../../packaging/bundle.ts';
import type { ClusterConnection } from '../../providers/provider.ts';
import { audited } from '../audit.ts';
import { endCluster, noSuchCluster } from '../cancel.ts';
import { type Leader, type Site, findLeader } from '../site.ts';
import { clusterStatus } from '../status.ts';
import { runClientApplication } from './client-application.ts';
import { findLostResult } from './lost-result.ts';

const timeoutMs = 10_000;

/**
 * How to reach a session that runs.
 * @throws ClusterError (exit 7: there is none; exit 8: it does not run, or is no session).
 */
export async function reachSession(site: Site, clusterId: ClusterId): Promise<Leader> {
  const status = await clusterStatus(site, clusterId);
  if (status === null) throw noSuchCluster(clusterId);
  const mode = status.cluster?.mode ?? 'unknown';
  const refuse = (code: string, message: string, hint: string) =>
    new ClusterError(ExitCode.conflict, problem({ code, message, hint }));
  if (mode !== 'session') {
    throw refuse(
      'no-session',
      `cluster ${clusterId} runs in ${mode} mode: it takes no other jobs`,
      "'fctl session start' makes a session, 'fctl session list' shows all",
    );
  }
  const leader = status.info === null ? null : await findLeader(site, clusterId, timeoutMs);
  if (leader !== null) return leader;
  throw refuse(
    'not-running',
    `session ${clusterId} is ${status.state}`,
    status.explanation ?? `'fctl session start ${clusterId}' starts it again`,
  );
}

export interface SessionSubmission {
  readonly endpoint: ClusterConnection;
  /** Where the session is led from, when it is not from there any more; `null`: from nowhere. May reject. */
  readonly locate: () => Promise<ClusterConnection | null>;
  readonly bundle: ApplicationBundle;
  /** The built script of the process of `main()`. */
  readonly script: string;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly args: JsonObject;
  readonly secrets: readonly string[];
  readonly parallelism: number;
  /** `null`: what the application says. */
  readonly job: string | null;
  readonly detached: boolean;
  readonly signal: AbortSignal;
  /** The bundle is on its way. */
  readonly onUpload: (doneBytes: number, totalBytes: number) => void;
  /** @param sentBytes over the network; `null`: the session had it. */
  readonly onUploaded: (sentBytes: number | null) => void;
  readonly onEvent: (event: ApplicationEvent) => void;
  readonly onOutput: (text: string) => void;
}

/** Uploads the bundle if the session has it not, and runs `main()` here. */
export async function submitToSession(submission: SessionSubmission): Promise<ApplicationResult> {
  const { bundle, endpoint, script, workingDirectory, environment } = submission;
  await uploadBundle(submission);
  return runClientApplication({
    script,
    workingDirectory,
    environment,
    start: {
      mode: 'session',
      bundleFile: bundle.file,
      bundleHash: bundle.hash,
      args: submission.args,
      parallelism: submission.parallelism,
      job: submission.job,
      secrets: submission.secrets,
      detached: submission.detached,
      jobManager: {
        restUrl: endpoint.url,
        token: endpoint.token,
        epoch: endpoint.epoch,
      },
    },
    onEvent: submission.onEvent,
    onOutput: submission.onOutput,
    answer: (request) => findLostResult(request, submission),
    signal: submission.signal,
  });
}

async function uploadBundle(submission: SessionSubmission): Promise<void> {
  const { bundle, endpoint, onUpload, onUploaded, signal } = submission;
  const { hash, file } = bundle;
  const target = { restUrl: endpoint.url, token: endpoint.token };
  const options = { hash, file, onProgress: onUpload, signal };
  const sentBytes = await uploadBlob(target, options).catch((error: Error) => {
    signal.throwIfAborted();
    const message = `the application cannot be uploaded: ${error.message}`;
    throw new DeploymentError(problem({ code: 'upload-failed', message }), { cause: error });
  });
  onUploaded(sentBytes);
}

/**
 * Stops a session and waits until it has said so.
 * @param cancel whether jobs that run are cancelled.
 * @throws ClusterError (exit 8) naming the jobs that run, without `cancel`; DeploymentError when it died.
 */
export async function stopSession(
  site: Site,
  clusterId: ClusterId,
  { cancel, signal }: { cancel: boolean; signal: AbortSignal },
): Promise<OutcomeDocument> {
  const leader = await reachSession(site, clusterId);
  const jobs = await leader.api.jobs();
  const running = jobs.filter((job) => !terminal.has(job.state));
  if (running.length > 0 && !cancel) {
    const names = running.map((job) => `${job.name} (${job.jid}, ${job.state})`).join(', ');
    throw new ClusterError(
      ExitCode.conflict,
      problem({
        code: 'jobs-running',
        message: `session ${clusterId} runs ${running.length} jobs: ${names}`,
        hint: "repeat with --cancel to cancel them, or 'fctl cancel' them one by one",
      }),
    );
  }
  return audited(site, clusterId, 'session stop', signal, () =>
    endCluster(site, leader, clusterId, signal, (api) => api.shutDown()),
  );
}

const terminal: ReadonlySet<string> = new Set([
  'FINISHED',
  'FAILED',
  'CANCELED',
  'SUSPENDED',
  LOST,
]);
