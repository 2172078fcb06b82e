/** Whatever runs and whatever is wanted: carrying out a plan gives what is wanted, and then all is done. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ReleaseEntry, ReleaseStatus } from '../../../src/record/documents.ts';
import { type ClusterSpec, type ProcessSpec, Role } from '../../../src/contract/process-spec.ts';
import { isDeepStrictEqual } from 'node:util';
import { type PlanContext, planCluster, stepsOf } from '../../../src/deployment/operation/plan.ts';
import type { Action, ObservedCluster, ObservedProcess } from '../../../src/providers/provider.ts';

type Mode = ClusterSpec['mode'];

/** As an engine would: a spec of a role is known by its environment. */
const explain = (before: ProcessSpec, after: ProcessSpec): readonly string[] =>
  isDeepStrictEqual(before.environment, after.environment) ? [] : ['VERSION'];

function processSpec(role: Role, count: number, version: number, mode: Mode): ProcessSpec {
  return {
    role,
    count,
    command: ['node', `${role}.js`],
    environment: { VERSION: String(version) },
    files: [],
    resources: { cpu: 1, memoryBytes: 1 },
    ports: [],
    secrets: [],
    readiness: null,
    stop: { signal: 'SIGTERM', gracePeriodMs: 1 },
    labels: {
      'fctl.dev/cluster': 'demo',
      'fctl.dev/release': `r${version}`,
      'fctl.dev/role': role,
      'fctl.dev/mode': mode,
    },
  };
}

const mode = fc.constantFrom<Mode>('application', 'session', 'per-job');
const version = fc.integer({ min: 1, max: 3 });

const desired = fc
  .record({ mode, replicas: fc.integer({ min: 1, max: 5 }), master: version, worker: version })
  .map(({ master, mode: m, replicas, worker }): ClusterSpec => ({
    clusterId: 'demo',
    release: `r-${master}-${worker}-${replicas}`,
    mode: m,
    transient: m === 'per-job',
    processes: [
      processSpec(Role.jobmanager, 1, master, m),
      processSpec(Role.taskmanager, replicas, worker, m),
    ],
    artifacts: [],
    clientDir: '/',
    secrets: {},
  }));

const process = (role: Role, index: number): fc.Arbitrary<ObservedProcess> =>
  fc
    .record({
      status: fc.constantFrom('running', 'running', 'pending', 'restarting', 'exited', 'lost'),
      version,
      misplaced: fc.constantFrom(null, null, null, 'its host left the config'),
      isKnown: fc.constantFrom(true, true, true, false),
    })
    .map(({ isKnown, misplaced, status, version: v }) => ({
      name: `${role}-${index}`,
      role,
      index,
      release: 'r',
      status: status as ObservedProcess['status'],
      reason: null,
      location: 'pid 1',
      host: null,
      misplaced,
      startedAt: 0,
      restarts: 0,
      exitCode: null,
      spec: isKnown ? processSpec(role, 1, v, 'application') : null,
    }));

const observed: fc.Arbitrary<ObservedCluster | null> = fc.option(
  fc
    .tuple(
      fc.array(process(Role.jobmanager, 0), { maxLength: 1 }),
      fc
        .uniqueArray(fc.integer({ min: 0, max: 6 }), { maxLength: 5 })
        .chain((indexes) => fc.tuple(...indexes.map((i) => process(Role.taskmanager, i)))),
    )
    .map(([masters, workers]) => ({ clusterId: 'demo', processes: [...masters, ...workers] })),
);

/** What a provider does with one action. */
function applyTo(state: Map<string, ObservedProcess>, action: Action): void {
  if (action.kind === 'none') return;
  if (action.spec === null) return void state.delete(action.process);
  state.set(action.process, {
    name: action.process,
    role: action.role,
    index: action.index,
    release: action.spec.labels['fctl.dev/release'],
    status: 'running',
    reason: null,
    location: 'pid 2',
    host: null,
    misplaced: null,
    startedAt: 1,
    restarts: 0,
    exitCode: null,
    spec: action.spec,
  });
}

const stable = (release: string) =>
  ({ release, status: ReleaseStatus.stable, config: {} }) as unknown as ReleaseEntry;

const idleOf = (cluster: ObservedCluster | null, bits: number): ReadonlySet<string> =>
  new Set((cluster?.processes ?? []).filter((p) => (bits >> p.index) % 2 === 1).map((p) => p.name));

it('gives what is wanted, and nothing is left to do', () => {
  fc.assert(
    fc.property(desired, observed, fc.nat(127), (wanted, before, bits) => {
      const context: PlanContext = { current: null, config: {}, idle: idleOf(before, bits) };
      const plan = planCluster(wanted, before, { explain }, context);
      const state = new Map((before?.processes ?? []).map((p) => [p.name, p]));
      for (const step of stepsOf(plan, before)) applyTo(state, step);
      const names = wanted.processes.flatMap((p) =>
        Array.from({ length: p.count }, (_, i) => `${p.role}-${i}`),
      );
      expect([...state.keys()].sort()).toEqual(names.sort());
      for (const { role, spec, status } of state.values()) {
        expect(['pending', 'running']).toContain(status);
        expect(
          explain(
            spec!,
            wanted.processes.find((p) => p.role === role)!,
          ),
        ).toEqual([]);
      }
      const after = { clusterId: 'demo', processes: [...state.values()] };
      const again = planCluster(
        wanted,
        after,
        { explain },
        {
          ...context,
          current: stable(wanted.release),
        },
      );
      expect(again.changes).toBe(false);
      expect(again.actions.every((a) => a.kind === 'none')).toBe(true);
    }),
  );
});

it('leaves alone whom it need not touch, and says why of all others', () => {
  fc.assert(
    fc.property(desired, observed, (wanted, before) => {
      const plan = planCluster(
        wanted,
        before,
        { explain },
        {
          current: null,
          config: {},
          idle: new Set(),
        },
      );
      for (const action of plan.actions) {
        expect(action.reason).not.toBe('');
        const there = before?.processes.find((p) => p.name === action.process);
        const spec = wanted.processes.find((p) => p.role === action.role);
        const isAsWanted =
          there?.status === 'running' &&
          there.misplaced === null &&
          there.spec !== null &&
          spec !== undefined &&
          action.index < spec.count &&
          explain(there.spec, spec).length === 0;
        const isMaster = action.role === Role.jobmanager && wanted.mode !== 'session';
        if (isAsWanted && !isMaster) expect(action.kind).toBe('none');
        if (action.kind === 'scale') expect(action.role).toBe(Role.taskmanager);
      }
    }),
  );
});

it('never starts a JobManager before the TaskManagers that are about to go are gone', () => {
  fc.assert(
    fc.property(desired, observed, fc.nat(127), (wanted, before, bits) => {
      const context: PlanContext = { current: null, config: {}, idle: idleOf(before, bits) };
      const steps = stepsOf(planCluster(wanted, before, { explain }, context), before);
      const start = steps.findIndex((s) => s.role === Role.jobmanager && s.spec !== null);
      if (start < 0) return;
      const running = new Set(
        (before?.processes ?? []).filter((p) => p.status === 'running').map((p) => p.name),
      );
      for (const later of steps.slice(start + 1)) expect(running.has(later.process)).toBe(false);
    }),
  );
});
