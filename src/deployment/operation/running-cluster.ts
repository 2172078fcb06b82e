/**
 * A cluster as it runs, to be changed without its config file: specs of its processes, and the release
 * that its record has. Whoever scales or restarts a cluster need not have what it was deployed from.
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { existsSync } from 'node:fs';
import { restoreConfig } from '../../config/recorded.ts';
import type { ResolvedConfig } from '../../config/resolved.ts';
import type { ReleaseEntry } from '../../record/documents.ts';
import { ClusterError, ConfigError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { JsonObject } from '../../contract/json.ts';
import { type ClusterSpec, type ProcessSpec, Role } from '../../contract/process-spec.ts';
import type { Engine } from '../../engines/engine.ts';
import type { ApplicationBundle } from '../../packaging/bundle.ts';
import { type Provider, isAlive } from '../../providers/provider.ts';
import { noSuchCluster } from '../cancel.ts';
import type { Hooks } from '../hooks.ts';
import type { Plan } from '../../contract/plan.ts';
import { releaseHash } from '../release.ts';
import type { Situation } from './situation.ts';
import type { Site } from '../site.ts';

export interface RunningClusterInput extends Site {
  readonly engine: Engine;
  readonly clusterId: ClusterId;
  /** The configuration of now, with its secrets; `null`: there is none. */
  readonly today: JsonObject | null;
  /** The record has keys of the configuration that this version of fctl does not have: they do not count. */
  readonly onUnknownKeys: (paths: readonly string[]) => void;
  readonly hooks: Hooks | null;
}

export interface RunningCluster {
  readonly spec: ClusterSpec;
  /** The release that was recorded last. */
  readonly current: ReleaseEntry;
  /** Of that release; its secrets are masked where today's configuration does not have them. */
  readonly config: ResolvedConfig;
  /** Secrets that are masked. */
  readonly missing: readonly string[];
}

/** @throws ClusterError (exit 7: no such cluster; exit 8: it does not run). */
export async function runningCluster(
  { clusterId, engine, onUnknownKeys, provider, signal, today }: RunningClusterInput,
  { observed, releases }: Situation,
): Promise<RunningCluster> {
  const current = releases.at(-1);
  if (observed === null || current === undefined) throw noSuchCluster(clusterId);
  const specs = new Map<Role, ProcessSpec>();
  for (const { role, spec } of observed.processes.filter(isAlive)) {
    if (spec !== null && !specs.has(role)) specs.set(role, spec);
  }
  const [master, worker] = [specs.get(Role.jobmanager), specs.get(Role.taskmanager)];
  if (master === undefined || worker === undefined) {
    throw new ClusterError(
      ExitCode.conflict,
      problem({
        code: 'not-running',
        message: `cluster ${clusterId} does not run`,
        hint: `'fctl status ${clusterId}' says what became of it, 'fctl deploy' starts it`,
      }),
    );
  }
  const { config, missing, unknown } = restoreConfig(current.config, today, current.clientDir);
  onUnknownKeys(unknown);
  const workers = observed.processes.filter((p) => p.role === Role.taskmanager);
  const secrets = await provider.secrets(clusterId, { signal });
  return {
    spec: {
      clusterId,
      release: current.release,
      mode: master.labels['fctl.dev/mode'] as ClusterSpec['mode'],
      transient: master.labels['fctl.dev/mode'] === 'per-job',
      runtime: engine.clusterSpec(config, bundleOf(current), null, current.release).runtime,
      retentionMs: config.retentionMs,
      processes: [master, { ...worker, count: workers.length }],
      artifacts: [],
      clientDir: current.clientDir,
      secrets: secrets?.['token'] === undefined ? {} : { token: secrets['token'] },
    },
    current,
    config: { ...config, application: current.bundleHash === null ? null : config.application },
    missing,
  };
}

/** It is in the cluster: nothing is shipped. */
const bundleOf = ({ bundleHash, bundleSizeBytes }: ReleaseEntry): ApplicationBundle | null =>
  bundleHash === null ? null : { hash: bundleHash, sizeBytes: bundleSizeBytes, file: '' };

/** The name of the release that the same would be with another config. */
export const nameRelease = (
  { current }: Pick<RunningCluster, 'current'>,
  config: ResolvedConfig,
): string => releaseHash(config, current.bundleHash, current.engine, current.secretsHash);

/**
 * A `main()` runs in the folder that its cluster was deployed from, where the cluster sees that.
 * @throws ClusterError (exit 8) when the plan starts it and the folder is gone: it would only fail.
 */
export function refuseGoneProject(
  { current }: Pick<RunningCluster, 'current'>,
  { capabilities }: Provider,
  plan: Plan,
): void {
  const isStarted = plan.actions.some((a) => a.role === Role.jobmanager && a.spec !== null);
  const isThere = !capabilities.commonFiles || existsSync(current.clientDir);
  if (!isStarted || isThere || current.bundleHash === null) return;
  throw new ClusterError(
    ExitCode.conflict,
    problem({
      code: 'project-gone',
      message: `the application would start again in ${current.clientDir}, from which ${plan.clusterId} was deployed, and that folder is gone`,
      hint: "'fctl deploy' it from where it is now",
    }),
  );
}

/**
 * The spec with the secrets that a JobManager needs, where the plan starts one.
 * @throws ConfigError when today's configuration does not have them.
 */
export function withSecrets(
  { config, current, missing, spec }: RunningCluster,
  engine: Engine,
  plan: Plan,
): ClusterSpec {
  const isStarted = plan.actions.some((a) => a.role === Role.jobmanager && a.spec !== null);
  if (!isStarted || current.secretsHash === null) return spec;
  if (missing.length > 0) {
    throw new ConfigError(
      missing.map((path) =>
        problem({
          code: 'secret-missing',
          message: 'the JobManager starts again, and needs a secret that nobody here knows',
          path,
          hint: 'secrets are stored nowhere: run it where the config file is',
        }),
      ),
    );
  }
  const { secrets } = engine.clusterSpec(
    config,
    bundleOf(current),
    spec.secrets['token'] ?? null,
    spec.release,
  );
  return { ...spec, secrets };
}
