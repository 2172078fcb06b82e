/**
 * An engine that is not ours goes the whole way (deploy, follow, status, upgrade, rollback, scale, cancel,
 * destroy), in memory and as real processes: deployment/ knows of a JobManager only what its engine says.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FakePlatform, openFake } from 'fctl/provider-testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { demo } from '../../demo.ts';
import { maskedConfig } from '../../../src/config/show.ts';
import { systemClock } from '../../../src/contract/clock.ts';
import { sha256 } from '../../../src/contract/hash.ts';
import { Redactor } from '../../../src/contract/secrets.ts';
import { cancel } from '../../../src/deployment/cancel.ts';
import { deploy, planDeployment } from '../../../src/deployment/deploy.ts';
import { destroyCluster } from '../../../src/deployment/destroy.ts';
import { followApplication } from '../../../src/deployment/follow.ts';
import type { DeployInput } from '../../../src/deployment/operation/desired.ts';
import { rollback } from '../../../src/deployment/rollback.ts';
import { scale } from '../../../src/deployment/scale.ts';
import { clusterStatus } from '../../../src/deployment/status.ts';
import { createLocalProvider } from '../../../src/providers/local/index.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import type { MemoryProcess } from '../../../src/providers/testing/memory-process.ts';
import { Project } from '../../config/project.ts';
import { runPlainProcess } from './companion.ts';
import { parseConf } from './conf.ts';
import { plainEngine } from './engine.ts';

const { signal } = new AbortController();
const clock = systemClock;
const engines = { plain: async () => plainEngine };
const program = 'what the engine would run';

/** Processes in memory run their companion here, until the platform has them no more. */
function memoryPlatform(): { readonly provider: Provider; close(): Promise<void> } {
  const running = new Set<Promise<unknown>>();
  const end = new AbortController();
  const platform: FakePlatform = new FakePlatform({
    onStart: ({ start }: MemoryProcess) => {
      const { clusterId, name, pid, spec } = start;
      const { processes, record } = platform.cluster(clusterId);
      const stop = new AbortController();
      const isThere = () => processes.get(name)?.start.pid === pid;
      const watch = setInterval(() => isThere() || stop.abort(), 10);
      const [conf] = spec.files.flatMap((f) => (f.type === 'inline' ? [f.content] : []));
      const run = runPlainProcess({
        name,
        release: spec.labels['fctl.dev/release'],
        record,
        bind: '127.0.0.1',
        port: 0,
        conf: parseConf(conf!),
        signal: AbortSignal.any([stop.signal, end.signal]),
      })
        .then((code) => code === 0 && isThere() && platform.exit(clusterId, name, 0))
        .finally(() => clearInterval(watch));
      running.add(run);
    },
  });
  const close = async () => {
    end.abort();
    await Promise.all(running);
  };
  return { provider: openFake(platform), close };
}

function localPlatform(folder: string): { readonly provider: Provider; close(): Promise<void> } {
  const provider = createLocalProvider({
    home: join(folder, 'state'),
    runtimeDir: join(import.meta.dirname, '../../../dist'),
    supervisor: join(import.meta.dirname, '../../../templates/supervise.sh'),
    node: process.execPath,
    environment: process.env,
  });
  return { provider, close: () => provider.close() };
}

