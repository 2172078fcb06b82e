/** Whatever runs and whatever is wanted: carrying out a plan gives what is wanted, and then all is done. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ReleaseEntry, ReleaseStatus } from '../../../src/record/documents.ts';
import { type ClusterSpec, type ProcessSpec, Role } from '../../../src/contract/process-spec.ts';
import { isDeepStrictEqual } from 'node:util';
import { demo } from '../../demo.ts';
import {
  type PlanContext,
  keepsLeader,
  planCluster,
} from '../../../src/deployment/operation/plan.ts';
import type { Action, Plan } from '../../../src/contract/plan.ts';
import {
  type ObservedCluster,
  type ObservedProcess,
  isAlive,
} from '../../../src/providers/provider.ts';
import { carryOut } from '../../../src/providers/shared/imperative.ts';

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
  .record({
    mode,
    masters: fc.integer({ min: 1, max: 3 }),
    replicas: fc.integer({ min: 1, max: 5 }),
    master: version,
    worker: version,
  })
  .map(({ master, masters, mode: m, replicas, worker }): ClusterSpec => ({
    clusterId: demo,
    release: `r-${master}-${worker}-${replicas}`,
    mode: m,
    transient: m === 'per-job',
    runtime: { kind: 'fctl' },
    retentionMs: 0,
    processes: [
      processSpec(Role.jobmanager, masters, master, m),
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

const processes = (role: Role, max: number) =>
  fc
    .uniqueArray(fc.integer({ min: 0, max }), { maxLength: max })
    .chain((indexes) => fc.tuple(...indexes.map((index) => process(role, index))));

const observed: fc.Arbitrary<ObservedCluster | null> = fc.option(
  fc
    .tuple(processes(Role.jobmanager, 2), processes(Role.taskmanager, 6))
    .map(([masters, workers]) => ({ clusterId: demo, processes: [...masters, ...workers] })),
);

/** Any JobManager may lead; nobody knows which where there is no record. */
const leader = fc.constantFrom(null, 'jobmanager-0', 'jobmanager-1', 'jobmanager-2');

/** What a provider does with a plan. @returns what it did, in its order. */
async function carriedOut(plan: Plan, state: Map<string, ObservedProcess>): Promise<string[]> {
  const done: string[] = [];
  const driver = {
    start: async ({
      index,
      process: name,
      role,
      spec,
    }: Action & { readonly spec: ProcessSpec }) => {
      done.push(`start ${name}`);
      state.set(name, {
        name,
        role,
        index,
        release: spec.labels['fctl.dev/release'],
        status: 'running',
        reason: null,
        location: 'pid 2',
        host: null,
        misplaced: null,
        startedAt: 1,
        restarts: 0,
        exitCode: null,
        spec,
      });
    },
    stop: async ({ process: name }: Action) => {
      done.push(`stop ${name}`);
      state.delete(name);
    },
  };
  await carryOut(plan, driver, {
    fence: 1,
    signal: new AbortController().signal,
    onStep: () => {},
    onJobManagersEnded: async () => void done.push('job managers have ended'),
  });
  return done;
}

const stable = (release: string) =>
  ({ release, status: ReleaseStatus.stable, config: {} }) as unknown as ReleaseEntry;

const idleOf = (cluster: ObservedCluster | null, bits: number): ReadonlySet<string> =>
  new Set((cluster?.processes ?? []).filter((p) => (bits >> p.index) % 2 === 1).map((p) => p.name));

const stateOf = (cluster: ObservedCluster | null) =>
  new Map((cluster?.processes ?? []).map((p) => [p.name, p]));

it('gives what is wanted, and nothing is left to do', async () => {
  await fc.assert(
    fc.asyncProperty(
      desired,
      observed,
      leader,
      fc.nat(127),
      async (wanted, before, leads, bits) => {
        const idle = idleOf(before, bits);
        const context: PlanContext = {
          current: null,
          config: {},
          leader: leads,
          idle,
          isSuspended: false,
        };
        const plan = planCluster(wanted, before, { explain }, context);
        const state = stateOf(before);
        await carriedOut(plan, state);
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
        const after = { clusterId: demo, processes: [...state.values()] };
        const current = stable(wanted.release);
        const again = planCluster(wanted, after, { explain }, { ...context, current });
        expect(again.changes).toBe(false);
        expect(again.actions.every((a) => a.kind === 'none')).toBe(true);
      },
    ),
  );
});

