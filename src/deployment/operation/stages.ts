/**
 * The parts of an operation that a deployment and the rollback of one that failed have in common; the
 * order of all is in operation.ts.
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import {
  type ClusterDocument,
  DocumentName,
  NOT_YET,
  type OutcomeDocument,
  PROTOCOL_VERSION,
  type ReleaseEntry,
  ReleaseStatus,
} from '../../record/documents.ts';
import { readDocument } from '../../record/record.ts';
import { FctlError } from '../../contract/errors.ts';
import type { Plan } from '../../contract/plan.ts';
import { type ClusterSpec, Role } from '../../contract/process-spec.ts';
import { FCTL_VERSION } from '../../contract/version.ts';
import type { Engine } from '../../engines/engine.ts';
import { checkFence } from '../../record/fence.ts';
import { type ObservedCluster, isAlive } from '../../providers/provider.ts';
import type { ReleaseContent } from './desired.ts';
import { awaitHealthy, newestEpoch } from './health.ts';
import type { HookFacts, Hooks } from '../hooks.ts';
import { lockHolder } from '../../record/lock.ts';
import { keepsLeader, replacesJobManager, startsApplication } from './plan.ts';
import type { OnDeployEvent } from './progress.ts';
import { restoredFrom } from './restore.ts';
import { markEpoch, recordRelease } from '../releases.ts';
import type { Situation } from './situation.ts';
import type { StateQuestion } from './state-loss.ts';
import type { Redactor } from '../../contract/secrets.ts';
import type { Site } from '../site.ts';

/** What a cluster is to be. */
export interface Wanted {
  readonly spec: ClusterSpec;
  readonly plan: Plan;
  readonly content: ReleaseContent;
  /** The earlier release that is returned to; `null`: this is no rollback. */
  readonly returnsTo: ReleaseEntry | null;
}

export interface Operation extends Site {
  readonly engine: Engine;
  readonly clusterId: ClusterId;
  readonly hooks: Hooks | null;
  /** Made while the lock is held, from what is true then. May refuse. */
  want(situation: Situation): Promise<Wanted>;
  /** The same for an earlier release; `null`: this operation does not roll back. */
  readonly wantRelease: ((entry: ReleaseEntry, situation: Situation) => Promise<Wanted>) | null;
}

export interface OperationOptions {
  readonly signal: AbortSignal;
  /** Knows what must not be written into the record. */
  readonly redactor: Pick<Redactor, 'mask'>;
  readonly onEvent: OnDeployEvent;
  /** How long to wait for a healthy cluster. */
  readonly healthTimeoutMs: number;
  /** How long to wait for another deployment. */
  readonly lockWaitMs: number;
  /** Go on although state of running jobs is lost. */
  readonly allowStateLoss: boolean;
  readonly rollbackOnFailure: boolean;
}

export interface OperationResult {
  readonly plan: Plan;
  /** Epoch before the deployment: endpoints and outcomes above it belong to this run. */
  readonly previousEpoch: number;
  /** What was recorded; `null`: nothing changed. */
  readonly release: ReleaseEntry | null;
  /** How the application ended before anybody could follow it; `null`: it has not. */
  readonly outcome: OutcomeDocument | null;
}

/** One operation under its lock. */
export interface Running {
  readonly operation: Operation;
  readonly options: OperationOptions;
  /** Epoch of the lock. */
  readonly fence: number;
  readonly startedAt: number;
}

export const stateQuestion = (
  { operation, startedAt }: Pick<Running, 'operation' | 'startedAt'>,
  { plan, returnsTo, spec }: Wanted,
  situation: Situation,
): StateQuestion => ({ ...operation, spec, plan, situation, returnsTo, startedBefore: startedAt });

