/**
 * A cluster of the counter engine, in memory or as local processes, and clients of it: some of which are killed
 * while they are at it. What clients wait for passes ten times as fast as it does elsewhere.
 */
import { mkdirSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type FailingAt, FakePlatform, failingAt, openFake } from 'fctl/provider-testing';
import { maskedConfig } from '../../../src/config/show.ts';
import type { Clock } from '../../../src/contract/clock.ts';
import { demo } from '../../demo.ts';
import { sha256 } from '../../../src/contract/hash.ts';
import { Redactor } from '../../../src/contract/secrets.ts';
import { deploy } from '../../../src/deployment/deploy.ts';
import type { DeployInput } from '../../../src/deployment/operation/desired.ts';
import type { OperationOptions } from '../../../src/deployment/operation/stages.ts';
import { readReleases } from '../../../src/deployment/releases.ts';
import { rollback } from '../../../src/deployment/rollback.ts';
import type { Engine } from '../../../src/engines/engine.ts';
import { createLocalProvider } from '../../../src/providers/local/index.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import type { MemoryProcess } from '../../../src/providers/testing/memory-process.ts';
import { Project } from '../../config/project.ts';
import { type Event, readHistory } from './counters.ts';
import { counterEngine } from './engine.ts';
import { parseFiles, runCounterProcess } from './process.ts';

const { signal } = new AbortController();
const program = 'what the engine would run';

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
export function memoryPlatform(): Platform {
  /** The newest of each name. */
  const runs = new Map<string, Promise<unknown>>();
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
      const before = runs.get(name);
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
      runs.set(name, Promise.all([before, run]));
    },
  });
  return {
    provider: openFake(platform),
    crash: async () => {
      platform.exit(demo, 'jobmanager-0', 1);
      await runs.get('jobmanager-0');
    },
    close: async () => {
      end.abort();
      await Promise.all(runs.values());
    },
  };
}

const contentOf = (files: MemoryProcess['start']['spec']['files'], path: string): string =>
  files.flatMap((f) => (f.type === 'inline' && f.path === path ? f.content : []))[0]!;

export function localPlatform(folder: string): Platform {
  const provider = createLocalProvider({
    home: join(folder, 'home'),
    runtimeDir: join(import.meta.dirname, '../../../dist'),
    supervisor: join(import.meta.dirname, '../../../templates/supervise.sh'),
    node: process.execPath,
    environment: process.env,
  });
  const crash = async () => {
    const file = join(folder, 'home/clusters/demo/processes/jobmanager-0/process.json');
    const text = await readFile(file, 'utf8');
    process.kill(-(JSON.parse(text) as { supervisor: { pid: number } }).supervisor.pid, 'SIGKILL');
  };
  return { provider, crash, close: () => provider.close() };
}

/** What a deployment asks for. */
export interface Wish {
  /** Another one is another release. */
  readonly version?: number;
  readonly stuck?: number;
  readonly dies?: boolean;
  readonly suspendMs?: number;
  readonly retention?: string;
}

const defaults = { version: 1, stuck: -1, dies: false, suspendMs: 0, retention: '24h' };

/** One that was killed at one of its calls. */
export type Killed = Pick<FailingAt, 'calls' | 'failed'>;

const dead = () => new Error('the client is dead');

/** Two jobs, with state. */
export class CounterWorld {
  readonly id = demo;
  /** Folder of all that outlives a process. */
  readonly state: string;
  readonly #platform: Platform;
  readonly #project: Project;

  private constructor(platform: Platform, project: Project) {
    this.#platform = platform;
    this.#project = project;
    this.state = join(project.folder, 'counted');
    mkdirSync(this.state);
  }

  static async open(platform: (folder: string) => Platform): Promise<CounterWorld> {
    const project = await Project.with({ 'app.ts': '', program });
    return new CounterWorld(platform(project.folder), project);
  }

