/**
 * Desired and observed cluster → what would be done, process by process. Pure.
 *
 * N1  A process that runs from an equal spec is left alone: deploying a running release changes nothing.
 * N2  `scale` is one TaskManager more or less of a spec that others run with; it concerns no other process.
 * N3  Where an application has its cluster for itself and a TaskManager that it uses goes away, the
 *     JobManager starts the application again: else its jobs would fail in the middle.
 * N4  What is recorded only, such as `retention`, changes the release and no process.
 */
import { type ReleaseEntry, ReleaseStatus } from '../../record/documents.ts';
import { differences, flatten } from '../../contract/diff-values.ts';
import type { JsonObject } from '../../contract/json.ts';
import { type ClusterSpec, type ProcessSpec, Role } from '../../contract/process-spec.ts';
import type { Engine } from '../../engines/engine.ts';
import {
  type Action,
  ActionKind,
  type ObservedCluster,
  type ObservedProcess,
  isAlive,
} from '../../providers/provider.ts';
import { describeExit } from '../../providers/shared/describe-exit.ts';

export interface Plan {
  readonly clusterId: string;
  readonly release: string;
  /** The one that was recorded last; `null`: none. */
  readonly previousRelease: string | null;
  /** One for each process: deletions, the JobManager, TaskManagers. */
  readonly actions: readonly Action[];
  /** Keys of the config that differ from those of the previous release, with both values. */
  readonly config: readonly string[];
  /** Whether a deployment would change anything, be it in the cluster's record alone (N4). */
  readonly changes: boolean;
  /** Whether a running JobManager would be ended: its application starts again. */
  readonly restartsApplication: boolean;
}

/** What is known beside the processes. */
export interface PlanContext {
  /** The release that was recorded last. */
  readonly current: ReleaseEntry | null;
  /** With secrets masked. */
  readonly config: JsonObject;
  /** TaskManagers that are known to run no task. */
  readonly idle: ReadonlySet<string>;
}

/** The cluster's engine, which tells its specs apart. */
type Comparing = Pick<Engine, 'explain'>;

const nothingKnown: PlanContext = { current: null, config: {}, idle: new Set() };

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
  { config, current, idle }: PlanContext,
): Plan {
  const actions =
    desired.mode === 'session' ? given : withApplication(given, observed, idle, desired);
  const isRecorded =
    current === null ||
    (current.release === desired.release && current.status === ReleaseStatus.stable);
  return {
    clusterId: desired.clusterId,
    release: desired.release,
    previousRelease: current?.release ?? null,
    actions,
    config: current === null ? [] : diffConfigs(current.config, config),
    changes: !isRecorded || actions.some((a) => a.kind !== ActionKind.none),
    restartsApplication: endedBy(actions, observed).some((a) => a.role === Role.jobmanager),
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
  const spec = desired.processes.find(({ role }) => role === Role.jobmanager);
  if (gone.length === 0 || spec === undefined) return actions;
  const others = gone.length === 1 ? '' : ` and ${gone.length - 1} more`;
  return actions.map((action) =>
    action.role === Role.jobmanager && action.kind === ActionKind.none
      ? {
          ...action,
          kind: ActionKind.restart,
          reason: `its application starts again, for ${gone[0]!.process}${others} goes away`,
          causes: [...new Set(gone.flatMap((a) => a.causes))],
          spec,
        }
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
  if (causes.length === 0) return because(ActionKind.none, 'runs as wanted'); // N1
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
    .map(({ index, name, role, spec }): Action => {
      const isChosen = names.has(name);
      return {
        kind: isChosen ? ActionKind.restart : ActionKind.none,
        process: name,
        role,
        index,
        reason: isChosen ? 'asked for' : 'not asked for',
        causes: [],
        spec: isChosen ? spec : null,
      };
    });
  return completePlan(desired, observed, actions, context);
}

/** Whether a JobManager that runs, or is about to be started again, is ended and followed by another. */
export function replacesJobManager(plan: Plan, observed: ObservedCluster | null): boolean {
  const master = plan.actions.find((a) => a.role === Role.jobmanager && a.spec !== null);
  const there = observed?.processes.find((p) => p.name === master?.process);
  return master !== undefined && there !== undefined && isAlive(there);
}

/**
 * The order in which a plan is carried out: what `apply` is given, one after the other.
 *
 * A JobManager that another one follows is ended first, so that everything that it has written is in the
 * record before the next one begins. TaskManagers that go away or are replaced do so before the next one
 * starts: no task is deployed to one that is about to go. Else deletions come first, then the JobManager,
 * then TaskManagers.
 */
export function stepsOf(plan: Plan, observed: ObservedCluster | null): readonly Action[] {
  const todo = plan.actions.filter((a) => a.kind !== ActionKind.none);
  const ended = new Set(endedBy(todo, observed).map((a) => a.process));
  const master = todo.find((a) => a.role === Role.jobmanager);
  if (master === undefined || master.spec === null) return todo;
  const going = todo.filter((a) => a.role === Role.taskmanager && ended.has(a.process));
  const coming = todo.filter((a) => a !== master && !going.includes(a));
  const stop: Action = { ...master, kind: ActionKind.delete, spec: null };
  if (replacesJobManager(plan, observed)) return [stop, ...going, master, ...coming];
  return going.length === 0 ? todo : [...going, master, ...coming];
}