/** Before the first action: whoever is interrupted leaves it behind. */
export async function recordIntended(
  { fence, operation }: Running,
  { content, plan, spec }: Wanted,
  situation: Situation,
): Promise<ReleaseEntry> {
  const { observed } = situation;
  const { clusterId, provider } = operation;
  const store = provider.record(clusterId);
  await checkFence(store, fence);
  const { version, value } = await readDocument(store, DocumentName.cluster);
  const document: ClusterDocument = {
    protocol: PROTOCOL_VERSION,
    fctlVersion: FCTL_VERSION,
    clusterId,
    mode: spec.mode,
    provider: provider.name,
    engine: operation.engine.name,
    createdAt: value?.createdAt ?? Date.now(),
    retentionMs: spec.retentionMs,
  };
  await store.write(DocumentName.cluster, document, version);
  return recordRelease(store, {
    ...content,
    createdAt: Date.now(),
    afterEpoch: isTakenOver(plan, observed) ? NOT_YET : previousEpochOf(plan, situation),
    by: lockHolder(),
    fctlVersion: FCTL_VERSION,
    status: ReleaseStatus.intended,
    restore: startsApplication(plan, observed) ? plan.restore : restoredFrom(situation),
  });
}

/** A JobManager that stays has the newest epoch itself. */
const previousEpochOf = (plan: Plan, { epoch, observed }: Situation): number =>
  keepsLeader(plan, observed) ? epoch - 1 : epoch;

/** JobManagers that end are followed by others, of which one leads next: not a standby's business. */
const isTakenOver = (plan: Plan, observed: ObservedCluster | null): boolean =>
  replacesJobManager(plan) && !keepsLeader(plan, observed);

/** Processes that are gone, and that a plan does nothing about. */
function goneAndLeft({ actions }: Plan, observed: ObservedCluster | null) {
  const touched = new Set(actions.flatMap((a) => (a.kind === 'none' ? [] : a.process)));
  return (observed?.processes ?? []).filter((p) => !isAlive(p) && !touched.has(p.name));
}

export interface Carried {
  /** Epochs above it belong to this run. */
  readonly previousEpoch: number;
  /** How the application ended before it was healthy, or at the same time; `null`: it has not. */
  readonly outcome: OutcomeDocument | null;
}

/** @param jobsRunMs how long jobs must have run without a failure. */
export async function carryOutAndWait(
  { fence, operation, options }: Running,
  { plan, spec }: Pick<Wanted, 'plan' | 'spec'>,
  situation: Situation,
  { entry, jobsRunMs }: { readonly entry: ReleaseEntry; readonly jobsRunMs: number },
): Promise<Carried> {
  const { provider } = operation;
  const { clusterId } = spec;
  const { observed, releases } = situation;
  let previousEpoch = previousEpochOf(plan, situation);
  await provider.converge(spec, plan, {
    fence,
    signal: options.signal,
    onStep: (action) => options.onEvent({ type: 'action', action }),
    onJobManagersEnded: async () => {
      if (!isTakenOver(plan, observed)) return;
      // Now that they write nothing more: one may have begun to lead after the situation was read.
      previousEpoch = await newestEpoch(provider, clusterId);
      await markEpoch(provider.record(clusterId), entry.number, previousEpoch);
    },
  });
  const isRecordedOnly =
    plan.actions.every((a) => a.kind === 'none') &&
    releases.at(-1)?.status === ReleaseStatus.stable;
  if (isRecordedOnly) return { previousEpoch, outcome: null };
  const left = goneAndLeft(plan, observed);
  const wanted = spec.processes.find((p) => p.role === Role.taskmanager)?.count ?? 0;
  const outcome = await awaitHealthy({
    provider,
    engines: operation.engines,
    clock: operation.clock,
    clusterId,
    previousEpoch,
    taskManagers: wanted - left.filter(({ role }) => role === Role.taskmanager).length,
    leftAlone: new Set(left.map(({ name }) => name)),
    jobsRunMs: spec.mode === 'application' ? jobsRunMs : null,
    timeoutMs: options.healthTimeoutMs,
    signal: options.signal,
    onEvent: options.onEvent,
  });
  return { previousEpoch, outcome };
}

export const hookFacts = (
  { clusterId, provider }: Operation,
  { content, plan, spec }: Wanted,
): HookFacts => ({
  FCTL_CLUSTER: clusterId,
  FCTL_MODE: spec.mode,
  FCTL_PROVIDER: provider.name,
  FCTL_OPERATION: content.cause,
  FCTL_RELEASE: content.release,
  FCTL_PREVIOUS_RELEASE: plan.previousRelease,
  FCTL_REST: null,
  FCTL_ERROR: null,
  FCTL_ROLLED_BACK_TO: null,
});

/** What an error says first. */
export const messageOf = (error: unknown): string =>
  error instanceof FctlError ? error.problems[0]!.message : String(error);
