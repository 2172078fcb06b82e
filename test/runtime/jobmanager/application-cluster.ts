/** An application on real processes: a JobManager that a test kills and starts again, and a TaskManager. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type DocumentName,
  type Documents,
  type OutcomeDocument,
  PROTOCOL_VERSION,
} from '../../../src/record/documents.ts';
import { ProcessEnvironment } from '../../../src/contract/environment.ts';
import { createFileStore } from '../../../src/record/drivers/file.ts';
import { readDocument } from '../../../src/record/record.ts';
import type { JobManagerConfig, TaskManagerConfig } from '../../../src/contract/runtime-config.ts';
import { bundleApplication } from '../../../src/packaging/bundle.ts';

const scriptOf = (role: 'jobmanager' | 'taskmanager') =>
  fileURLToPath(new URL(`../../../src/runtime/${role}/main.ts`, import.meta.url));

const network = {
  bufferTimeoutMs: 5,
  bufferSizeBytes: 32 * 1024,
  channelCreditBytes: 256 * 1024,
  maxFrameBytes: 8 * 1024 * 1024,
};

export class ApplicationCluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'fctl-app-'));
  bundle!: { readonly hash: string; readonly file: string };
  readonly #processes: { readonly child: ChildProcess; readonly ended: Promise<unknown> }[] = [];

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Bundles the source; `here` is the cluster's folder, where processes also work. */
  async application(source: string): Promise<void> {
    mkdirSync(this.path('src'), { recursive: true });
    const entry = this.path('src/app.ts');
    await writeFile(entry, `const here = ${JSON.stringify(this.folder)};\n${source}`);
    const cacheDir = this.path('bundles');
    this.bundle = await bundleApplication({ entry, projectDir: this.folder, cacheDir });
  }

  /** Starts the JobManager, or starts it again. */
  jobManager(over: Partial<JobManagerConfig> = {}): Promise<ChildProcess> {
    const { file, hash } = this.bundle;
    return this.#start('jobmanager', {
      ...this.#common('jobmanager'),
      role: 'jobmanager',
      mode: 'application',
      rest: { bind: '127.0.0.1', port: 0, maxBodyBytes: 1e7, hosts: [], allowedOrigins: [] },
      taskManagers: 1,
      slotRequestTimeoutMs: 30_000,
      loadBalanceMode: 'none',
      restart: { strategy: 'none' },
      maxConcurrentRestarts: 10,
      cancellationTimeoutMs: 300,
      submissionTimeoutMs: 1000,
      application: {
        bundleHash: hash,
        bundleFile: file,
        workingDirectory: this.folder,
        args: {},
        secretArgsFile: null,
        secretArgsHash: null,
      },
      parallelism: 1,
      storage: { scope: 'common', shared: [] },
      network,
      effectiveConfig: {},
      ...over,
    } satisfies JobManagerConfig);
  }

  taskManager(): Promise<ChildProcess> {
    return this.#start('taskmanager', {
      ...this.#common('taskmanager'),
      role: 'taskmanager',
      slots: 3,
      memoryBytes: 1024 * 1024 * 1024,
      advertise: null,
      bind: '127.0.0.1',
      registrationTimeoutMs: 60_000,
      cancellationTimeoutMs: 300,
      workingDirectory: this.folder,
      network,
    } satisfies TaskManagerConfig);
  }

  #common(role: 'jobmanager' | 'taskmanager') {
    const resourceId = `${role}-0`;
    return {
      protocol: PROTOCOL_VERSION,
      clusterId: 'app',
      release: 'r1',
      resourceId,
      record: pathToFileURL(this.path('record')).href,
      heartbeat: { intervalMs: 200, timeoutMs: 20_000 },
      logging: {
        level: 'info',
        directory: this.path('logs'),
        maxSizeBytes: 10_000_000,
        maxFiles: 1,
      },
      auth: 'none',
      workDir: this.path(`work-${role}`),
    } as const;
  }

  async #start(name: 'jobmanager' | 'taskmanager', config: object): Promise<ChildProcess> {
    await writeFile(this.path(`${name}.json`), JSON.stringify(config));
    const child = spawn(process.execPath, [scriptOf(name)], {
      env: { ...process.env, [ProcessEnvironment.config]: this.path(`${name}.json`) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    this.#processes.push({ child, ended });
    return child;
  }

  /** Lines that user code appended to a file. */
  lines(name: string): string[] {
    if (!existsSync(this.path(name))) return [];
    return readFileSync(this.path(name), 'utf8').trimEnd().split('\n');
  }

  /** Lets go on what waits for the file. */
  open(gate: string): void {
    appendFileSync(this.path(gate), '');
  }

  async #read<N extends DocumentName>(name: N): Promise<Documents[N] | null> {
    return (await readDocument(createFileStore(this.path('record')), name)).value;
  }

  jobs = async () => (await this.#read('jobs'))?.jobs ?? [];
  endpoint = () => this.#read('endpoint');

  hasOutcome = async () => (await this.#read('outcome')) !== null;

  /** Waits for it. */
  async outcome(): Promise<OutcomeDocument> {
    await this.until(this.hasOutcome);
    return (await this.#read('outcome'))!;
  }

  /** Polls: there is no event for what it waits for. */
  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const end = Date.now() + 60_000;
    while (!(await condition())) {
      if (Date.now() > end) throw new Error(`it did not come to be: ${this.#logs()}`);
      await delay(10);
    }
  }

  #logs(): string {
    const logs = ['jobmanager', 'taskmanager'].flatMap((role) => this.lines(`logs/${role}-0.log`));
    return logs.join('\n').slice(-5000);
  }

  async kill(child: ChildProcess): Promise<void> {
    child.kill('SIGKILL');
    await this.#processes.find((process) => process.child === child)?.ended;
  }

  async close(): Promise<void> {
    for (const { child } of this.#processes) child.kill('SIGKILL');
    await Promise.all(this.#processes.map(({ ended }) => ended));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
