/** Which running jobs stand in the way of a plan of an engine that cannot restore them. */
import { systemClock } from '../../../src/contract/clock.ts';
import { describe, expect, it } from 'vitest';
import { demo } from '../../demo.ts';
import type { RecordedJob } from '../../../src/record/documents.ts';
import { ClusterError } from '../../../src/contract/errors.ts';
import { type ClusterSpec, type ProcessSpec, Role } from '../../../src/contract/process-spec.ts';
import type { Action, ActionKind, Plan } from '../../../src/contract/plan.ts';
import { withState } from '../../../src/deployment/operation/restore.ts';
import { refuseStateLoss } from '../../../src/deployment/operation/state-loss.ts';
import type { Engine } from '../../../src/engines/engine.ts';
import { bundledEngine } from '../../../src/engines/bundled/index.ts';
import { counterEngine } from '../../engines/counter/engine.ts';
import type {
  ObservedCluster,
  ObservedProcess,
  Provider,
} from '../../../src/providers/provider.ts';

const spec = { role: 'jobmanager', environment: {} } as unknown as ProcessSpec;

/** A JobManager that nobody answers for, so that nothing is known of its TaskManagers. */
const provider = {
  record: () => ({ read: async () => new Map() }),
  connect: async () => ({ document: { epoch: 1 }, url: 'http://127.0.0.1:1', token: null }),
} as unknown as Provider;

const running = (role: Role, index = 0) =>
  ({ name: `${role}-${index}`, role, index, status: 'running' }) as ObservedProcess;

const observed: ObservedCluster = {
  clusterId: demo,
  processes: [running(Role.jobmanager), running(Role.taskmanager)],
};

const action = (kind: ActionKind, role: Role): Action => ({
  kind,
  role,
  process: `${role}-0`,
  index: 0,
  reason: 'because',
  causes: [],
  endsProcess: kind !== 'none',
  spec: kind === 'none' ? null : spec,
});

const planOf = (master: ActionKind, worker: ActionKind): Plan => ({
  clusterId: demo,
  release: 'r',
  previousRelease: null,
  leader: null,
  actions: [action(master, Role.jobmanager), action(worker, Role.taskmanager)],
  config: [],
  changes: true,
  restartsApplication: master !== 'none',
  restore: [],
  stateLoss: [],
});

const job = (name: string, stateful: boolean | undefined, startTime = 1) =>
  ({
    id: name,
    name,
    startTime,
    outcome: null,
    vertices: [{ id: 'v', name: 'v', parallelism: 1, maxParallelism: 1, stateful }],
  }) as unknown as RecordedJob;

const ask = (
  plan: Plan,
  jobs: readonly RecordedJob[],
  options: {
    readonly mode?: 'application' | 'session';
    readonly engine?: Engine;
    readonly idle?: readonly string[];
  } = {},
) =>
  withState({
    provider,
    engines: {},
    clock: systemClock,
    signal: new AbortController().signal,
    engine: options.engine ?? bundledEngine,
    spec: { mode: options.mode ?? 'application' } as ClusterSpec,
    plan,
    situation: {
      observed,
      releases: [],
      epoch: 1,
      leader: null,
      jobs,
      journal: null,
      jobsRun: true,
      isUnfinished: false,
      isSuspended: false,
      idle: new Set(options.idle),
    },
    returnsTo: null,
    startedBefore: 100,
  }).then(refuseStateLoss);

describe('an upgrade', () => {
  it.each([
    ['replaces the JobManager of a stateful job', planOf('replace', 'none'), job('a', true), true],
    ['of a stateless one', planOf('replace', 'none'), job('a', false), false],
    ['of one of which nobody knows', planOf('restart', 'none'), job('a', undefined), true],
    ['of one that only came with it', planOf('replace', 'none'), job('a', true, 200), false],
    ['replaces a TaskManager', planOf('none', 'replace'), job('a', true), true],
    [
      'replaces a TaskManager of a stateless job',
      planOf('none', 'replace'),
      job('a', false),
      false,
    ],
    ['ends nothing', planOf('none', 'none'), job('a', true), false],
  ])('%s', async (_what, plan, only, isRefused) => {
    const asked = ask(plan, [only]);
    if (isRefused) await expect(asked).rejects.toMatchObject({ exitCode: 9 });
    else await expect(asked).resolves.toBeUndefined();
  });

  it('may replace a TaskManager that no job uses', async () => {
    const plan = planOf('none', 'replace');
    const asked = ask(plan, [job('a', true)], { idle: ['taskmanager-0'] });
    await expect(asked).resolves.toBeUndefined();
  });

  it('does not end jobs of a session with its JobManager, whatever they are', async () => {
    const asked = ask(planOf('replace', 'none'), [job('a', false)], { mode: 'session' });
    await expect(asked).rejects.toThrow(ClusterError);
    await expect(asked).rejects.toThrow("'a' of session demo would end");
    // Nor could an engine bring them back that restores jobs of applications.
    const restored = ask(planOf('replace', 'none'), [job('a', false)], {
      mode: 'session',
      engine: counterEngine,
    });
    await expect(restored).rejects.toMatchObject({ exitCode: 9 });
  });
});
