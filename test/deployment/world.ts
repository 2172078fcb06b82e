/**
 * A world for operations on clusters, all in memory: a platform, an engine whose JobManagers lead, run one job
 * and end when they are told to, clients of that platform, and a clock on which time passes by itself.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakePlatform, type MemoryProcess, openFake } from 'fctl/provider-testing';
import { maskedConfig } from '../../src/config/show.ts';
import { type ClusterId, parseClusterId } from '../../src/contract/cluster-id.ts';
import { sha256 } from '../../src/contract/hash.ts';
import { ApplicationStatus } from '../../src/contract/outcome.ts';
import { type ProcessSpec, Role } from '../../src/contract/process-spec.ts';
import type { JobDetails } from '../../src/contract/rest.ts';
import { deploy } from '../../src/deployment/deploy.ts';
import { destroyCluster } from '../../src/deployment/destroy.ts';
import type { DeployInput } from '../../src/deployment/operation/desired.ts';
import type { DeployEvent } from '../../src/deployment/operation/progress.ts';
import type { OperationOptions, OperationResult } from '../../src/deployment/operation/stages.ts';
import { restart } from '../../src/deployment/restart.ts';
import { rollback } from '../../src/deployment/rollback.ts';
import { scale } from '../../src/deployment/scale.ts';
import { type ClusterApi, ClusterApiError } from '../../src/engines/cluster-api.ts';
import type { Engine } from '../../src/engines/engine.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { DocumentName, PROTOCOL_VERSION } from '../../src/record/documents.ts';
import { readDocument, readRuns } from '../../src/record/record.ts';
import { load } from '../config/project.ts';
import { FastClock } from './fast-clock.ts';

const id: ClusterId = parseClusterId('demo');

/** Configs by their text: a hundred worlds want the same one. */
const configs = new Map<string, ReturnType<typeof load>>();

function loadOnce(yaml: string): ReturnType<typeof load> {
  const loaded = configs.get(yaml) ?? load(yaml);
  configs.set(yaml, loaded);
  return loaded;
}

export interface WorldOptions {
  /** JobManagers of a cluster. Default: 1. */
  readonly jobManagers?: number;
  /** Whether the job has state. Default: no. */
  readonly isStateful?: boolean;
  /** Whether `main()` executes its job, or waits for something else. Default: yes. */
  readonly executes?: boolean;
}

/** What a deployment asks for. */
export interface Wish {
  readonly taskManagers?: number;
  readonly slots?: number;
  /** Content of the application. */
  readonly application?: string;
}

