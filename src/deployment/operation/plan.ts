/**
 * Desired and observed cluster → what would be done, process by process. Pure.
 *
 * N1  A process that runs from an equal spec is left alone: deploying a running release changes nothing.
 * N2  `scale` is one TaskManager more or less of a spec that others run with; it concerns no other process.
 * N3  Where an application has its cluster for itself and a TaskManager that it uses goes away, the
 *     application starts again: its jobs would fail in the middle. All JobManagers do then, for one that
 *     stays would take over meanwhile.
 * N4  What is recorded only, such as `retention`, changes the release and no process.
 * N5  A JobManager that has suspended its jobs runs nothing any more: it starts again from whatever spec.
 */
import { type ReleaseEntry, ReleaseStatus } from '../../record/documents.ts';
import { differences, flatten } from '../../contract/diff-values.ts';
import type { JsonObject } from '../../contract/json.ts';
import { type Action, ActionKind, type Plan } from '../../contract/plan.ts';
import { type ClusterSpec, type ProcessSpec, Role } from '../../contract/process-spec.ts';
import type { Engine } from '../../engines/engine.ts';
import { type ObservedCluster, type ObservedProcess, isAlive } from '../../providers/provider.ts';
import { jobManagersOf } from '../../providers/shared/job-managers.ts';
import { describeExit } from '../../providers/shared/describe-exit.ts';

/** What is known beside the processes. */
export interface PlanContext {
  /** The release that was recorded last. */
  readonly current: ReleaseEntry | null;
  /** With secrets masked. */
  readonly config: JsonObject;
  /** The JobManager that leads, by the record; `null`: nobody knows. */
  readonly leader: string | null;
  /** TaskManagers that are known to run no task. */
  readonly idle: ReadonlySet<string>;
  /** The JobManager that leads has suspended its jobs. */
  readonly isSuspended: boolean;
}

/** The cluster's engine, which tells its specs apart. */
type Comparing = Pick<Engine, 'explain'>;

const nothingKnown: PlanContext = {
  current: null,
  config: {},
  leader: null,
  idle: new Set(),
  isSuspended: false,
};

export function planCluster(
  desired: ClusterSpec,
  observed: ObservedCluster | null,
  engine: Comparing,
  context: PlanContext = nothingKnown,
): Plan {
  const there = new Map((observed?.processes ?? []).map((p) => [p.name, p]));
  const known = { there, engine };
  const wanted = desired.processes.flatMap((spec) =>
    Array.from({ length: spec.count }, (_, index) => ({ name: nameOf(spec, index), index, spec })),
  );
  const names = new Set(wanted.map((w) => w.name));
  const surplus = [...there.values()].filter((p) => !names.has(p.name));
  const actions = [
    ...surplus.map((process) => removal(process, desired, known)),
    ...wanted
      .toSorted((a, b) => rank(a.spec.role) - rank(b.spec.role))
      .map((w) => actionFor(w, there.get(w.name), known)),
  ];
  return completePlan(desired, observed, actions, context);
}

/** Adds what follows from the actions of all processes. */
function completePlan(
  desired: ClusterSpec,
  observed: ObservedCluster | null,
  given: readonly Action[],
  { config, current, idle, isSuspended, leader }: PlanContext,
): Plan {
  const resumed = isSuspended ? startAgain(given, desired, 'its jobs are suspended', []) : given; // N5
  const actions =
    desired.mode === 'session' ? given : withApplication(resumed, observed, idle, desired);
  const isRecorded =
    current === null ||
    (current.release === desired.release && current.status === ReleaseStatus.stable);
  return {
    clusterId: desired.clusterId,
    release: desired.release,
    previousRelease: current?.release ?? null,
    leader,
    actions,
    config: current === null ? [] : diffConfigs(current.config, config),
    changes: !isRecorded || actions.some((a) => a.kind !== ActionKind.none),
    restartsApplication: endsLeader(actions, observed, leader),
    restore: [],
    stateLoss: [],
  };
}

