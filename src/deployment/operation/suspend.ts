/**
 * What has to be true before a process is ended: what others will run from is there, and the jobs that they
 * go on with are suspended.
 *
 * U1  The record names the folder of each job before a job is suspended, and has its path before anything is
 *     ended: whoever goes on for a client that died finds there what that one has done.
 * U2  A trigger follows from the folder, which is named after release and job: asked for again, by whichever
 *     client, it is the same.
 * U3  Artifacts are shipped first: no job stands still while somebody uploads.
 */
import { sha256 } from '../../contract/hash.ts';
import { DeploymentError, problem } from '../../contract/errors.ts';
import { type KnownRestore, type RestoreEntry, isKnown } from '../../contract/restore.ts';
import { Role } from '../../contract/process-spec.ts';
import type { StateSupport } from '../../engines/engine.ts';
import type { ReleaseEntry } from '../../record/documents.ts';
import { checkFence } from '../../record/fence.ts';
import { markRestore } from '../releases.ts';
import { withState } from './restore.ts';
import { ship } from './ship.ts';
import type { Situation } from './situation.ts';
import { type Running, type Wanted, messageOf, stateQuestion } from './stages.ts';

/**
 * Ships artifacts, and suspends those jobs that the plan says have to be.
 * @returns what is wanted, with a JobManager whose jobs begin from what theirs left.
 */
export async function prepare(
  running: Running,
  wanted: Wanted,
  situation: Situation,
  entry: ReleaseEntry,
): Promise<Wanted> {
  const { engine, provider } = running.operation;
  await ship(provider, wanted.spec, running.options); // U3
  const { state } = engine;
  if (state === null) return wanted;
  const restore = entry.restore ?? [];
  const known = restore.every(isKnown)
    ? restore
    : await suspendJobs(running, wanted, situation, entry);
  if (wanted.plan.restore.length > 0)
    running.options.onEvent({ type: 'restoring', restore: known });
  return startingFrom(wanted, state, known);
}

/** Suspends, and records what the jobs have left (U1). */
async function suspendJobs(
  running: Running,
  wanted: Wanted,
  situation: Situation,
  { number, restore = [] }: ReleaseEntry,
): Promise<readonly KnownRestore[]> {
  const { engine, provider } = running.operation;
  const known = await suspend(running, engine.state!, restore).catch(async (error: unknown) => {
    if (running.options.signal.aborted || !running.options.allowStateLoss) throw error;
    running.options.onEvent({ type: 'not-suspended', reason: messageOf(error) });
    const crashed = { ...situation, jobsRun: false };
    return (await withState(stateQuestion(running, wanted, crashed))).restore.filter(isKnown);
  });
  const store = provider.record(wanted.spec.clusterId);
  await checkFence(store, running.fence);
  await markRestore(store, number, known);
  return known;
}

async function suspend(
  { operation, options }: Running,
  state: StateSupport,
  restore: readonly RestoreEntry[],
): Promise<readonly KnownRestore[]> {
  const { clusterId, provider } = operation;
  const jobs = restore.filter((each) => !isKnown(each));
  options.onEvent({ type: 'suspending', jobs: jobs.map(({ name }) => name) });
  const jobManager = await provider.connect(clusterId, options);
  if (jobManager === null) {
    throw notSuspended(
      `the JobManager of ${clusterId} is not reached, so its jobs cannot be suspended`,
    );
  }
  const triggers = jobs.map(({ directory, jobId }) => ({
    jobId,
    directory,
    triggerId: sha256(directory).slice(0, 32), // U2
  }));
  await state.suspend(jobManager, triggers, options);
  return Promise.all(
    restore.map(async (each) => {
      const path = each.path ?? (await state.find(each.directory, options));
      if (path !== null) return { ...each, path };
      throw notSuspended(`job '${each.name}' is suspended, but left nothing in ${each.directory}`);
    }),
  );
}

const notSuspended = (message: string) =>
  new DeploymentError(problem({ code: 'not-suspended', message }));

/** All of them say so, those too that go on: a template is the same for all. */
function startingFrom(
  wanted: Wanted,
  state: StateSupport,
  restore: readonly KnownRestore[],
): Wanted {
  const { plan, spec } = wanted;
  const processes = spec.processes.map((process) =>
    process.role === Role.jobmanager ? state.startFrom(process, restore) : process,
  );
  const actions = plan.actions.map((action) =>
    action.role === Role.jobmanager && action.spec !== null
      ? { ...action, spec: state.startFrom(action.spec, restore) }
      : action,
  );
  const told = plan.restore.length === 0 ? plan.restore : restore;
  return { ...wanted, spec: { ...spec, processes }, plan: { ...plan, actions, restore: told } };
}
