/**
 * Per-job mode: `main()` runs here, and each job that it executes gets a cluster of its own, which ends
 * with the job.
 *
 * J1  A cluster's id is not used twice: outcome and logs of an earlier run stay for their retention.
 * J2  A client that dies leaves its jobs running: their clusters need nobody. One that dies before it
 *     submitted the job leaves a cluster that gives up by itself.
 */
import { pause } from '../../contract/pause.ts';
import { randomBytes } from 'node:crypto';
import type {
  ApplicationEvent,
  ApplicationResult,
  ClusterReply,
  ClusterRequest,
} from '../../contract/application-messages.ts';
import { DocumentName } from '../../record/documents.ts';
import { readDocument, readEnd } from '../../record/record.ts';
import { type ClusterId, maxClusterIdLength, parseClusterId } from '../../contract/cluster-id.ts';
import { FctlError } from '../../contract/errors.ts';
import { deploy } from '../deploy.ts';
import type { DeployInput } from '../operation/desired.ts';
import type { OperationOptions } from '../operation/stages.ts';
import { type Leader, findLeader } from '../site.ts';
import { clusterStatus } from '../status.ts';
import { runClientApplication } from './client-application.ts';

const pollMs = 50;

export interface PerJobOptions extends Omit<
  OperationOptions,
  'allowStateLoss' | 'rollbackOnFailure'
> {
  /** The built script of the process of `main()`. */
  readonly script: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly secrets: readonly string[];
  readonly detached: boolean;
  /** A job got its cluster. */
  readonly onCluster: (executeIndex: number, clusterId: ClusterId, jobName: string) => void;
  /** The cluster of a job is up. */
  readonly onLeader: (executeIndex: number, leader: Leader) => void;
  readonly onJob: (event: ApplicationEvent) => void;
  readonly onOutput: (text: string) => void;
}

/** @returns how `main()` ended. */
export function runPerJob(input: DeployInput, options: PerJobOptions): Promise<ApplicationResult> {
  const { config, bundle } = input;
  const clusters = new JobClusters(input, options);
  return runClientApplication({
    script: options.script,
    workingDirectory: config.projectDir,
    environment: options.environment,
    start: {
      mode: 'per-job',
      bundleFile: bundle!.file,
      bundleHash: bundle!.hash,
      args: config.application!.args,
      parallelism: config.application!.parallelism,
      job: null,
      secrets: options.secrets,
      detached: options.detached,
      jobManager: null,
    },
    onEvent: options.onJob,
    onOutput: options.onOutput,
    answer: (request) => clusters.answer(request),
    signal: options.signal,
  });
}

/** The clusters of one run of `main()`. */
class JobClusters {
  readonly #input: DeployInput;
  readonly #options: PerJobOptions;
  readonly #run = randomBytes(2).toString('hex');
  /** By execute index. */
  readonly #ids = new Map<number, ClusterId>();

  constructor(input: DeployInput, options: PerJobOptions) {
    this.#input = input;
    this.#options = options;
  }

  async answer(request: ClusterRequest): Promise<ClusterReply> {
    const { executeIndex } = request;
    try {
      if (request.type === 'cluster-wanted') return await this.#start(executeIndex, request.name);
      return await this.#readResult(executeIndex, request.jobId);
    } catch (error) {
      const message =
        error instanceof FctlError
          ? error.problems.map((p) => p.message).join('; ')
          : (error as Error).message;
      return { type: 'no-cluster', executeIndex, message };
    }
  }

  async #start(executeIndex: number, name: string): Promise<ClusterReply> {
    const { config } = this.#input;
    const clusterId = jobClusterId(config.cluster, this.#run, executeIndex); // J1
    this.#ids.set(executeIndex, clusterId);
    this.#options.onCluster(executeIndex, clusterId, name);
    const input = { ...this.#input, config: { ...config, cluster: clusterId } };
    await deploy(input, { ...this.#options, allowStateLoss: false, rollbackOnFailure: false });
    const leader = await findLeader(this.#input, clusterId);
    if (leader === null) throw new Error(`cluster ${clusterId} has no JobManager`);
    this.#options.onLeader(executeIndex, leader);
    const { epoch, token, url } = leader.endpoint;
    return { type: 'cluster', executeIndex, jobManager: { restUrl: url, token, epoch } };
  }

  async #readResult(executeIndex: number, jobId: string): Promise<ClusterReply> {
    const { provider } = this.#input;
    const clusterId = this.#ids.get(executeIndex)!;
    const store = provider.record(clusterId);
    for (;;) {
      this.#options.signal.throwIfAborted();
      if ((await readEnd(store)) !== null) break;
      const status = await clusterStatus(this.#input, clusterId);
      if (status === null || status.state === 'LOST')
        throw new Error(`the JobManager of ${clusterId} died without an outcome`);
      await pause(this.#input.clock, pollMs, this.#options.signal);
    }
    const { value } = await readDocument(store, DocumentName.jobs);
    const job = value?.jobs.find(({ id }) => id === jobId);
    if (!job?.outcome) throw new Error(`cluster ${clusterId} has ended without this job`);
    const { collected, collectedError, outcome } = job;
    const result = { jobId, outcome, collected, ...(collectedError && { collectedError }) };
    return { type: 'result', executeIndex, result };
  }
}

/** `flights-3fa9-1`; the name is cut where the id would be too long. */
export function jobClusterId(cluster: ClusterId, run: string, executeIndex: number): ClusterId {
  const suffix = `-${run}-${executeIndex + 1}`;
  const kept = cluster.slice(0, maxClusterIdLength - suffix.length).replace(/-+$/, '');
  return parseClusterId(kept + suffix);
}