/** The actions that end a process which runs now. */
export function endedBy(
  actions: readonly Action[],
  observed: ObservedCluster | null,
): readonly Action[] {
  const running = new Set(
    (observed?.processes ?? []).filter((p) => p.status === 'running').map((p) => p.name),
  );
  return actions.filter((a) => a.kind !== ActionKind.none && running.has(a.process));
}

/** Where the one that leads does not run, or nobody knows which one does, each that runs may lead next. */
function endsLeader(
  actions: readonly Action[],
  observed: ObservedCluster | null,
  leader: string | null,
): boolean {
  const ended = endedBy(actions, observed).filter((a) => a.role === Role.jobmanager);
  const isKnown = jobManagersOf(observed).some((p) => p.name === leader && p.status === 'running');
  return isKnown ? ended.some((a) => a.process === leader) : ended.length > 0;
}

/** Whether the JobManager that leads goes on. */
export const keepsLeader = (
  { restartsApplication }: Plan,
  observed: ObservedCluster | null,
): boolean =>
  !restartsApplication && jobManagersOf(observed).some(({ status }) => status === 'running');

/** N3 */
function withApplication(
  actions: readonly Action[],
  observed: ObservedCluster | null,
  idle: ReadonlySet<string>,
  desired: ClusterSpec,
): readonly Action[] {
  const gone = endedBy(actions, observed).filter(
    (a) => a.role === Role.taskmanager && !idle.has(a.process),
  );
  if (gone.length === 0) return actions;
  const others = gone.length === 1 ? '' : ` and ${gone.length - 1} more`;
  const reason = `its application starts again, for ${gone[0]!.process}${others} goes away`;
  return startAgain(actions, desired, reason, [...new Set(gone.flatMap((a) => a.causes))]);
}

/** All JobManagers that would be left alone. */
function startAgain(
  actions: readonly Action[],
  desired: ClusterSpec,
  reason: string,
  causes: readonly string[],
): readonly Action[] {
  const spec = desired.processes.find(({ role }) => role === Role.jobmanager);
  if (spec === undefined) return actions;
  return actions.map((action) =>
    action.role === Role.jobmanager && action.kind === ActionKind.none
      ? { ...action, kind: ActionKind.restart, reason, causes, endsProcess: true, spec }
      : action,
  );
}

/** In the user's words; masked values say nothing. */
const diffConfigs = (before: JsonObject, after: JsonObject): string[] =>
  differences(flatten(before, '', new Map()), flatten(after, '', new Map()));

const nameOf = ({ role }: ProcessSpec, index: number) => `${role}-${index}`;

const lastExit = (process: ObservedProcess) => {
  const how = describeExit(process);
  return how === null ? '' : ` (${how})`;
};

const rank = (role: Role) => (role === Role.jobmanager ? 0 : 1);

interface Known {
  readonly there: ReadonlyMap<string, ObservedProcess>;
  readonly engine: Comparing;
}

const isEqual = ({ spec }: ObservedProcess, wanted: ProcessSpec, engine: Comparing) =>
  spec !== null && engine.explain(spec, wanted).length === 0;

/** N2 */
function scaling(
  spec: ProcessSpec,
  { engine, there }: Known,
): { reason: string; cause: string } | null {
  const peers = [...there.values()].filter((p) => p.role === spec.role);
  const isRun = peers.some((p) => isAlive(p) && isEqual(p, spec, engine));
  if (spec.role !== Role.taskmanager || !isRun) return null;
  const cause = `taskmanager.replicas: ${peers.length} → ${spec.count}`;
  return { reason: cause, cause };
}

