/**
 * TaskManager processes, real ones, and the scheduling part of a JobManager in this process: real RPC,
 * dispatcher and coordinators, without REST, leadership and `main()`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JobOutcome } from '../../../src/contract/outcome.ts';
import { type DocumentName, PROTOCOL_VERSION } from '../../../src/record/documents.ts';
import { ProcessEnvironment } from '../../../src/contract/environment.ts';
import { createFileStore } from '../../../src/record/drivers/file.ts';
import { sha256 } from '../../../src/contract/hash.ts';
import type { JsonObject, JsonValue } from '../../../src/contract/json.ts';
import type { HeartbeatConfig, TaskManagerConfig } from '../../../src/contract/runtime-config.ts';
import { compileJob } from '../../../src/graph/compile.ts';
import { loadBundle } from '../../../src/application/load-bundle.ts';
import { createCoordinators } from '../../../src/runtime/jobmanager/scheduler/coordinators.ts';
import { Dispatcher } from '../../../src/runtime/jobmanager/dispatcher/dispatcher.ts';
import { ResourceManager } from '../../../src/runtime/jobmanager/resources/resource-manager.ts';
import { SlotManager } from '../../../src/runtime/jobmanager/resources/slot-manager.ts';
import { systemClock } from '../../../src/contract/clock.ts';
import { createRpcServer } from '../../../src/runtime/rpc/server.ts';
import { memoryJournal } from '../jobmanager/dispatcher/memory-journal.ts';
import { silentLogger } from '../jobmanager/silent-logger.ts';
import { Redactor } from '../../../src/contract/secrets.ts';

const script = fileURLToPath(new URL('../../../src/runtime/taskmanager/main.ts', import.meta.url));
const clusterId = 'tasks';
const token = 'a token of the test';
const patient = { intervalMs: 200, timeoutMs: 20_000 };

const network = {
  bufferTimeoutMs: 20,
  bufferSizeBytes: 32 * 1024,
  channelCreditBytes: 256 * 1024,
  maxFrameBytes: 8 * 1024 * 1024,
};

export interface JobRun {
  readonly outcome: JobOutcome;
  readonly collected: Readonly<Record<string, JsonValue>>;
}

export interface StartedJob {
  readonly jobId: string;
  /** Waits for its end. */
  result(): Promise<JobRun>;
  /** Waits until all its tasks run. */
  running(): Promise<void>;
}

export interface TestClusterOptions {
  readonly cancellationTimeoutMs?: number;
  readonly heartbeat?: HeartbeatConfig;
}

