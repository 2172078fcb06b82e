/** Small clusters for the provider contract: scripts that stand for JobManager and TaskManager. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { Artifact, ClusterSpec, ProcessSpec, Role } from '../../contract/process-spec.ts';
import type { Action, ActionKind } from '../../contract/plan.ts';
import type { ConvergeOptions, Provider } from '../provider.ts';

/** Runs until it is ended. */
export const idle = 'setInterval(() => {}, 1000)';

export interface SmallCluster {
  readonly clusterId: ClusterId;
  readonly release?: string;
  /** Of the JobManager. */
  readonly script?: string;
  /** Of the TaskManagers; none without it. */
  readonly taskManager?: string;
  readonly taskManagers?: number;
  readonly artifacts?: readonly Artifact[];
  readonly clientDir: string;
}

export const secret = 'top-secret-of-the-test';

export function smallCluster(cluster: SmallCluster): ClusterSpec {
  const { artifacts = [], clientDir, clusterId, release = 'r1', script = idle } = cluster;
  const process = (role: Role, count: number, code: string): ProcessSpec => ({
    role,
    count,
    command: ['${runtime.node}', '-e', code],
    environment: {
      FCTL_CLUSTER_ID: clusterId,
      SECRET_FILE: '${secret.token}',
      SCOPE: '${storage.scope}',
    },
    files: [
      { type: 'inline', path: 'config.json', content: '{"logs":"${log.dir}"}' },
      ...artifacts.map(({ hash }) => ({ type: 'artifact', hash }) as const),
    ],
    resources: { cpu: 0.1, memoryBytes: 128 * 1024 * 1024 },
    ports: role === 'jobmanager' ? [{ name: 'rest', port: 0 }] : [],
    secrets: ['token'],
    readiness: null,
    stop: { signal: 'SIGTERM', gracePeriodMs: 1000 },
    labels: {
      'fctl.dev/cluster': clusterId,
      'fctl.dev/release': release,
      'fctl.dev/role': role,
      'fctl.dev/mode': 'application',
    },
  });
  return {
    clusterId,
    release,
    mode: 'application',
    transient: false,
    runtime: { kind: 'fctl' },
    retentionMs: 0,
    processes: [
      process('jobmanager', 1, script),
      ...(cluster.taskManager === undefined
        ? []
        : [process('taskmanager', cluster.taskManagers ?? 1, cluster.taskManager)]),
    ],
    artifacts,
    clientDir,
    secrets: { token: secret },
  };
}

export function actionOn(spec: ClusterSpec, process: string, kind: ActionKind = 'create'): Action {
  const [role, index] = process.split('-') as [Role, string];
  const wanted = spec.processes.find((each) => each.role === role)!;
  return {
    kind,
    process,
    role,
    index: Number(index),
    reason: 'the test',
    causes: [],
    endsProcess: kind === 'replace' || kind === 'restart' || kind === 'delete',
    spec: kind === 'delete' || kind === 'none' ? null : wanted,
  };
}

/** Names of all processes that a cluster consists of, the JobManager first. */
export function processNames(spec: ClusterSpec): string[] {
  return spec.processes.flatMap(({ count, role }) =>
    Array.from({ length: count }, (_, index) => `${role}-${index}`),
  );
}

/** Carries out a plan of these actions. */
export function converge(
  provider: Provider,
  spec: ClusterSpec,
  actions: readonly Action[],
  options: Pick<ConvergeOptions, 'fence' | 'signal'> & Partial<ConvergeOptions>,
): Promise<void> {
  const plan = {
    clusterId: spec.clusterId,
    release: spec.release,
    previousRelease: null,
    leader: null,
    actions,
    config: [],
    changes: true,
    restartsApplication: false,
    restore: [],
    stateLoss: [],
  };
  const silent = { onStep: () => {}, onJobManagersEnded: async () => {} };
  return provider.converge(spec, plan, { ...silent, ...options });
}

/** Starts all processes that a cluster consists of. */
export const convergeAll = (
  provider: Provider,
  spec: ClusterSpec,
  options: Pick<ConvergeOptions, 'fence' | 'signal'>,
): Promise<void> =>
  converge(
    provider,
    spec,
    processNames(spec).map((process) => actionOn(spec, process)),
    options,
  );