  async close(): Promise<void> {
    const { clusters } = await this.provider.list({ signal });
    for (const id of clusters) {
      await this.provider.destroy(id, { fence: null, deleteState: true, signal });
    }
    await this.#platform.close();
    await this.#project[Symbol.asyncDispose]();
  }

  get provider(): Provider {
    return this.#platform.provider;
  }

  get record() {
    return this.provider.record(this.id);
  }

  crash(): Promise<void> {
    return this.#platform.crash();
  }

  site(provider = this.provider, engine: Engine = counterEngine) {
    return { provider, engines: { counter: async () => engine }, clock: quick, signal };
  }

  async input(
    wish: Wish = {},
    provider = this.provider,
    engine: Engine = counterEngine,
  ): Promise<DeployInput> {
    const { retention, ...given } = { ...defaults, ...wish };
    const args = { state: this.state, jobs: 2, ...given };
    const yaml = [
      'cluster: demo',
      'security: { auth: none }',
      `retention: ${retention}`,
      'taskmanager: { replicas: 1 }',
      'application:',
      '  entry: ./app.ts',
      `  args: ${JSON.stringify(args)}`,
    ];
    await this.#project.write('fctl.config.yaml', yaml.join('\n'));
    const loaded = await this.#project.load({ requireApplication: true });
    const file = join(this.#project.folder, 'program');
    return {
      ...this.site(provider, engine),
      config: loaded.config,
      maskedConfig: maskedConfig(loaded),
      today: null,
      onUnknownKeys: () => {},
      bundle: { hash: sha256(program), file, sizeBytes: program.length },
      bundlesDir: this.#project.folder,
      engine,
      problems: [],
      hooks: null,
    };
  }

  options(change: Partial<OperationOptions> = {}): OperationOptions {
    return {
      signal,
      redactor: new Redactor(),
      onEvent: () => {},
      healthTimeoutMs: 200_000,
      lockWaitMs: 0,
      allowStateLoss: false,
      rollbackOnFailure: false,
      ...change,
    };
  }

  async deploy(wish: Wish = {}, change: Partial<OperationOptions> = {}) {
    return deploy(await this.input(wish), this.options(change));
  }

  async rollback(provider = this.provider, engine: Engine = counterEngine) {
    const input = await this.input({}, provider, engine);
    return rollback(input, this.id, null, this.#project.folder, this.options());
  }

  releases() {
    return readReleases(this.record);
  }

  /** What happened to one job. */
  eventsOf(job: number): readonly Event[] {
    return readHistory(this.state).filter((event) => event.job === job);
  }

  /** How far it had counted each time that this happened to it. */
  counts(job: number, what: Event['what']): readonly number[] {
    return this.eventsOf(job).flatMap((event) => (event.what === what ? event.count : []));
  }

  /** Waits until each job has completed a checkpoint. */
  async checkpointed(): Promise<void> {
    const jobs = () => readdir(join(this.state, 'checkpoints')).catch(() => []);
    while ((await jobs()).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** A client that dies after its `k`-th call, of its provider or of its engine; 0: it does not. */
  async killedAt(
    k: number,
    act: (provider: Provider, engine: Engine) => Promise<unknown>,
  ): Promise<Killed> {
    const killed = failingAt(this.provider, k, dead, 'after', 'dead');
    await act(killed.provider, mortal(killed.provider)).catch(() => {});
    return killed;
  }
}

/** An engine whose calls die with its client, before or after them: there it asks for a list. */
function mortal(provider: Provider): Engine {
  const { state } = counterEngine;
  const live = () => provider.list({ signal });
  return {
    ...counterEngine,
    state: {
      ...state,
      suspend: async (...asked) => {
        await live();
        await state.suspend(...asked);
        await live();
      },
      find: async (...asked) => {
        await live();
        return state.find(...asked);
      },
      lastCheckpoint: async (...asked) => {
        await live();
        return state.lastCheckpoint(...asked);
      },
    },
  };
}