it('leaves alone whom it need not touch, and says why of all others', () => {
  fc.assert(
    fc.property(desired, observed, (wanted, before) => {
      const plan = planCluster(wanted, before, { explain });
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

it('starts no JobManager before all that end have ended, the one that leads as the last', async () => {
  await fc.assert(
    fc.asyncProperty(
      desired,
      observed,
      leader,
      fc.nat(127),
      async (wanted, before, leads, bits) => {
        const idle = idleOf(before, bits);
        const context: PlanContext = {
          current: null,
          config: {},
          leader: leads,
          idle,
          isSuspended: false,
        };
        const plan = planCluster(wanted, before, { explain }, context);
        const state = stateOf(before);
        const alive = (role: Role) =>
          [...state.values()].filter((p) => p.role === role && isAlive(p)).map((p) => p.name);
        const [masters, workers] = [alive(Role.jobmanager), alive(Role.taskmanager)];
        const done = await carriedOut(plan, state);
        const firstStart = done.findIndex((step) => step.startsWith('start jobmanager'));
        if (firstStart < 0) return;
        const later = done.slice(firstStart);
        const goes = (name: string) =>
          plan.actions.some((a) => a.process === name && a.endsProcess);
        for (const name of [...masters, ...workers].filter(goes)) {
          expect(later).not.toContain(`stop ${name}`);
          expect(done).toContain(`stop ${name}`);
        }
        const ended = done.filter((step) => step.startsWith('stop jobmanager'));
        if (ended.includes(`stop ${leads}`)) expect(ended.at(-1)).toBe(`stop ${leads}`);
        const isFollowed = masters.some(
          (name) => goes(name) && plan.actions.some((a) => a.process === name && a.spec !== null),
        );
        const told = done.indexOf('job managers have ended');
        expect(told >= 0).toBe(isFollowed);
        if (isFollowed) {
          expect(told).toBeLessThan(firstStart);
          expect(told).toBeGreaterThan(done.lastIndexOf(ended.at(-1)!));
        }
      },
    ),
  );
});

it('lets a standby go without calling it a restart, and the one that leads not', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 }), (leads, moves) => {
      const [master] = [processSpec(Role.jobmanager, 3, 1, 'application')];
      const masters = Array.from({ length: 3 }, (_, index): ObservedProcess => ({
        name: `jobmanager-${index}`,
        role: Role.jobmanager,
        index,
        release: 'r',
        status: 'running',
        reason: null,
        location: 'pid 1',
        host: null,
        misplaced: index === moves ? 'its host left the config' : null,
        startedAt: 0,
        restarts: 0,
        exitCode: null,
        spec: master,
      }));
      const wanted: ClusterSpec = {
        clusterId: demo,
        release: 'r',
        mode: 'application',
        transient: false,
        runtime: { kind: 'fctl' },
        retentionMs: 0,
        processes: [master],
        artifacts: [],
        clientDir: '/',
        secrets: {},
      };
      const cluster = { clusterId: demo, processes: masters };
      const context = {
        current: null,
        config: {},
        leader: `jobmanager-${leads}`,
        idle: new Set<string>(),
        isSuspended: false,
      };
      const plan = planCluster(wanted, cluster, { explain }, context);
      expect(plan.restartsApplication).toBe(leads === moves);
      expect(keepsLeader(plan, cluster)).toBe(leads !== moves);
      // It crashed: one of the others leads by now, and nobody knows which.
      const crashed = masters.map((p) =>
        p.index === leads ? { ...p, status: 'lost' as const } : p,
      );
      const later = planCluster(wanted, { ...cluster, processes: crashed }, { explain }, context);
      expect(later.restartsApplication).toBe(leads !== moves);
    }),
  );
});
