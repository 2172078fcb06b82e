/**
 * The second engine of the tests: plain processes without `/fctl/v1`, whose config files are no JSON. What it
 * can be deployed with knows nothing of the bundled one.
 */
import type { JobAttemptsResponse } from '../../../src/contract/fctl-rest.ts';
import type { ClusterSpec, ProcessSpec } from '../../../src/contract/process-spec.ts';
import type { JobDetails, JobSummary } from '../../../src/contract/rest.ts';
import { type ClusterApi, ClusterApiError } from '../../../src/engines/cluster-api.ts';
import type { Engine } from '../../../src/engines/engine.ts';
import { type RoleOfTests, clusterOfTests } from '../cluster.ts';
import { type Conf, formatConf, parseConf } from './conf.ts';

const companion = new URL('companion.ts', import.meta.url).pathname;
const jobId = 'f'.repeat(32);

export const plainEngine: Engine = {
  name: 'plain',
  version: '1',
  state: null,
  clusterSpec: (config, bundle, _token, release): ClusterSpec => {
    const { args } = config.application!;
    const conf = formatConf({
      cluster: config.cluster,
      greeting: `${args['greeting'] as string}`,
      ends: `${args['ends'] as string | number}`,
      program: `\${artifact.${bundle!.hash}}`,
    });
    const role = (count: number, content: string): RoleOfTests => ({
      count,
      command: ['${runtime.node}', companion, '${process.dir}/plain.conf'],
      files: [{ type: 'inline', path: 'plain.conf', content }],
    });
    return clusterOfTests(config, bundle!, release, {
      jobmanager: role(config.jobmanager.replicas, conf),
      taskmanager: role(config.taskmanager.replicas, formatConf({ role: 'worker' })),
    });
  },
  explain: (before, after) => {
    const [old, now] = [confOf(before), confOf(after)];
    return [...new Set([...old.keys(), ...now.keys()])]
      .filter((key) => old.get(key) !== now.get(key))
      .map((key) => `${key}: ${old.get(key)} → ${now.get(key)}`);
  },
  cluster: ({ url }, timeoutMs) => plainApi(url, timeoutMs),
};

function confOf({ files }: ProcessSpec): Conf {
  const [file] = files.flatMap((each) => (each.type === 'inline' ? [each.content] : []));
  return parseConf(file!);
}

function plainApi(url: string, timeoutMs: number): ClusterApi {
  const ask = async (path: string, method = 'GET'): Promise<Conf> => {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      return parseConf(await (await fetch(url + path, { method, signal })).text());
    } catch (error) {
      throw new ClusterApiError('silent', `nobody answers at ${url}`, { cause: error });
    }
  };
  const state = () => ask('/state');
  const stop = async () => void (await ask('/stop', 'POST'));
  const known = (id: string) => {
    if (id !== jobId) throw new ClusterApiError('not-found', `there is no job ${id}`);
  };
  const workers = (conf: Conf) => conf.get('workers')!.split(',').filter(Boolean);
  return {
    info: async () => {
      const conf = await state();
      return {
        protocol: 1,
        clusterId: conf.get('cluster')!,
        release: conf.get('release')!,
        epoch: Number(conf.get('epoch')),
        mode: 'application',
        startTime: Number(conf.get('started')),
        application: {
          status: conf.get('job') === 'RUNNING' ? 'RUNNING' : 'SUCCEEDED',
          startTime: Number(conf.get('started')),
          endTime: null,
          error: null,
        },
      };
    },
    taskManagers: async () => {
      const conf = await state();
      const isIdle = conf.get('job') !== 'RUNNING';
      return workers(conf).map((name) => ({ name, isIdle }));
    },
    jobsOn: async (names) => {
      const busy = workers(await state()).some((name) => names.has(name));
      return new Set(busy ? [jobId] : []);
    },
    jobs: async () => [summary(await state())],
    job: async (id) => {
      known(id);
      return details(await state());
    },
    attempts: async (): Promise<JobAttemptsResponse | null> => null,
    failureOf: async () => null,
    exceptions: async () => [],
    cancelJob: async (id) => {
      known(id);
      await stop();
    },
    cancelApplication: stop,
    shutDown: stop,
  };
}

function summary(conf: Conf): JobSummary {
  const start = Number(conf.get('started'));
  return {
    jid: jobId,
    name: `say ${conf.get('greeting')}`,
    jobType: conf.get('ends') === 'never' ? 'STREAMING' : 'BATCH',
    schedulerType: null,
    'start-time': start,
    'end-time': -1,
    duration: Date.now() - start,
    state: conf.get('job')!,
    'last-modification': start,
    tasks: { total: 1 },
    'pending-operators': 0,
  };
}

function details(conf: Conf): JobDetails {
  const { jid, jobType, name, state, ...times } = summary(conf);
  const vertex = {
    id: 'v',
    slotSharingGroupId: '',
    name,
    maxParallelism: 1,
    parallelism: 1,
    status: state,
    'start-time': times['start-time'],
    'end-time': -1,
    duration: times.duration,
    tasks: {},
    metrics: {} as JobDetails['vertices'][number]['metrics'],
  };
  return {
    jid,
    'application-id': '',
    name,
    isStoppable: false,
    'job-type': jobType,
    schedulerType: null,
    state,
    'start-time': times['start-time'],
    'end-time': -1,
    duration: times.duration,
    maxParallelism: 1,
    now: Date.now(),
    timestamps: {},
    vertices: [vertex],
    'status-counts': { [state]: 1 },
    plan: { jid, name, type: jobType, nodes: [] },
    'pending-operators': 0,
  };
}
