/**
 * Clients of a JobManager's REST API: Flink's v1 (ours or a real Flink's), and our extensions. Every
 * method rejects with a RestError.
 */
import type {
  ClusterInfo,
  JobAttemptsResponse,
  JobResultResponse,
  SubmitJobRequest,
} from '../contract/fctl-rest.ts';
import type {
  ConfigEntry,
  DashboardConfig,
  JobAccumulators,
  JobConfig,
  JobDetails,
  JobExceptions,
  JobIds,
  JobPlan,
  JobPlanAnswer,
  JobsOverview,
  JobStatusAnswer,
  Metric,
  Overview,
  TaskManagerDetails,
  TaskManagers,
  VertexDetails,
} from '../contract/rest.ts';
import { READY_PATH } from '../contract/runtime-config.ts';
import { flinkShapes, fctlShapes } from './shapes.ts';
import { exchange, path, read, RestError, type RestClientOptions } from './transport.ts';
import type { Shape } from './shape.ts';

export { RestError } from './transport.ts';

/** Flink's REST API v1. Metrics are listed, or with names returned with their values. */
export class FlinkRestClient {
  readonly #options: RestClientOptions;

  constructor(options: RestClientOptions) {
    this.#options = options;
  }

  config(): Promise<DashboardConfig> {
    return this.#get('/config', flinkShapes.config);
  }

  overview(): Promise<Overview> {
    return this.#get('/overview', flinkShapes.overview);
  }

  jobManagerConfig(): Promise<ConfigEntry[]> {
    return this.#get('/jobmanager/config', flinkShapes.configEntries);
  }

  jobManagerMetrics(names: readonly string[] = []): Promise<Metric[]> {
    return this.#metrics('/jobmanager', names);
  }

  taskManagers(): Promise<TaskManagers> {
    return this.#get('/taskmanagers', flinkShapes.taskManagers);
  }

  taskManager(id: string): Promise<TaskManagerDetails> {
    return this.#get(path('taskmanagers', id), flinkShapes.taskManager);
  }

  taskManagerMetrics(id: string, names: readonly string[] = []): Promise<Metric[]> {
    return this.#metrics(path('taskmanagers', id), names);
  }

  jobs(): Promise<JobIds> {
    return this.#get('/jobs', flinkShapes.jobs);
  }

  /** The state of a job that was lost with its JobManager is `LOST`, which Flink does not know. */
  async jobsOverview(): Promise<JobsOverview> {
    const answer = await this.#get<JobsOverview>('/jobs/overview', flinkShapes.jobsOverview);
    return { jobs: answer.jobs.map((job) => ({ ...job, state: job['fctl-state'] ?? job.state })) };
  }

  job(jobId: string): Promise<JobDetails> {
    return this.#get(path('jobs', jobId), flinkShapes.job);
  }

  async jobStatus(jobId: string): Promise<string> {
    const answer = await this.#get<JobStatusAnswer>(
      path('jobs', jobId, 'status'),
      flinkShapes.jobStatus,
    );
    return answer.status;
  }

  async jobPlan(jobId: string): Promise<JobPlan> {
    const answer = await this.#get<JobPlanAnswer>(path('jobs', jobId, 'plan'), flinkShapes.jobPlan);
    return answer.plan;
  }

  jobConfig(jobId: string): Promise<JobConfig> {
    return this.#get(path('jobs', jobId, 'config'), flinkShapes.jobConfig);
  }

  /** Newest first, at most `max`. */
  jobExceptions(jobId: string, max: number): Promise<JobExceptions> {
    const query = `?maxExceptions=${max}`;
    return this.#get(path('jobs', jobId, 'exceptions') + query, flinkShapes.jobExceptions);
  }

  jobAccumulators(jobId: string): Promise<JobAccumulators> {
    return this.#get(path('jobs', jobId, 'accumulators'), flinkShapes.jobAccumulators);
  }

  jobMetrics(jobId: string, names: readonly string[] = []): Promise<Metric[]> {
    return this.#metrics(path('jobs', jobId), names);
  }

  vertex(jobId: string, vertexId: string): Promise<VertexDetails> {
    return this.#get(path('jobs', jobId, 'vertices', vertexId), flinkShapes.vertex);
  }

  /** Names have the subtask's index in front: `0.numRecordsIn`. */
  vertexMetrics(jobId: string, vertexId: string, names: readonly string[] = []): Promise<Metric[]> {
    return this.#metrics(path('jobs', jobId, 'vertices', vertexId), names);
  }

  vertexWatermarks(jobId: string, vertexId: string): Promise<Metric[]> {
    return this.#get(path('jobs', jobId, 'vertices', vertexId, 'watermarks'), flinkShapes.metrics);
  }

  /** Asks for it; the job ends a little later. */
  async cancelJob(jobId: string): Promise<void> {
    const cancel = `/v1${path('jobs', jobId)}?mode=cancel`;
    await exchange(this.#options, { method: 'PATCH', path: cancel });
  }

  #get<T>(resource: string, shape: Shape): Promise<T> {
    return read(this.#options, { path: `/v1${resource}` }, shape);
  }

  #metrics(of: string, names: readonly string[]): Promise<Metric[]> {
    const query = names.length === 0 ? '' : `?get=${names.map(encodeURIComponent).join(',')}`;
    return this.#get(`${of}/metrics${query}`, flinkShapes.metrics);
  }
}

/** Our extensions. */
export class FctlRestClient {
  readonly #options: RestClientOptions;

  constructor(options: RestClientOptions) {
    this.#options = options;
  }

  /** Whether the JobManager leads. */
  async ready(): Promise<boolean> {
    try {
      await exchange(this.#options, { path: READY_PATH });
      return true;
    } catch (error) {
      if (error instanceof RestError && error.status === 503) return false;
      throw error;
    }
  }

  cluster(): Promise<ClusterInfo> {
    return read(this.#options, { path: '/fctl/v1/cluster' }, fctlShapes.cluster);
  }

  /** Repeating it with the same id changes nothing. */
  async submitJob(json: SubmitJobRequest): Promise<void> {
    await exchange(this.#options, { method: 'POST', path: '/fctl/v1/jobs', json });
  }

  /** Waits for the end of a job, but not longer than `waitMs` (at most a minute). */
  jobResult(jobId: string, waitMs: number): Promise<JobResultResponse> {
    const result = `${path('fctl', 'v1', 'jobs', jobId, 'result')}?wait=${waitMs}`;
    return read(this.#options, { path: result, waitMs }, fctlShapes.jobResult);
  }

  /** All attempts to run a job, those that were lost with their JobManagers included. */
  jobAttempts(jobId: string): Promise<JobAttemptsResponse> {
    const attempts = path('fctl', 'v1', 'jobs', jobId, 'attempts');
    return read(this.#options, { path: attempts }, fctlShapes.jobAttempts);
  }

  /** Asks for it; the cluster ends a little later. */
  async cancelApplication(): Promise<void> {
    await exchange(this.#options, { method: 'POST', path: '/fctl/v1/cancel' });
  }

  /** Asks for it; all jobs are cancelled, and the cluster ends a little later. */
  async shutDownCluster(): Promise<void> {
    await exchange(this.#options, { method: 'DELETE', path: '/v1/cluster' });
  }
}
