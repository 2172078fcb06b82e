/**
 * Desired and observed cluster → ordered actions. Pure.
 *
 * N1  A process that runs from an equal spec is left alone: deploying a running release changes nothing.
 * N2  Deletions come first, then the JobManager, then TaskManagers.
 */
import { type ClusterSpec, type ProcessSpec, Role } from '../contract/process-spec.ts';
import {
  type Action,
  ActionKind,
  type ObservedCluster,
  type ObservedProcess,
} from '../providers/provider.ts';
import { describeExit } from '../providers/describe-exit.ts';
import { diffSpecs } from './diff-specs.ts';

export interface Plan {
  readonly clusterId: string;
  readonly release: string;
  readonly actions: readonly Action[];
  /** Whether anything would change. */
  readonly changes: boolean;
  /** Whether a running JobManager would be replaced: its application starts again from nothing. */
  readonly restartsApplication: boolean;
}

export function planCluster(desired: ClusterSpec, observed: ObservedCluster | null): Plan {
  const there = new Map((observed?.processes ?? []).map((p) => [p.name, p]));
  const wanted = desired.processes.flatMap((spec) =>
    Array.from({ length: spec.count }, (_, index) => ({
      name: `${spec.role}-${index}`,
      index,
      spec,
    })),
  );
  const names = new Set(wanted.map((w) => w.name));
  const surplus = [...there.values()].filter((p) => !names.has(p.name)).map(deletion);
  const kept = wanted
    .sort((a, b) => rank(a.spec.role) - rank(b.spec.role))
    .map((w) => actionFor(w, there.get(w.name)));
  const actions = [...surplus, ...kept]; // N2
  return {
    clusterId: desired.clusterId,
    release: desired.release,
    actions,
    changes: actions.some((a) => a.kind !== ActionKind.none),
    restartsApplication: actions.some(
      (a) => a.role === Role.jobmanager && a.kind === ActionKind.replace,
    ),
  };
}

const lastExit = ({ exitCode }: ObservedProcess) =>
  exitCode === null ? '' : ` (${describeExit(exitCode)})`;

const rank = (role: Role) => (role === Role.jobmanager ? 0 : 1);

function deletion(process: ObservedProcess): Action {
  const { name, role, index } = process;
  const reason = `${role}.replicas no longer includes it`;
  return {
    kind: ActionKind.delete,
    process: name,
    role,
    index,
    reason,
    causes: [`${role}.replicas`],
    spec: null,
  };
}

function actionFor(
  wanted: { name: string; index: number; spec: ProcessSpec },
  process: ObservedProcess | undefined,
): Action {
  const { name, index, spec } = wanted;
  const base = { process: name, role: spec.role, index };
  const because = (kind: ActionKind, reason: string, causes: readonly string[] = []): Action => ({
    ...base,
    kind,
    reason,
    causes,
    spec: kind === ActionKind.none ? null : spec,
  });
  if (process === undefined) return because(ActionKind.create, 'not there yet');
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
  const causes = process.spec ? diffSpecs(process.spec, spec) : ['its spec is not known any more'];
  if (causes.length === 0) return because(ActionKind.none, 'runs as wanted'); // N1
  return because(ActionKind.replace, `changed: ${causes.join(', ')}`, causes);
}