function removal(process: ObservedProcess, desired: ClusterSpec, known: Known): Action {
  const { name, role, index } = process;
  const spec = desired.processes.find((p) => p.role === role);
  const scaled =
    spec !== undefined && isAlive(process) && isEqual(process, spec, known.engine)
      ? scaling(spec, known)
      : null;
  return {
    kind: scaled === null ? ActionKind.delete : ActionKind.scale,
    process: name,
    role,
    index,
    reason: scaled?.reason ?? `${role}.replicas no longer includes it`,
    causes: [scaled?.cause ?? `${role}.replicas`],
    endsProcess: isAlive(process),
    spec: null,
  };
}

function actionFor(
  wanted: { name: string; index: number; spec: ProcessSpec },
  process: ObservedProcess | undefined,
  known: Known,
): Action {
  const { name, index, spec } = wanted;
  const because = (kind: ActionKind, reason: string, causes: readonly string[] = []): Action => ({
    kind,
    process: name,
    role: spec.role,
    index,
    reason,
    causes,
    endsProcess: kind !== ActionKind.none && process !== undefined && isAlive(process),
    spec: kind === ActionKind.none ? null : spec,
  });
  if (process === undefined) {
    const scaled = scaling(spec, known);
    return scaled === null
      ? because(ActionKind.create, 'not there yet')
      : because(ActionKind.scale, scaled.reason, [scaled.cause]);
  }
  if (process.misplaced !== null)
    return because(ActionKind.replace, process.misplaced, ['providers']);
  if (process.status === 'restarting') {
    return because(ActionKind.restart, `crashed${lastExit(process)} and waits to be started again`);
  }
  if (process.status === 'exited') return because(ActionKind.create, 'the last run has ended');
  if (process.status === 'lost') {
    return because(
      ActionKind.create,
      `${process.location} is gone without having been ended${lastExit(process)}`,
    );
  }
  const causes = process.spec
    ? known.engine.explain(process.spec, spec)
    : ['its spec is not known any more'];
  if (causes.length === 0) {
    const suspended = process.suspended ? ', but does nothing until it is continued' : '';
    return because(ActionKind.none, `runs as wanted${suspended}`); // N1
  }
  return because(ActionKind.replace, `changed: ${causes.join(', ')}`, causes);
}

/**
 * Ends and starts processes of a cluster as they are.
 * @param names those that were chosen.
 */
export function planRestart(
  desired: ClusterSpec,
  observed: ObservedCluster,
  names: ReadonlySet<string>,
  context: PlanContext,
): Plan {
  const actions = observed.processes
    .toSorted((a, b) => rank(a.role) - rank(b.role) || a.index - b.index)
    .map((process): Action => {
      const { index, name, role, spec } = process;
      const isChosen = names.has(name);
      return {
        kind: isChosen ? ActionKind.restart : ActionKind.none,
        process: name,
        role,
        index,
        reason: isChosen ? 'asked for' : 'not asked for',
        causes: [],
        endsProcess: isChosen && isAlive(process),
        spec: isChosen ? spec : null,
      };
    });
  return completePlan(desired, observed, actions, context);
}

/** Ends whatever there is of a cluster, and starts nothing. */
export function planRemoval(
  desired: ClusterSpec,
  observed: ObservedCluster | null,
  reason: string,
): Plan {
  const actions = (observed?.processes ?? []).map((process): Action => ({
    kind: ActionKind.delete,
    process: process.name,
    role: process.role,
    index: process.index,
    reason,
    causes: [],
    endsProcess: isAlive(process),
    spec: null,
  }));
  return completePlan(desired, observed, actions, nothingKnown);
}

/** Whether a JobManager starts that leads next: none that runs goes on leading. */
export const startsApplication = (plan: Plan, observed: ObservedCluster | null): boolean =>
  !keepsLeader(plan, observed) &&
  plan.actions.some((a) => a.role === Role.jobmanager && a.spec !== null);

/** Whether JobManagers that run, or are about to be started again, are ended and followed by others. */
export const replacesJobManager = ({ actions }: Plan): boolean =>
  actions.some((a) => a.role === Role.jobmanager && a.spec !== null && a.endsProcess);
