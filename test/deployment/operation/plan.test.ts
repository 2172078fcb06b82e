/** Plans of the bundled engine's specs: what changes, why, and in whose words. */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../src/contract/plan.ts';
import { planCluster } from '../../../src/deployment/operation/plan.ts';
import { hashSecrets, releaseHash } from '../../../src/deployment/release.ts';
import { bundledEngine } from '../../../src/engines/bundled/index.ts';
import type { ClusterSpec } from '../../../src/contract/process-spec.ts';
import type { ObservedCluster } from '../../../src/providers/provider.ts';
import { load } from '../../config/project.ts';

const bundle = (content: string) => ({
  hash: content.repeat(64).slice(0, 64),
  file: '/bundle.mjs',
  sizeBytes: 1,
});

async function spec(set: readonly string[] = [], env: Record<string, string> = {}, code = 'a') {
  const yaml = [
    'cluster: demo',
    'application:',
    '  entry: ./app.ts',
    "  args: { input: a.csv, password: '${env:PW}' }",
    'taskmanager: { replicas: 2 }',
    '',
  ].join('\n');
  const { config } = await load(yaml, { set, env: { PW: 'hunter2', ...env } });
  const release = releaseHash(config, bundle(code).hash, 'bundled', hashSecrets(config, 'key'));
  return bundledEngine.clusterSpec(config, bundle(code), 'token', release);
}

/** The cluster as it is when that spec runs. */
const running = (desired: ClusterSpec): ObservedCluster => ({
  clusterId: desired.clusterId,
  processes: desired.processes.flatMap((process) =>
    Array.from({ length: process.count }, (_, index) => ({
      name: `${process.role}-${index}`,
      role: process.role,
      index,
      release: desired.release,
      status: 'running' as const,
      host: null,
      misplaced: null,
      reason: null,
      location: 'pid 1',
      startedAt: 0,
      restarts: 0,
      exitCode: null,
      spec: process,
    })),
  ),
});

const brief = (plan: Plan) => plan.actions.map((a) => `${a.kind} ${a.process}: ${a.reason}`);

async function change(set: readonly string[], env: Record<string, string> = {}, code = 'a') {
  const before = await spec();
  return planCluster(await spec(set, env, code), running(before), bundledEngine);
}

describe('planCluster', () => {
  it('creates the JobManager first, then TaskManagers', async () => {
    expect(brief(planCluster(await spec(), null, bundledEngine))).toEqual([
      'create jobmanager-0: not there yet',
      'create taskmanager-0: not there yet',
      'create taskmanager-1: not there yet',
    ]);
  });

  it('changes nothing that runs as wanted', async () => {
    const plan = await change([]);
    expect(plan.changes).toBe(false);
    expect(plan.actions.map((a) => a.kind)).toEqual(['none', 'none', 'none']);
  });

  it('adds TaskManagers without touching what runs', async () => {
    const plan = await change(['taskmanager.replicas=3']);
    expect(brief(plan)).toEqual([
      'none jobmanager-0: runs as wanted',
      'none taskmanager-0: runs as wanted',
      'none taskmanager-1: runs as wanted',
      'scale taskmanager-2: taskmanager.replicas: 2 → 3',
    ]);
    expect(plan.restartsApplication).toBe(false);
  });

  it('removes surplus TaskManagers first', async () => {
    expect(brief(await change(['taskmanager.replicas=1']))).toEqual([
      'scale taskmanager-1: taskmanager.replicas: 2 → 1',
      'restart jobmanager-0: its application starts again, for taskmanager-1 goes away',
      'none taskmanager-0: runs as wanted',
    ]);
  });

  it.each([
    ['application.parallelism=2', 'application.parallelism: 1 → 2'],
    ['application.args.input=b.csv', 'application.args.input: a.csv → b.csv'],
    ['taskmanager.slotRequestTimeout=1m', 'taskmanager.slotRequestTimeout: 300000 → 60000'],
    ['heartbeat.interval=2s', 'heartbeat.interval: 1000 → 2000'],
    ['jobmanager.rest.port=9000', 'jobmanager.rest.port: 0 → 9000'],
  ])('names the key of the config that %s changes', async (set, cause) => {
    const master = (await change([set])).actions[0]!;
    expect(master).toMatchObject({ kind: 'replace', process: 'jobmanager-0' });
    expect(master.causes).toContain(cause);
    const keys = new Set(master.causes.map((c) => c.split(':')[0]));
    expect(keys.size).toBe(1);
  });

  it('says that a secret changed, and neither what it was nor what it is', async () => {
    const plan = await change([], { PW: 'correct horse' });
    expect(plan.actions[0]!.reason).toMatch(/^changed: secrets of application\.args: /);
    expect(JSON.stringify(plan)).not.toMatch(/hunter2|correct horse/);
  });

  it('replaces the JobManager alone for new code', async () => {
    const plan = await change([], {}, 'b');
    expect(plan.actions.map((a) => a.kind)).toEqual(['replace', 'none', 'none']);
    expect(plan.actions[0]!.causes).toEqual(['application bundle: aaaaaaaaaaaa → bbbbbbbbbbbb']);
    expect(plan.restartsApplication).toBe(true);
  });

  it('starts again what is gone', async () => {
    const before = running(await spec());
    const processes = before.processes.map((p) =>
      p.name === 'taskmanager-1' ? { ...p, status: 'lost' as const } : p,
    );
    const plan = planCluster(await spec(), { ...before, processes }, bundledEngine);
    expect(brief(plan).at(-1)).toBe(
      'create taskmanager-1: pid 1 is gone without having been ended',
    );
  });
});

describe('releaseHash', () => {
  it('needs the key for secrets alone: plan and first deploy name the same release', async () => {
    const hash = async (yaml: string, key: string) => {
      const { config } = await load(yaml, { env: { PW: 'hunter2' } });
      return releaseHash(config, null, 'bundled', hashSecrets(config, key));
    };
    const open = 'cluster: demo\napplication: { entry: ./app.ts, args: { input: a } }\n';
    const secret =
      "cluster: demo\napplication: { entry: ./app.ts, args: { input: '${env:PW}' } }\n";
    expect(await hash(open, 'a')).toBe(await hash(open, 'b'));
    expect(await hash(secret, 'a')).not.toBe(await hash(secret, 'b'));
  });

  it('tells releases apart by configuration, code and secrets, not by the folder', async () => {
    const hash = async (set: string[], env = {}, code = 'a') =>
      (await spec(set, env, code)).release;
    const first = await hash([]);
    expect(await hash([])).toBe(first); // another temporary folder
    expect(await hash([`runtime.node=${process.execPath}`])).toBe(first); // a path of the client
    const others = await Promise.all([
      hash(['taskmanager.slots=2']),
      hash([], { PW: 'hunter3' }),
      hash([], {}, 'b'),
    ]);
    expect(new Set([first, ...others]).size).toBe(4);
  });
});
