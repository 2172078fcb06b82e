/**
 * `deploy` and `plan`, one code path: desired → observed → plan → apply → healthy.
 *
 * Stages: preflight ▸ lock ▸ plan ▸ record the intended release ▸ ship artifacts ▸ apply ▸ health gate ▸
 * mark the release stable.
 *
 * Y1  Nothing is changed before preflight has found nothing and the lock is held.
 * Y2  The intended release is recorded before the first action; whatever interrupts the deployment, the
 *     next one plans from what it observes and goes on.
 * Y3  A first deployment that fails leaves no process running; record and logs stay to tell why.
 */
import { randomBytes } from 'node:crypto';
import type { ResolvedConfig } from '../config/resolved.ts';
import {
  ApplicationStatus,
  type ClusterDocument,
  DocumentName,
  type OutcomeDocument,
  PROTOCOL_VERSION,
} from '../contract/documents.ts';
import { ClusterError, FctlError, ProviderError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import type { JsonObject } from '../contract/json.ts';
import { type ClusterSpec, Role } from '../contract/process-spec.ts';
import { FCTL_VERSION } from '../contract/version.ts';
import type { Engine } from '../engines/engine.ts';
import type { ApplicationBundle } from '../packaging/bundle.ts';
import { type Provider, type TransferProgress, isAlive } from '../providers/provider.ts';
import { awaitHealthy, newestEpoch } from './health.ts';
import { acquireLock, lockHolder } from './lock.ts';
import { type Plan, planCluster } from './plan.ts';
import type { OnDeployEvent } from './progress.ts';
import { markRelease, recordRelease } from './releases.ts';
import { releaseHash } from './release.ts';

export interface DeployInput {
  readonly config: ResolvedConfig;
  /** The resolved config with secrets masked, for the record. */
  readonly maskedConfig: JsonObject;
  readonly bundle: ApplicationBundle | null;
  readonly provider: Provider;
  readonly engine: Engine;
}

export interface DeployOptions {
  readonly signal: AbortSignal;
  readonly onEvent: OnDeployEvent;
  /** How long to wait for a healthy cluster. */
  readonly healthTimeoutMs: number;
  /** How long to wait for another deployment. */
  readonly lockWaitMs: number;
  /** Replace a running application although what it has computed so far is lost. */
  readonly allowStateLoss: boolean;
}

export interface DeployResult {
  readonly plan: Plan;
  /** Epoch before the deployment: endpoints and outcomes above it belong to this run. */
  readonly previousEpoch: number;
}

/** What `deploy` would do. Changes nothing. */
export async function planDeployment(input: DeployInput): Promise<Plan> {
  const { provider, config } = input;
  await refuseNewerProtocol(provider, config.cluster);
  const observed = await provider.inspect(config.cluster);
  return planCluster(await desiredSpec(input), observed);
}

/**
 * Brings the cluster to what the config says and waits until it is healthy.
 * @throws ProviderError (preflight), ClusterError (locked, newer protocol, state would be lost),
 *   DeploymentError (did not become healthy).
 */
export async function deploy(input: DeployInput, options: DeployOptions): Promise<DeployResult> {
  const { provider, config } = input;
  await refuseNewerProtocol(provider, config.cluster);
  const spec = await desiredSpec(input);
  const problems = await provider.preflight(spec, options.signal);
  if (problems.length > 0) throw new ProviderError(problems); // Y1
  const store = provider.store(config.cluster);
  const lock = await acquireLock(store, `deploying release ${spec.release}`, {
    waitMs: options.lockWaitMs,
    signal: options.signal,
    onWait: ({ holder, message }) => options.onEvent({ type: 'waiting-for-lock', holder, message }),
  });
  const signal = AbortSignal.any([options.signal, lock.lost]);
  try {
    return await deployLocked(input, spec, { ...options, signal, fence: lock.epoch });
  } finally {
    await lock.release();
  }
}

interface LockedOptions extends DeployOptions {
  /** Epoch of the lock. */
  readonly fence: number;
}

async function deployLocked(
  input: DeployInput,
  spec: ClusterSpec,
  options: LockedOptions,
): Promise<DeployResult> {
  const { provider, config } = input;
  const observed = await provider.inspect(config.cluster);
  const plan = planCluster(spec, observed);
  const previousEpoch = await newestEpoch(provider, config.cluster);
  if (!plan.changes) return { plan, previousEpoch: previousEpoch - 1 };
  if (plan.restartsApplication && !options.allowStateLoss) throw stateLoss(plan);
  const restarts = plan.actions.some((a) => a.role === Role.jobmanager && a.kind !== 'none');
  const epoch = restarts ? previousEpoch : previousEpoch - 1;
  const store = provider.store(config.cluster);
  await describeCluster(input);
  await recordRelease(store, {
    release: spec.release,
    createdAt: Date.now(),
    afterEpoch: epoch,
    by: lockHolder(),
    fctlVersion: FCTL_VERSION,
    status: 'intended',
    config: input.maskedConfig,
    bundleHash: input.bundle?.hash ?? null,
  }); // Y2
  const wasRunning = (observed?.processes ?? []).some(isAlive);
  try {
    await ship(provider, spec, options);
    for (const action of plan.actions) {
      if (action.kind === 'none') continue;
      options.onEvent({ type: 'action', action });
      await provider.apply(action, spec, options);
    }
    await awaitHealthy({
      provider,
      clusterId: config.cluster,
      previousEpoch: epoch,
      taskManagers: config.taskmanager.replicas,
      timeoutMs: options.healthTimeoutMs,
      signal: options.signal,
      onEvent: options.onEvent,
    });
    await markRelease(store, spec.release, 'stable');
    return { plan, previousEpoch: epoch };
  } catch (error) {
    if (!options.signal.aborted)
      await failed(input, spec, options.fence, previousEpoch, wasRunning, error);
    throw error;
  }
}

/** Y3 */
async function failed(
  input: DeployInput,
  spec: ClusterSpec,
  fence: number,
  previousEpoch: number,
  wasRunning: boolean,
  error: unknown,
): Promise<void> {
  const { provider, config } = input;
  const store = provider.store(config.cluster);
  await markRelease(store, spec.release, 'failed');
  if (wasRunning) return;
  const before = await store.read<OutcomeDocument>(DocumentName.outcome);
  const told = before.value !== null && before.value.epoch > previousEpoch;
  const observed = await provider.inspect(config.cluster);
  for (const { name, role, index } of observed?.processes ?? []) {
    const reason = 'the deployment failed';
    await provider.apply(
      { kind: 'delete', process: name, role, index, reason, causes: [], spec: null },
      spec,
      { fence, signal: new AbortController().signal },
    );
  }
  if (told) return;
  // In place of what a JobManager wrote when it was ended just now: that it was cancelled.
  const { version } = await store.read<OutcomeDocument>(DocumentName.outcome);
  const newest = await newestEpoch(provider, config.cluster);
  const outcome: OutcomeDocument = {
    protocol: PROTOCOL_VERSION,
    status: ApplicationStatus.failed,
    startTime: Date.now(),
    endTime: Date.now(),
    error: {
      message: error instanceof FctlError ? error.problems[0]!.message : String(error),
      stack: null,
      task: null,
      location: null,
    },
    jobs: [],
    epoch: Math.max(newest, previousEpoch + 1),
  };
  await store.write(DocumentName.outcome, version, outcome);
}

async function ship(provider: Provider, spec: ClusterSpec, options: DeployOptions): Promise<void> {
  const onProgress = (progress: TransferProgress) => options.onEvent({ type: 'sending', progress });
  const transfer = { signal: options.signal, onProgress };
  await provider.install(spec, transfer);
  const store = provider.artifacts(spec.clusterId);
  for (const artifact of spec.artifacts) {
    if (await store.has(artifact.hash)) continue;
    const bytes = await store.put(artifact, transfer);
    options.onEvent({ type: 'uploaded', name: artifact.name, bytes });
  }
}

/** Releases of one cluster share its token: the running processes know no other. */
async function desiredSpec(input: DeployInput): Promise<ClusterSpec> {
  const { config, bundle, engine, provider } = input;
  const endpoint = await provider.endpoint(config.cluster);
  const token =
    config.security.auth === 'token' ? (endpoint?.token ?? randomBytes(32).toString('hex')) : null;
  const version = `${engine.name} ${engine.version}`;
  const key = token ?? config.cluster;
  const release = releaseHash(config, bundle?.hash ?? null, version, key);
  return engine.clusterSpec(config, bundle, token, release);
}

async function describeCluster({ provider, config }: DeployInput): Promise<void> {
  const store = provider.store(config.cluster);
  const { version, value } = await store.read<ClusterDocument>(DocumentName.cluster);
  const document: ClusterDocument = {
    protocol: PROTOCOL_VERSION,
    fctlVersion: FCTL_VERSION,
    clusterId: config.cluster,
    mode: config.mode,
    provider: provider.name,
    engine: config.engine,
    createdAt: value?.createdAt ?? Date.now(),
    retentionMs: config.retentionMs,
  };
  await store.write(DocumentName.cluster, version, document);
}

/** An older fctl does not change a newer cluster. */
async function refuseNewerProtocol(provider: Provider, clusterId: string): Promise<void> {
  const { value } = await provider.store(clusterId).read<ClusterDocument>(DocumentName.cluster);
  if (value === null || value.protocol <= PROTOCOL_VERSION) return;
  throw new ClusterError(
    ExitCode.conflict,
    problem({
      code: 'newer-cluster',
      message: `cluster ${clusterId} was deployed by fctl ${value.fctlVersion} (protocol ${value.protocol}); this is fctl ${FCTL_VERSION} (protocol ${PROTOCOL_VERSION})`,
      hint: 'update fctl; status, logs, cancel and destroy work with this version too',
    }),
  );
}

function stateLoss(plan: Plan): ClusterError {
  const cause = plan.actions.find((a) => a.role === Role.jobmanager)!;
  return new ClusterError(
    ExitCode.stateWouldBeLost,
    problem({
      code: 'state-would-be-lost',
      message: `the application of ${plan.clusterId} is running and would start again from nothing (${cause.reason})`,
      hint: `cancel it first ('fctl cancel ${plan.clusterId}'), or repeat with --allow-state-loss`,
    }),
  );
}