export class World {
  readonly clock = new FastClock();
  readonly platform: FakePlatform;
  readonly events: DeployEvent[] = [];
  /** JobManagers that start do not lead while this is false. */
  letsLead = true;
  /** How many registered TaskManagers a JobManager admits to. */
  registers = Infinity;
  /** How often the job failed and started again. */
  failures = 0;
  readonly #folder = mkdtempSync(join(tmpdir(), 'fctl-world-'));
  readonly #options: WorldOptions;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.platform = new FakePlatform({
      now: () => this.clock.now(),
      onStart: (process) => {
        if (process.start.spec.role === Role.jobmanager) void this.#begin(process);
      },
    });
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  provider(): Provider {
    return openFake(this.platform);
  }

  /** What a client needs to ask about clusters. */
  site(provider = this.provider(), signal = new AbortController().signal) {
    return { provider, engines: { bundled: async () => this.engine }, clock: this.clock, signal };
  }

  /** `jobmanager-0 running`, in the order of their names. */
  async processes(): Promise<string[]> {
    const observed = await this.provider().observe(id, this.site());
    return (observed?.processes ?? []).map(({ name, status }) => `${name} ${status}`);
  }

  /** Which slots the running TaskManagers have, and their releases: each different one once. */
  async slots(): Promise<string[]> {
    const observed = await this.provider().observe(id, this.site());
    const found = (observed?.processes ?? []).filter(({ role }) => role === Role.taskmanager);
    return [...new Set(found.map(({ spec }) => spec!.environment['SLOTS']!))];
  }

  async releases(): Promise<string[]> {
    const { releases } = await readRuns(this.provider().record(id));
    return releases.map(({ cause, status }) => `${cause} ${status}`);
  }

  async outcome() {
    return (await readDocument(this.provider().record(id), DocumentName.outcome)).value;
  }

  options(change: Partial<OperationOptions> = {}): OperationOptions {
    return {
      signal: new AbortController().signal,
      onEvent: (event) => this.events.push(event),
      healthTimeoutMs: 60_000,
      lockWaitMs: 0,
      allowStateLoss: false,
      rollbackOnFailure: false,
      redactor: { mask: (text) => text },
      ...change,
    };
  }

  async input(wish: Wish = {}, provider = this.provider()): Promise<DeployInput> {
    const { application = 'first', slots = 1, taskManagers = 2 } = wish;
    const content = `// ${application}`;
    const hash = sha256(content);
    const file = join(this.#folder, `${hash}.mjs`);
    writeFileSync(file, content);
    const yaml = `cluster: demo\napplication: { entry: ./app.ts }\ntaskmanager: { replicas: ${taskManagers}, slots: ${slots} }\n`;
    const loaded = await loadOnce(yaml);
    return {
      ...this.site(provider),
      config: { ...loaded.config, projectDir: this.#folder },
      maskedConfig: maskedConfig(loaded),
      today: null,
      bundle: { hash, file, sizeBytes: content.length },
      bundlesDir: this.#folder,
      engine: this.engine,
      problems: [],
      hooks: null,
      onUnknownKeys: () => {},
    };
  }

  async deploy(
    wish: Wish = {},
    change: Partial<OperationOptions> = {},
    provider = this.provider(),
  ) {
    return deploy(await this.input(wish, provider), this.options(change));
  }

  async rollback(provider = this.provider()): Promise<OperationResult> {
    const input = await this.input({}, provider);
    return rollback(input, id, null, this.#folder, this.options());
  }

  #running(provider: Provider) {
    return {
      ...this.site(provider),
      engine: this.engine,
      clusterId: id,
      today: null,
      hooks: null,
      onUnknownKeys: () => {},
    };
  }

  scale(count: number, provider = this.provider()): Promise<OperationResult> {
    return scale(this.#running(provider), count, this.options());
  }

  /** @param choice of processes. Default: all. */
  restart(
    provider = this.provider(),
    choice: Parameters<typeof restart>[1] = { process: null, role: null },
  ): Promise<OperationResult> {
    return restart(this.#running(provider), choice, this.options());
  }

  destroy(provider = this.provider()): Promise<readonly string[]> {
    const { signal } = new AbortController();
    const options = { lockWaitMs: 0, deleteState: false, signal };
    return destroyCluster(this.site(provider), id, options);
  }

  /** A JobManager starts: it leads unless another one does. */
  async #begin({ start }: MemoryProcess): Promise<void> {
    const { clusterId, name } = start;
    if (!this.letsLead) return;
    const { endpoint, isReleaseOver } = await readRuns(this.platform.cluster(clusterId).record);
    const leader = endpoint?.jobmanager.resourceId.split('/')[0] ?? '';
    const other = this.platform.cluster(clusterId).processes.get(leader);
    if (leader !== name && other?.status === 'running' && !isReleaseOver) return;
    await this.lead(name);
  }

  /** A JobManager leads from now on, and runs the job. */
  async lead(name: string): Promise<void> {
    const { epoch } = await this.platform.lead(id, name, `http://${id}`);
    const { record } = this.platform.cluster(id);
    const { version } = await readDocument(record, DocumentName.jobs);
    const job = {
      id: 'a'.repeat(32),
      name: 'endless',
      executeIndex: 0,
      graphHash: '',
      argsHash: '',
      boundedness: 'unbounded',
      vertices: [
        {
          id: 'v',
          name: 'v',
          parallelism: 1,
          maxParallelism: 1,
          stateful: this.#options.isStateful ?? false,
        },
      ],
      startTime: this.clock.now(),
      attempts: [],
      outcome: null,
      collected: {},
      collectedError: null,
    };
    const document = { protocol: PROTOCOL_VERSION, release: '', epoch, startTime: 0, jobs: [job] };
    await record.write(DocumentName.jobs, document, version);
  }

  /** The application ends: its outcome is written, and all processes are gone. */
  async end(status: ApplicationStatus): Promise<void> {
    const { record, processes } = this.platform.cluster(id);
    const { endpoint } = await readRuns(record);
    const { version } = await readDocument(record, DocumentName.outcome);
    const times = { startTime: this.clock.now(), endTime: this.clock.now() };
    const outcome = {
      protocol: PROTOCOL_VERSION,
      status,
      ...times,
      error: null,
      jobs: [],
      epoch: endpoint!.epoch,
    };
    await record.write(DocumentName.outcome, outcome, version);
    for (const name of processes.keys()) this.platform.exit(id, name);
  }

  readonly engine: Engine = {
    name: 'bundled', // the config knows no other name
    version: '1',
    state: null,
    clusterSpec: (config, bundle, token, release) => {
      const process = (
        role: Role,
        count: number,
        environment: Record<string, string>,
      ): ProcessSpec => ({
        role,
        count,
        command: [role],
        environment,
        files:
          bundle === null || role === Role.taskmanager
            ? []
            : [{ type: 'artifact', hash: bundle.hash }],
        resources: { cpu: 1, memoryBytes: 1 },
        ports: [],
        secrets: ['token'],
        readiness: null,
        stop: { signal: 'SIGTERM', gracePeriodMs: 1000 },
        labels: {
          'fctl.dev/cluster': config.cluster,
          'fctl.dev/release': release,
          'fctl.dev/role': role,
          'fctl.dev/mode': config.mode,
        },
      });
      const { replicas, slots } = config.taskmanager;
      return {
        clusterId: config.cluster,
        release,
        mode: config.mode,
        transient: false,
        runtime: { kind: 'fctl' },
        retentionMs: config.retentionMs,
        processes: [
          process(Role.jobmanager, this.#options.jobManagers ?? 1, {}),
          process(Role.taskmanager, replicas, { SLOTS: String(slots) }),
        ],
        artifacts: bundle === null ? [] : [{ ...bundle, name: 'application bundle' }],
        clientDir: config.projectDir,
        secrets: { token: token ?? 'none' },
      };
    },
    explain: (before, after) => {
      const facts = ({ environment, files }: ProcessSpec) => JSON.stringify([environment, files]);
      return facts(before) === facts(after) ? [] : ['what it runs'];
    },
    cluster: () => this.#api(),
  };

  #api(): ClusterApi {
    /** Asks the JobManager that leads, which has to run for that. */
    const ask = async <T>(answer: () => T): Promise<T> => {
      const { cluster } = this.platform;
      const { endpoint } = await readRuns(cluster.call(this.platform, id).record);
      const leader = endpoint?.jobmanager.resourceId.split('/')[0] ?? '';
      const process = cluster.call(this.platform, id).processes.get(leader);
      if (process?.status !== 'running') throw new ClusterApiError('silent', 'nobody is there');
      return answer();
    };
    const job = {
      jid: 'a'.repeat(32),
      name: 'endless',
      state: 'RUNNING',
      'job-type': 'STREAMING',
      'start-time': 0,
      vertices: [{ status: 'RUNNING' }],
    } as unknown as JobDetails;
    const names = () =>
      [...this.platform.cluster(id).processes.values()]
        .filter(({ start, status }) => start.spec.role === Role.taskmanager && status === 'running')
        .map(({ start }) => start.name);
    const cancel = async () => {
      await ask(() => null);
      await this.end(ApplicationStatus.canceled);
    };
    return {
      info: () =>
        ask(() => ({
          protocol: PROTOCOL_VERSION,
          clusterId: id,
          release: '',
          epoch: 1,
          mode: 'application',
          startTime: 0,
          application: { status: 'RUNNING', startTime: 0, endTime: null, error: null },
        })),
      taskManagers: () =>
        ask(() =>
          names()
            .slice(0, this.registers)
            .map((name) => ({ name, isIdle: false })),
        ),
      jobsOn: () => ask(() => new Set([job.jid])),
      jobs: () =>
        ask(() => (this.#options.executes === false ? [] : [job])) as unknown as ReturnType<
          ClusterApi['jobs']
        >,
      job: () => ask(() => job),
      attempts: (jobId) =>
        ask(() => ({
          jobId,
          name: job.name,
          state: job.state,
          attempts: [
            { attempt: this.failures, epoch: 1, startTime: 0, endTime: null, state: 'RUNNING' },
          ],
        })),
      exceptions: () => ask(() => []),
      failureOf: () => ask(() => 'Error: it always fails'),
      cancelJob: async () => {},
      cancelApplication: cancel,
      shutDown: cancel,
    };
  }
}
