/** The JobManager of the bundled engine, asked over REST. */
import type { JobDetails } from '../../contract/rest.ts';
import { FctlRestClient, FlinkRestClient, RestError } from '../../flink-rest/client.ts';
import { type ClusterApi, ClusterApiError, type ClusterApiErrorKind } from '../cluster-api.ts';
import type { JobManagerAddress } from '../engine.ts';

const mostExceptions = 20;

/** @param timeoutMs of one request. */
export function clusterApi({ token, url }: JobManagerAddress, timeoutMs: number): ClusterApi {
  const flink = new FlinkRestClient({ url, token, timeoutMs });
  const fctl = new FctlRestClient({ url, token, timeoutMs });
  return {
    info: () => told(fctl.cluster()),
    taskManagers: () => told(registered(flink)),
    jobsOn: (names) => told(jobsOn(flink, names)),
    jobs: () => told(flink.jobsOverview().then(({ jobs }) => jobs)),
    job: (jobId): Promise<JobDetails> => told(flink.job(jobId)),
    attempts: (jobId) => told(fctl.jobAttempts(jobId)),
    exceptions: (jobId) =>
      told(flink.jobExceptions(jobId, mostExceptions).then((all) => all.exceptionHistory.entries)),
    failureOf: (jobId) => told(failureOf(flink, jobId)),
    cancelJob: (jobId) => told(flink.cancelJob(jobId)),
    cancelApplication: () => told(fctl.cancelApplication()),
    shutDown: () => told(fctl.shutDownCluster()),
  };
}

async function registered(flink: FlinkRestClient) {
  const { taskmanagers } = await flink.taskManagers();
  return taskmanagers.map(({ freeSlots, path, slotsNumber }) => ({
    name: processOf(path),
    isIdle: freeSlots === slotsNumber,
  }));
}

/** A TaskManager's path ends with the name of its process. */
const processOf = (path: string): string => path.split('/').at(-1)!;

async function jobsOn(flink: FlinkRestClient, names: ReadonlySet<string>): Promise<Set<string>> {
  const { taskmanagers } = await flink.taskManagers();
  const concerned = taskmanagers.filter(({ path }) => names.has(processOf(path)));
  const details = await Promise.all(concerned.map(({ id }) => flink.taskManager(id)));
  return new Set(details.flatMap((tm) => tm.allocatedSlots.map((slot) => slot.jobId)));
}

async function failureOf(flink: FlinkRestClient, jobId: string): Promise<string | null> {
  const { exceptionHistory } = await flink.jobExceptions(jobId, 1);
  const newest = exceptionHistory.entries[0];
  return newest?.stacktrace?.split('\n')[0] ?? newest?.exceptionName ?? null;
}

function told<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    if (!(error instanceof RestError)) throw error;
    throw new ClusterApiError(kindOf(error), error.message, { cause: error });
  });
}

function kindOf({ status }: RestError): ClusterApiErrorKind {
  if (status === null) return 'silent';
  if (status === 503) return 'not-leading';
  return status === 404 ? 'not-found' : 'refused';
}