describe.each([
  ['in memory', memoryPlatform],
  ['as local processes', localPlatform],
])('the plain engine %s', (_, open) => {
  let project: Project;
  let provider: Provider;
  let close: () => Promise<void>;

  beforeEach(async () => {
    project = await Project.with({ 'app.ts': '' });
    ({ provider, close } = open(project.folder));
    await writeFile(join(project.folder, 'program'), program);
  });
  afterEach(async () => {
    const { clusters } = await provider.list({ signal });
    for (const id of clusters)
      await provider.destroy(id, { fence: null, deleteState: true, signal });
    await close();
    await project[Symbol.asyncDispose]();
  });

  const site = () => ({ provider, engines, clock, signal });

  async function input(args: { greeting: string; ends: number | 'never' }, workers = 1) {
    await project.write(
      'fctl.config.yaml',
      [
        'cluster: demo',
        'security: { auth: none }',
        `taskmanager: { replicas: ${workers} }`,
        'application:',
        '  entry: ./app.ts',
        `  args: ${JSON.stringify(args)}`,
      ].join('\n'),
    );
    const loaded = await project.load({ requireApplication: true });
    const made: DeployInput = {
      ...site(),
      config: loaded.config,
      maskedConfig: maskedConfig(loaded),
      today: null,
      onUnknownKeys: () => {},
      bundle: {
        hash: sha256(program),
        file: join(project.folder, 'program'),
        sizeBytes: program.length,
      },
      bundlesDir: project.folder,
      engine: plainEngine,
      problems: [],
      hooks: null,
    };
    return made;
  }

  const options = () => ({
    signal,
    redactor: new Redactor(),
    onEvent: () => {},
    healthTimeoutMs: 20_000,
    lockWaitMs: 0,
    allowStateLoss: false,
    rollbackOnFailure: false,
  });

  const follow = (previousEpoch: number, seen: string[] = []) =>
    followApplication(site(), demo, {
      previousEpoch,
      signal,
      onSnapshot: (jobs) => seen.push(...jobs.map(({ name, state }) => `${name}: ${state}`)),
    });

  const startsOf = async () => {
    const observed = await provider.observe(demo, { signal });
    return new Map(observed!.processes.map(({ location, name }) => [name, location]));
  };

  it('runs an application to its end', async () => {
    const { outcome, previousEpoch } = await deploy(
      await input({ greeting: 'hello', ends: 300 }),
      options(),
    );
    expect(outcome ?? (await follow(previousEpoch))).toMatchObject({
      status: 'SUCCEEDED',
      epoch: 1,
    });
    await expect
      .poll(async () => (await clusterStatus(site(), demo))!.state, { timeout: 5000 })
      .toBe('SUCCEEDED');
    // It runs again, as a bounded application does.
    const again = await deploy(await input({ greeting: 'hello', ends: 300 }), options());
    const second = again.outcome ?? (await follow(again.previousEpoch));
    expect(second).toMatchObject({ status: 'SUCCEEDED', epoch: 2 });
  });

  it('is upgraded, rolled back, scaled, cancelled and destroyed', async () => {
    const first = await input({ greeting: 'hello', ends: 'never' });
    const { previousEpoch } = await deploy(first, options());
    const seen: string[] = [];
    expect(await follow(previousEpoch, seen)).toBeNull(); // it does not end by itself
    expect(seen.at(-1)).toBe('say hello: RUNNING');
    expect(await clusterStatus(site(), demo)).toMatchObject({
      state: 'RUNNING',
      cluster: { engine: 'plain' },
      info: { epoch: 1 },
      jobs: [{ name: 'say hello', state: 'RUNNING' }],
    });
    expect((await planDeployment(first)).changes).toBe(false);

    const before = await startsOf();
    const upgraded = await deploy(await input({ greeting: 'good day', ends: 'never' }), options());
    const [master, worker] = upgraded.plan.actions;
    expect(master).toMatchObject({
      kind: 'replace',
      process: 'jobmanager-0',
      causes: ['greeting: hello → good day'],
    });
    expect(worker).toMatchObject({ kind: 'none', process: 'taskmanager-0' });
    const after = await startsOf();
    expect(after.get('taskmanager-0')).toBe(before.get('taskmanager-0'));
    expect(after.get('jobmanager-0')).not.toBe(before.get('jobmanager-0'));
    expect(await clusterStatus(site(), demo)).toMatchObject({
      info: { epoch: 2 },
      jobs: [{ name: 'say good day' }],
    });

    const back = await rollback(first, demo, null, project.folder, options());
    expect(back.to.number).toBe(1);
    expect(await clusterStatus(site(), demo)).toMatchObject({
      state: 'RUNNING',
      info: { epoch: 3 },
      jobs: [{ name: 'say hello' }],
    });

    await scale({ ...first, clusterId: demo }, 2, options());
    expect([...(await startsOf()).keys()]).toEqual([
      'jobmanager-0',
      'taskmanager-0',
      'taskmanager-1',
    ]);

    await expect(cancel(site(), demo, 'no-such-job', signal)).rejects.toMatchObject({
      exitCode: 7,
    });
    expect(await cancel(site(), demo, null, signal)).toMatchObject({ status: 'CANCELED' });
    await expect
      .poll(async () => (await clusterStatus(site(), demo))!.state, { timeout: 5000 })
      .toBe('CANCELED');
    await destroyCluster(site(), demo, { lockWaitMs: 0, deleteState: false, signal });
    expect((await provider.list({ signal })).clusters).toEqual([]);
  });

  it('is no cluster that a fctl without its engine can ask, and one that it can destroy', async () => {
    await deploy(await input({ greeting: 'hello', ends: 'never' }), options());
    const without = { ...site(), engines: {} };
    expect(await clusterStatus(without, demo)).toMatchObject({
      info: null,
      rest: null,
      jobs: [],
    });
    await destroyCluster(without, demo, { lockWaitMs: 0, deleteState: false, signal });
    expect((await provider.list({ signal })).clusters).toEqual([]);
  });
});
