/**
 * Jobs with state go on over upgrades, in memory and as real processes: nothing that they counted is lost or
 * counted twice, whoever is killed in between.
 */
import { mkdirSync } from 'node:fs';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FakePlatform, failingAt, openFake } from 'fctl/provider-testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { demo } from '../../demo.ts';
import { maskedConfig } from '../../../src/config/show.ts';
import type { Clock } from '../../../src/contract/clock.ts';
import { sha256 } from '../../../src/contract/hash.ts';
import { Redactor } from '../../../src/contract/secrets.ts';
import { cancel } from '../../../src/deployment/cancel.ts';
import { deploy, planDeployment } from '../../../src/deployment/deploy.ts';
import type { DeployInput } from '../../../src/deployment/operation/desired.ts';
import type { OperationOptions } from '../../../src/deployment/operation/stages.ts';
import { readReleases } from '../../../src/deployment/releases.ts';
import { restart } from '../../../src/deployment/restart.ts';
import { rollback } from '../../../src/deployment/rollback.ts';
import { scale } from '../../../src/deployment/scale.ts';
import { clusterStatus } from '../../../src/deployment/status.ts';
import type { Engine } from '../../../src/engines/engine.ts';
import { createLocalProvider } from '../../../src/providers/local/index.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import type { MemoryProcess } from '../../../src/providers/testing/memory-process.ts';
import { releaseLock } from '../../../src/record/lock.ts';
import { Project } from '../../config/project.ts';
import { type Event, readHistory } from './counters.ts';
import { counterEngine } from './engine.ts';
import { parseFiles, runCounterProcess } from './process.ts';

const { signal } = new AbortController();
const program = 'what the engine would run';

/** Ten times as fast as any other: what a deployment only waits for is over soon. */
const quick: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now() * 10,
  after: (ms, action) => {
    const timer = setTimeout(action, ms / 10);
    return () => clearTimeout(timer);
  },
};

interface Platform {
  readonly provider: Provider;
  /** The JobManager is gone for good, without a word. */
  crash(): Promise<void>;
  close(): Promise<void>;
}

/** Processes in memory run here, until the platform has them no more. */
function memoryPlatform(): Platform {
  const running = new Set<Promise<unknown>>();
  const end = new AbortController();
  const platform: FakePlatform = new FakePlatform({
    onStart: ({ start }: MemoryProcess) => {
      const { clusterId, name, pid, spec } = start;
      const { processes, record } = platform.cluster(clusterId);
      const stop = new AbortController();
      const isThere = () => {
        const there = processes.get(name);
        return there?.start.pid === pid && there.status === 'running';
      };
      const watch = setInterval(() => isThere() || stop.abort(), 1);
      const run = runCounterProcess({
        name,
        release: spec.labels['fctl.dev/release'],
        record,
        bind: '127.0.0.1',
        port: 0,
        ...parseFiles((path) => contentOf(spec.files, path)),
        signal: AbortSignal.any([stop.signal, end.signal]),
      })
        .then((code) => isThere() && platform.exit(clusterId, name, code))
        .finally(() => clearInterval(watch));
      running.add(run);
    },
  });
  return {
    provider: openFake(platform),
    crash: async () => {
      platform.exit(demo, 'jobmanager-0', 1);
      await new Promise((resolve) => setTimeout(resolve, 10));
    },
    close: async () => {
      end.abort();
      await Promise.all(running);
    },
  };
}

const contentOf = (files: MemoryProcess['start']['spec']['files'], path: string): string =>
  files.flatMap((f) => (f.type === 'inline' && f.path === path ? f.content : []))[0]!;

function localPlatform(folder: string): Platform {
  const provider = createLocalProvider({
    home: join(folder, 'home'),
    runtimeDir: join(import.meta.dirname, '../../../dist'),
    supervisor: join(import.meta.dirname, '../../../templates/supervise.sh'),
    node: process.execPath,
    environment: process.env,
  });
  return { provider, crash: () => crashLocal(join(folder, 'home')), close: () => provider.close() };
}

async function crashLocal(home: string): Promise<void> {
  const file = join(home, 'clusters/demo/processes/jobmanager-0/process.json');
  const { supervisor } = JSON.parse(await readFile(file, 'utf8')) as {
    supervisor: { pid: number };
  };
  process.kill(-supervisor.pid, 'SIGKILL');
}

