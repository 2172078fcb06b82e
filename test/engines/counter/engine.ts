/** An engine of the tests whose jobs have state: they count, and can be suspended and restored. */
import { join } from 'node:path';
import { DeploymentError, problem } from '../../../src/contract/errors.ts';
import type { ClusterSpec, ProcessSpec } from '../../../src/contract/process-spec.ts';
import type { JobDetails, JobSummary } from '../../../src/contract/rest.ts';
import { type ClusterApi, ClusterApiError } from '../../../src/engines/cluster-api.ts';
import type { Engine, StateSupport } from '../../../src/engines/engine.ts';
import { type RoleOfTests, clusterOfTests } from '../cluster.ts';
import { type CounterConf, checkpointsOf, newestIn } from './counters.ts';

const script = new URL('process.ts', import.meta.url).pathname;

/** What a JobManager tells. */
interface Answer {
  readonly release: string;
  readonly epoch: number;
  readonly startedAt: number;
  readonly state: string;
  readonly jobs: readonly { readonly id: string; readonly count: number }[];
  readonly workers: readonly string[];
}

const state: StateSupport = {
  directory: (jobManager, name) => join(confOf(jobManager).state, 'savepoints', name),
  suspend: async ({ url }, jobs, { signal }) => {
    const body = JSON.stringify(jobs);
    const response = await fetch(`${url}/suspend`, { method: 'POST', body, signal });
    if (response.ok) return;
    const message = (await response.json()) as string;
    throw new DeploymentError(problem({ code: 'not-suspended', message }));
  },
  find: async (directory) => newestIn(directory),
  lastCheckpoint: async (jobManager, jobId) => {
    const directory = checkpointsOf(confOf(jobManager).state, jobId);
    const path = newestIn(directory);
    return path === null ? null : { directory, path };
  },
  startFrom: (jobManager, restore) => ({
    ...jobManager,
    files: jobManager.files.map((file) =>
      file.type === 'inline' && file.path === 'restore.json'
        ? { ...file, content: JSON.stringify(restore) }
        : file,
    ),
  }),
};

export const counterEngine: Engine & { readonly state: StateSupport } = {
  name: 'counter',
  version: '1',
  state,
  clusterSpec: (config, bundle, _token, release): ClusterSpec => {
    const args = config.application!.args as unknown as CounterConf;
    const role = (count: number, conf: object): RoleOfTests => ({
      count,
      command: ['${runtime.node}', script, '${process.dir}'],
      files: [
        { type: 'inline', path: 'counter.json', content: JSON.stringify(conf) },
        { type: 'inline', path: 'restore.json', content: '[]' },
      ],
    });
    return clusterOfTests(config, bundle!, release, {
      jobmanager: role(1, { ...args, cluster: config.cluster }),
      taskmanager: role(config.taskmanager.replicas, {}),
    });
  },
  explain: (before, after) => {
    const [old, now] = [before, after].map((spec) => JSON.stringify(contentOf(spec)));
    return old === now ? [] : [`counter: ${old} → ${now}`];
  },
  cluster: ({ url }, timeoutMs) => counterApi(url, timeoutMs),
};

const contentOf = ({ files }: ProcessSpec): string =>
  files.flatMap((file) =>
    file.type === 'inline' && file.path === 'counter.json' ? file.content : [],
  )[0]!;

const confOf = (spec: ProcessSpec) => JSON.parse(contentOf(spec)) as CounterConf;

function counterApi(url: string, timeoutMs: number): ClusterApi {
  const ask = async (path: string, method = 'GET'): Promise<Answer> => {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      return (await (await fetch(url + path, { method, signal })).json()) as Answer;
    } catch (error) {
      throw new ClusterApiError('silent', `nobody answers at ${url}`, { cause: error });
    }
  };
  const stop = async () => void (await ask('/stop', 'POST'));
  return {
    info: async () => {
      const { epoch, release, startedAt, state: status } = await ask('/state');
      const application = { status, startTime: startedAt, endTime: null, error: null };
      return {
        protocol: 1,
        clusterId: 'demo',
        release,
        epoch,
        mode: 'application',
        startTime: startedAt,
        application: application as never,
      };
    },
    taskManagers: async () =>
      (await ask('/state')).workers.map((name) => ({ name, isIdle: false })),
    jobsOn: async () => new Set((await ask('/state')).jobs.map(({ id }) => id)),
    jobs: async () => {
      const answer = await ask('/state');
      return answer.jobs.map((_, index) => details(answer, index));
    },
    job: async (id) => {
      const answer = await ask('/state');
      return details(
        answer,
        answer.jobs.findIndex((job) => job.id === id),
      );
    },
    attempts: async () => null,
    failureOf: async () => null,
    exceptions: async () => [],
    cancelJob: stop,
    cancelApplication: stop,
    shutDown: stop,
  };
}

const details = ({ jobs, startedAt, state: jobState }: Answer, index: number) =>
  ({
    jid: jobs[index]!.id,
    name: `count ${index}`,
    state: jobState,
    'job-type': 'STREAMING',
    'start-time': startedAt,
    vertices: [{ status: jobState }],
  }) as unknown as JobDetails & JobSummary;
