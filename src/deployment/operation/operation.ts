/**
 * Everything that changes the processes of a cluster (deploy, rollback, scale, restart) takes this way:
 *
 *     lock ▸ plan ▸ would state be lost? ▸ pre-deploy hook ▸ record the intended release ▸
 *     ship artifacts ▸ suspend jobs ▸ apply ▸ health gate ▸ post-deploy hook ▸ mark the release stable ▸
 *     remove artifacts that nothing needs
 *
 * Y1  Nothing is changed before the lock is held and everything that can be refused was.
 * Y2  The intended release is recorded before the first action; whatever interrupts the operation, the
 *     next one plans from what it observes and goes on.
 * Y3  A first deployment that fails leaves no process running; record and logs stay to tell why.
 * Y4  What is carried out is the plan that was made under the lock from what was observed then.
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { ApplicationStatus } from '../../contract/outcome.ts';
import {
  DocumentName,
  type OutcomeDocument,
  PROTOCOL_VERSION,
  ReleaseStatus,
} from '../../record/documents.ts';
import { ClusterError, DeploymentError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { checkFence } from '../../record/fence.ts';
import { readDocument } from '../../record/record.ts';
import { FCTL_VERSION } from '../../contract/version.ts';
import type { Provider } from '../../providers/provider.ts';
import { beginAudit } from '../audit.ts';
import { removeUnneeded } from './artifacts.ts';
import { failOperation } from './failure.ts';
import { runHook } from '../hooks.ts';
import { acquireLock } from '../../record/lock.ts';
import { planData } from './plan-data.ts';
import { markRelease } from '../releases.ts';
import { withState } from './restore.ts';
import { type Situation, isRunning, readSituation } from './situation.ts';
import {
  type Operation,
  type OperationOptions,
  type OperationResult,
  type Running,
  type Wanted,
  carryOutAndWait,
  hookFacts,
  recordIntended,
  stateQuestion,
} from './stages.ts';
import { refuseStateLoss } from './state-loss.ts';
import { prepare } from './suspend.ts';

/** The jobs of an upgraded application must run this long before it counts as healthy. */
const upgradedJobsRunMs = 2000;

/**
 * @param action for the lock and the audit log: `deploy`.
 * @param release what it is about, where that is known before.
 * @throws ClusterError (locked, newer protocol, state would be lost), DeploymentError (a hook or the
 *   health gate failed).
 */
export async function performOperation(
  operation: Operation,
  action: string,
  release: string | null,
  options: OperationOptions,
): Promise<OperationResult> {
  const { clusterId, provider } = operation;
  await refuseNewerProtocol(provider, clusterId);
  const store = provider.record(clusterId);
  const about = release === null ? '' : ` release ${release}`;
  const lock = await acquireLock(store, `${action}${about}`, {
    waitMs: options.lockWaitMs,
    signal: options.signal,
    taker: { clock: operation.clock },
    onWait: ({ holder, message }) => options.onEvent({ type: 'waiting-for-lock', holder, message }),
  });
  const signal = AbortSignal.any([options.signal, lock.lost]);
  const running = {
    operation,
    options: { ...options, signal },
    fence: lock.epoch,
    startedAt: Date.now(),
  };
  try {
    return await perform(running, action);
  } finally {
    await lock.release(); // never rejects: what the operation says is what is told
  }
}

async function perform(running: Running, action: string): Promise<OperationResult> {
  const { clusterId, provider } = running.operation;
  const situation = await readSituation(running.operation, clusterId);
  const found = await running.operation.want(situation); // Y4
  if (!found.plan.changes) {
    const { plan } = found;
    return { plan, previousEpoch: situation.epoch - 1, release: null, outcome: null };
  }
  const plan = await withState(stateQuestion(running, found, situation));
  const wanted = { ...found, plan };
  const { redactor, signal } = running.options;
  const store = provider.record(clusterId);
  const entry = await beginAudit(store, action, plan.release, redactor);
  try {
    const result = await change(running, wanted, situation);
    const isFailed = result.outcome?.status === ApplicationStatus.failed;
    if (isFailed) await entry.end('failed', 'the application failed at once');
    else await entry.end('succeeded', null);
    return result;
  } catch (error) {
    await entry.failed(error, signal);
    throw error;
  }
}

/** Y1 */
async function change(
  running: Running,
  wanted: Wanted,
  situation: Situation,
): Promise<OperationResult> {
  const { operation, options } = running;
  const { provider } = operation;
  const { plan, spec } = wanted;
  if (!options.allowStateLoss) refuseStateLoss(plan);
  const facts = hookFacts(operation, wanted);
  const hooks = { ...options, hooks: operation.hooks, plan: planData(plan) };
  await runHook('pre-deploy', facts, hooks);
  const entry = await recordIntended(running, wanted, situation);
  try {
    const ready = await prepare(running, wanted, situation, entry);
    const carried = await carryOutAndWait(running, ready, situation, {
      entry,
      jobsRunMs: isRunning(situation) || options.rollbackOnFailure ? upgradedJobsRunMs : 0,
    });
    const { outcome, previousEpoch } = carried;
    if (outcome?.status === ApplicationStatus.failed) {
      const isUpgrade = isRunning(situation) || options.rollbackOnFailure;
      if (isUpgrade) throw applicationFailed(plan.clusterId, outcome);
      await failOperation(running, { wanted, situation, entry, error: null }); // its own outcome tells why
      return { plan: ready.plan, previousEpoch, release: entry, outcome };
    }
    const rest = (await provider.connect(plan.clusterId, options))?.url ?? null;
    await runHook('post-deploy', { ...facts, FCTL_REST: rest }, hooks);
    const store = provider.record(plan.clusterId);
    await checkFence(store, running.fence);
    await markRelease(store, entry.number, ReleaseStatus.stable);
    const left = situation.releases.at(-1);
    const isRolledBack = entry.cause === 'rollback' && left?.status === ReleaseStatus.stable;
    if (isRolledBack && left.release !== entry.release) {
      await markRelease(store, left.number, ReleaseStatus.rolledBack);
    }
    await removeUnneeded(provider, spec, options);
    return {
      plan: ready.plan,
      previousEpoch,
      release: { ...entry, status: ReleaseStatus.stable },
      outcome,
    };
  } catch (error) {
    if (options.signal.aborted) throw error;
    throw await failOperation(running, { wanted, situation, entry, error });
  }
}

function applicationFailed(clusterId: ClusterId, { error }: OutcomeDocument): DeploymentError {
  const task = error?.task ? ` (${error.task})` : '';
  return new DeploymentError(
    problem({
      code: 'application-failed',
      message: `the application of ${clusterId} failed at once: ${error?.message ?? 'nobody knows why'}${task}`,
      hint: error?.stack ?? null,
    }),
  );
}

/** An older fctl does not change a newer cluster. */
export async function refuseNewerProtocol(provider: Provider, clusterId: ClusterId): Promise<void> {
  const { value } = await readDocument(provider.record(clusterId), DocumentName.cluster);
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