/** Whoever is killed after a call that changes nothing is killed after the one before. */
const changes = /^(?:record\.write|converge|connect|list)/;

describe.each([
  ['in memory', memoryPlatform, /./],
  ['as local processes', localPlatform, changes],
])('jobs with state, %s,', (_, open, killedAfter) => {
  let project: Project;
  let platform: Platform;
  let state: string;

  async function begin(): Promise<void> {
    project = await Project.with({ 'app.ts': '' });
    platform = open(project.folder);
    state = join(project.folder, 'counted');
    mkdirSync(state);
    await writeFile(join(project.folder, 'program'), program);
  }
  async function end(): Promise<void> {
    const { provider } = platform;
    const { clusters } = await provider.list({ signal });
    for (const id of clusters)
      await provider.destroy(id, { fence: null, deleteState: true, signal });
    await platform.close();
    await project[Symbol.asyncDispose]();
  }
  beforeEach(begin);
  afterEach(end);

  const site = (provider = platform.provider, engine: Engine = counterEngine) => ({
    provider,
    engines: { counter: async () => engine },
    clock: quick,
    signal,
  });

  interface Wish {
    /** Another one is another release. */
    readonly version?: number;
    readonly jobs?: number;
    readonly stuck?: number;
    readonly dies?: boolean;
    readonly retention?: string;
  }

  async function input(
    { dies = false, jobs = 2, retention = '24h', stuck = -1, version = 1 }: Wish,
    client = site(),
    engine: Engine = counterEngine,
  ): Promise<DeployInput> {
    const args = { state, jobs, stuck, dies, version };
    await project.write(
      'fctl.config.yaml',
      [
        'cluster: demo',
        'security: { auth: none }',
        `retention: ${retention}`,
        'taskmanager: { replicas: 1 }',
        'application:',
        '  entry: ./app.ts',
        `  args: ${JSON.stringify(args)}`,
      ].join('\n'),
    );
    const loaded = await project.load({ requireApplication: true });
    return {
      ...client,
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
      engine,
      problems: [],
      hooks: null,
    };
  }

  const options = (change: Partial<OperationOptions> = {}): OperationOptions => ({
    signal,
    redactor: new Redactor(),
    onEvent: () => {},
    healthTimeoutMs: 200_000,
    lockWaitMs: 0,
    allowStateLoss: false,
    rollbackOnFailure: false,
    ...change,
  });

  const deployed = async (wish: Wish, change: Partial<OperationOptions> = {}) =>
    deploy(await input(wish), options(change));

  const releases = () => readReleases(platform.provider.record(demo));

  /** What happened to one job: `started 0`, `suspended 41`, `started 41`. */
  const eventsOf = (job: number): readonly Event[] =>
    readHistory(state).filter((event) => event.job === job);

  /** Each job was suspended so often, and began each time where it had left off. */
  function expectNothingLost(suspensions: number, jobs = 2): void {
    for (let job = 0; job < jobs; job++) {
      const events = eventsOf(job);
      const suspended = events.filter(({ what }) => what === 'suspended');
      expect(suspended).toHaveLength(suspensions);
      const started = events.filter(({ what }) => what === 'started');
      expect(started.map(({ count }) => count)).toEqual([0, ...suspended.map((e) => e.count)]);
    }
  }

  it('go on over upgrades, and over what ends their JobManager', async () => {
    const first = await deployed({});
    expect(first.plan).toMatchObject({ restore: [], stateLoss: [] });
    const planned = await planDeployment(await input({ version: 2 }));
    expect(planned.restore).toMatchObject([
      { executeIndex: 0, name: 'count 0', kind: 'savepoint', path: null },
      { executeIndex: 1, name: 'count 1', kind: 'savepoint', path: null },
    ]);
    expect(readHistory(state).every(({ what }) => what === 'started')).toBe(true);

    const { plan } = await deployed({ version: 2 });
    expectNothingLost(1);
    const [entry] = (await releases()).slice(-1);
    expect(entry).toMatchObject({ number: 2, status: 'stable' });
    expect(entry!.restore).toEqual(plan.restore);
    expect(plan.restore.map(({ directory, path }) => path!.startsWith(directory))).toEqual([
      true,
      true,
    ]);
    // Being restored is no change.
    expect((await planDeployment(await input({ version: 2 }))).changes).toBe(false);
    expect((await deployed({ version: 2 })).release).toBeNull();
    expectNothingLost(1);
    // What ends no JobManager keeps what its jobs were restored from.
    const kept = await deployed({ version: 2, retention: '1h' });
    expect(kept.plan.restore).toEqual([]);
    expect(kept.release!.restore).toEqual(entry!.restore);

    const running = { ...(await input({ version: 2 })), clusterId: 'demo' as never };
    await restart(running, { process: null, role: null }, options());
    expectNothingLost(2);
    await scale(running, 2, options());
    expect((await releases()).at(-1)!.restore).toEqual((await releases()).at(-2)!.restore);
    expectNothingLost(2);
    await cancel(site(), demo, null, signal);
    expect((await clusterStatus(site(), demo))!.state).toBe('CANCELED');
  });

  it('begin from nothing once the application was cancelled', async () => {
    await deployed({});
    await cancel(site(), demo, null, signal);
    const { plan } = await deployed({ version: 2 });
    expect(plan.restore).toEqual([]);
    expect(eventsOf(0).map(({ count, what }) => [what, count])).toEqual([
      ['started', 0],
      ['started', 0],
    ]);
  });

  it('all run on where one of them cannot stop', async () => {
    await deployed({ stuck: 1 });
    await expect(deployed({ version: 2, stuck: 1 })).rejects.toThrow("job 'count 1' cannot stop");
    expect(eventsOf(0).map(({ what }) => what)).toEqual(['started', 'suspended', 'resumed']);
    expect(eventsOf(1).map(({ what }) => what)).toEqual(['started']);
    expect((await clusterStatus(site(), demo))!.state).toBe('RUNNING');
    const [, failed] = await releases();
    expect(failed).toMatchObject({ status: 'failed', restore: [{ path: null }, { path: null }] });
    // Allowed to, the next release goes on from the last checkpoints.
    const { plan } = await deployed({ version: 2 }, { allowStateLoss: true });
    expect(plan.restore).toMatchObject([{ kind: 'checkpoint' }, { kind: 'checkpoint' }]);
    const started = eventsOf(1).filter(({ what }) => what === 'started');
    expect(started[1]!.count).toBeGreaterThan(0);
  });

  it('go on from what they were restored from where they completed no checkpoint since', async () => {
    await deployed({});
    await deployed({ version: 2 });
    const left = eventsOf(0).find(({ what }) => what === 'suspended')!.count;
    await platform.crash();
    await rm(join(state, 'checkpoints'), { recursive: true });
    const { plan } = await deployed({ version: 3 });
    expect(plan.restore).toEqual((await releases())[1]!.restore);
    expect(eventsOf(0).at(-1)).toMatchObject({ what: 'started', count: left });
  });

  it('go on from the last checkpoint of a cluster that crashed', async () => {
    await deployed({});
    await expect.poll(() => checkpoints(), { timeout: 5000 }).toBe(2);
    await platform.crash();
    const { plan } = await deployed({ version: 2 });
    expect(plan.restore).toMatchObject([{ kind: 'checkpoint' }, { kind: 'checkpoint' }]);
    for (const job of [0, 1]) {
      const [, second] = eventsOf(job);
      expect(second).toMatchObject({ what: 'started' });
      expect(second!.count % 5).toBe(0);
      expect(second!.count).toBeGreaterThan(0);
    }
    expect((await releases()).at(-1)!.restore).toEqual(plan.restore);
  });

  it('are not started from nothing without being allowed to', async () => {
    await deployed({});
    await expect.poll(() => checkpoints(), { timeout: 5000 }).toBe(2);
    await platform.crash();
    await rm(join(state, 'checkpoints'), { recursive: true });
    expect((await planDeployment(await input({ version: 2 }))).stateLoss).toEqual([
      expect.stringContaining("job 'count 0' has state, and would start again from nothing"),
      expect.stringContaining("job 'count 1' has state, and would start again from nothing"),
    ]);
    await expect(deployed({ version: 2 })).rejects.toMatchObject({ exitCode: 9 });
    expect(await releases()).toHaveLength(1);
    await deployed({ version: 2 }, { allowStateLoss: true });
    expect(eventsOf(0).map(({ count, what }) => [what, count])).toEqual([
      ['started', 0],
      ['started', 0],
    ]);
  });

  it('return with a rollback to where its release had left them', async () => {
    await deployed({});
    await deployed({ version: 2 });
    const left = eventsOf(0).find(({ what }) => what === 'suspended')!.count;
    const back = await rollback(await input({}), 'demo' as never, null, project.folder, options());
    expect(back.to.number).toBe(1);
    expect(eventsOf(0).at(-1)).toMatchObject({ what: 'started', count: left });
    const entries = await releases();
    expect(entries[2]!.restore).toEqual(entries[1]!.restore);
    // What is gone is not silently replaced by nothing.
    await deployed({ version: 3 });
    await rm(join(state, 'savepoints'), { recursive: true });
    const again = rollback(await input({}), 'demo' as never, null, project.folder, options());
    await expect(again).rejects.toMatchObject({ exitCode: 9 });
  });

  it('return where the next release did not become healthy', async () => {
    await deployed({});
    const failing = deployed({ version: 2, dies: true }, { rollbackOnFailure: true });
    await expect(failing).rejects.toThrow('rolled back to release 1');
    expectNothingLost(1);
    const [, failed, back] = await releases();
    expect(failed!.status).toBe('rolled-back');
    expect(back).toMatchObject({ cause: 'rollback', status: 'stable', restore: failed!.restore });
    // Without being rolled back they wait, and go on with what comes next.
    await expect(deployed({ version: 3, dies: true })).rejects.toThrow('died');
    expect(eventsOf(0).at(-1)!.what).toBe('suspended');
    await deployed({ version: 4 });
    expectNothingLost(2);
  });

  it('go on under their own release when the next one was interrupted and is given up', async () => {
    await deployed({});
    const stop = new AbortController();
    const find = async () => {
      stop.abort(new Error('interrupted'));
      return null;
    };
    const engine = { ...counterEngine, state: { ...counterEngine.state, find } };
    const client = await input({ version: 2 }, site(), engine);
    const interrupted = deploy(client, options({ signal: stop.signal }));
    await expect(interrupted).rejects.toThrow();
    expect((await clusterStatus(site(), demo))!.state).toBe('SUSPENDED');
    const { plan } = await deployed({});
    expect(plan.actions[0]).toMatchObject({ kind: 'restart', reason: 'its jobs are suspended' });
    expectNothingLost(1);
  });

  /** An engine whose calls die with its client, before or after them. */
  function mortal(provider: Provider): Engine {
    const { state: real } = counterEngine;
    const alive = () => provider.list({ signal });
    return {
      ...counterEngine,
      state: {
        ...real,
        suspend: async (...asked) => {
          await alive();
          await real.suspend(...asked);
          await alive();
        },
        find: async (...asked) => {
          await alive();
          return real.find(...asked);
        },
      },
    };
  }

  async function killedAt(k: number) {
    const dead = () => new Error('the client is dead');
    const killed = failingAt(platform.provider, k, dead, 'after', 'dead');
    const engine = mortal(killed.provider);
    const client = await input({ version: 2 }, site(killed.provider, engine), engine);
    await deploy(client, options()).catch(() => {});
    return killed;
  }

  it('lose nothing by a client that is killed, and are suspended once', async () => {
    await deployed({});
    const { calls } = await killedAt(0);
    const first = calls.indexOf('record.write releases');
    const last = calls.findLastIndex((name) => name.startsWith('converge'));
    expect(calls.slice(first, last + 1).filter((name) => name === 'list').length).toBe(4);
    for (let k = first + 1; k <= last + 3; k++) {
      if (!killedAfter.test(calls[k - 1]!)) continue;
      await end();
      await begin();
      await deployed({});
      const { failed } = await killedAt(k);
      const at = `killed after call ${k}, ${failed}`;
      await releaseLock(platform.provider.record(demo));
      await deployed({ version: 2 }).catch((error: unknown) => {
        throw new Error(at, { cause: error });
      });
      expect((await releases()).at(-1)!.status, at).toBe('stable');
      expectNothingLost(1);
    }
  }, 240_000);

  const checkpoints = async () => {
    const jobs = await readdir(join(state, 'checkpoints')).catch(() => []);
    return jobs.length;
  };
});