export class TestCluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'fctl-tm-'));
  readonly resources: ResourceManager;
  readonly dispatcher: Dispatcher;
  readonly processes: ChildProcess[] = [];
  readonly exits: Promise<number | null>[] = [];
  private readonly server: Server;
  private readonly bundles = new Map<string, string>();
  private rpc!: { close(): void };
  private nextId = 1;
  private readonly heartbeat: HeartbeatConfig;
  private isDamaging = false;

  constructor(options: TestClusterOptions = {}) {
    const { heartbeat = patient } = options;
    this.heartbeat = heartbeat;
    this.resources = new ResourceManager({
      slots: new SlotManager(() => this.newId(), 'slots'),
      epoch: 1,
      resourceId: 'jobmanager-0/1',
      heartbeat,
      events: () => this.dispatcher,
      logger: silentLogger,
      clock: systemClock,
    });
    this.dispatcher = new Dispatcher({
      journal: memoryJournal(1, systemClock),
      slots: this.resources,
      blobs: { find: async () => ({ file: '/bundle', sizeBytes: 1 }) },
      checkLeadership: async () => {},
      createCoordinators,
      workingDirectory: this.folder,
      network,
      storage: { scope: 'common', shared: [] },
      slotRequestTimeoutMs: 20_000,
      restart: { strategy: 'none' },
      maxConcurrentRestarts: 10,
      random: () => 0.5,
      cancellationTimeoutMs: options.cancellationTimeoutMs ?? 10_000,
      newId: () => this.newId(),
      redactor: new Redactor(),
      logger: silentLogger,
      clock: systemClock,
    });
    this.server = createServer((request, response) => {
      const text = this.bundles.get((request.url ?? '').split('/').at(-1) ?? '');
      const isWelcome = request.headers.authorization === `Bearer ${token}`;
      response.statusCode = isWelcome ? (text === undefined ? 404 : 200) : 401;
      response.end(this.isDamaging ? `${text} ` : (text ?? ''));
    });
  }

  async start(): Promise<void> {
    const { heartbeat } = this;
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.rpc = createRpcServer({
      server: this.server,
      token,
      envelope: { clusterId, resourceId: 'jobmanager-0/1', epoch: 1 },
      heartbeat,
      maxFrameBytes: 64 * 1024 * 1024,
      connected: (connection) => this.resources.connected(connection),
    });
    const { port } = this.server.address() as AddressInfo;
    await this.record('endpoint', {
      protocol: PROTOCOL_VERSION,
      rest: `http://127.0.0.1:${port}`,
      rpc: `ws://127.0.0.1:${port}/fctl/v1/rpc`,
      epoch: 1,
      jobmanager: { resourceId: 'jobmanager-0/1', pid: process.pid },
    });
    writeFileSync(join(this.folder, 'token'), token);
  }

  /** Starts a TaskManager process; does not wait for its registration. */
  taskManager(name: string, over: Partial<TaskManagerConfig> = {}): ChildProcess {
    const folder = join(this.folder, name);
    mkdirSync(folder);
    const config: TaskManagerConfig = {
      role: 'taskmanager',
      protocol: PROTOCOL_VERSION,
      clusterId,
      release: 'r',
      resourceId: name,
      record: pathToFileURL(join(this.folder, 'record')).href,
      heartbeat: this.heartbeat,
      logging: { level: 'debug', directory: folder, maxSizeBytes: 10_000_000, maxFiles: 2 },
      auth: 'token',
      slots: 1,
      memoryBytes: 1024 * 1024 * 1024,
      advertise: null,
      bind: '127.0.0.1',
      registrationTimeoutMs: 10_000,
      cancellationTimeoutMs: 10_000,
      workDir: join(folder, 'work'),
      workingDirectory: this.folder,
      network,
      ...over,
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const child = spawn(process.execPath, [script], {
      env: {
        ...process.env,
        [ProcessEnvironment.config]: join(folder, 'config.json'),
        [ProcessEnvironment.tokenFile]: join(this.folder, 'token'),
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    this.processes.push(child);
    this.exits.push(new Promise((resolve) => child.once('exit', (code) => resolve(code))));
    return child;
  }

  /** Compiles the job of that name in a bundle and submits it. */
  async submit(
    source: string,
    job: string,
    options: { readonly parallelism?: number } = {},
  ): Promise<StartedJob> {
    const bundleHash = sha256(source);
    const file = join(this.folder, `${bundleHash}.mjs`);
    writeFileSync(file, source);
    this.bundles.set(bundleHash, source);
    const { registry } = await loadBundle(file);
    const definition = registry.jobs.get(job);
    if (definition === undefined) throw new Error(`no job ${job}`);
    const { parallelism = 2 } = options;
    const { graph } = compileJob(definition, {}, { bundleHash, parallelism });
    const jobId = this.newId();
    const submitted = await this.dispatcher.submit({
      jobId,
      graph: graph as unknown as JsonObject,
    });
    if (submitted.type === 'refused') throw new Error(submitted.message);
    return {
      jobId,
      result: async () => {
        const result = await this.dispatcher.result(jobId, 25_000);
        if (!result?.outcome) throw new Error(`the job did not end: ${this.logs()}`);
        return { outcome: result.outcome, collected: result.collected };
      },
      running: () =>
        this.until(() =>
          this.dispatcher
            .job(jobId)!
            .view()
            .vertices.every((vertex) =>
              vertex.subtasks.every((subtask) => subtask.state === 'RUNNING'),
            ),
        ),
    };
  }

  /** Polls; there is no event for what it waits for. */
  async until(condition: () => boolean, timeoutMs = 60_000): Promise<void> {
    const end = Date.now() + timeoutMs;
    while (!condition()) {
      if (Date.now() > end) throw new Error(`it did not come to be: ${this.logs()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  logOf(name: string, stream: 'log' | 'out' = 'log'): string {
    return readFileSync(join(this.folder, name, `${name}.${stream}`), 'utf8');
  }

  /** From now on bundles are answered with other bytes than asked for. */
  damageBundles(): void {
    this.isDamaging = true;
  }

  /** Writes the first version of a document of the cluster's record. */
  async record(name: DocumentName, value: object): Promise<void> {
    await createFileStore(join(this.folder, 'record')).write(name, value, null);
  }

  /** Cuts all RPC connections and takes no more. */
  loseJobManager(): void {
    this.rpc.close();
  }

  async close(): Promise<void> {
    this.rpc.close();
    for (const child of this.processes) child.kill('SIGKILL');
    await Promise.all(this.exits);
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(this.folder, { recursive: true });
  }

  private logs(): string {
    return this.processes
      .map((_, i) => this.logOf(`taskmanager-${i}`))
      .join('\n')
      .slice(-6000);
  }

  private newId(): string {
    return (this.nextId++).toString(16).padStart(32, '0');
  }
}
