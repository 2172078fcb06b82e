/**
 * A real Apache Flink on loopback: a JobManager and TaskManagers, started by the distribution's own
 * scripts in the foreground (they become the JVM, so that its pid is the child's).
 *
 * Stages: starting (configuration, processes, REST answers, slots are there), running, stopped.
 *
 * F1  Everything that a cluster writes lies in a folder of its own, which is gone after `stop`.
 * F2  Only processes that were started here are ended, and none outlives this process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { FlinkRestClient } from '../../../src/flink-rest/client.ts';
import { flinkHome, testJar } from './installation.ts';

const startLimitMs = 240_000;
const stopLimitMs = 10_000;
const pollMs = 20;

interface FlinkOptions {
  /** Default 1. */
  readonly taskManagers?: number;
  /** Of each TaskManager; default 1. */
  readonly slots?: number;
  /** Arguments of TestJob, which then is what the cluster is for: application mode. */
  readonly application?: readonly string[];
  readonly config?: Readonly<Record<string, string | number>>;
}

export class FlinkCluster {
  /** Of the REST API. */
  readonly url: string;
  readonly client: FlinkRestClient;
  readonly #folder: string;
  readonly #processes: ChildProcess[] = [];
  readonly #endAll = () => {
    for (const process of this.#processes) process.kill('SIGKILL'); // F2
  };

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.url = `http://127.0.0.1:${port}`;
    this.client = new FlinkRestClient({ url: this.url, token: null, timeoutMs: 30_000 });
    process.once('exit', this.#endAll);
  }

  /** Starts the processes, all at once, and returns before any of them is ready. */
  static async launch(options: FlinkOptions = {}): Promise<FlinkCluster> {
    const { taskManagers = 1, application } = options;
    const [rest, rpc] = await freePorts();
    const folder = await mkdtemp(join(tmpdir(), 'fctl-flink-'));
    const cluster = new FlinkCluster(folder, rest);
    await configure(folder, { rest, rpc }, options);
    if (application === undefined) cluster.#spawn('jobmanager.sh', 'start-foreground');
    else {
      const main = ['--job-classname', 'TestJob', ...application];
      cluster.#spawn('standalone-job.sh', 'start-foreground', ...main);
    }
    for (let i = 0; i < taskManagers; i++) cluster.#spawn('taskmanager.sh', 'start-foreground');
    return cluster;
  }

  /** Launches a session cluster and waits for all of its slots. */
  static async start(options: FlinkOptions = {}): Promise<FlinkCluster> {
    const cluster = await FlinkCluster.launch(options);
    await cluster.ready((options.taskManagers ?? 1) * (options.slots ?? 1));
    return cluster;
  }

  /** Stops the cluster when it does not get there. */
  async ready(slots: number): Promise<void> {
    try {
      await this.#until(`${slots} slots`, async () => {
        const overview = await this.client.overview().catch(() => null);
        return overview?.['slots-total'] === slots;
      });
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Runs TestJob in a session, and leaves no jar there. @returns the job's id */
  async submit(...args: readonly string[]): Promise<string> {
    const jar = await this.upload();
    const id = await this.run(jar, ...args);
    await fetch(`${this.url}/jars/${jar}`, { method: 'DELETE' });
    return id;
  }

  /** Uploads TestJob. @returns the jar's id */
  async upload(): Promise<string> {
    const form = new FormData();
    const jar = new File([await readFile(testJar)], 'test-job.jar');
    form.set('jarfile', jar);
    const uploaded = await this.#post<{ filename: string }>('/jars/upload', form);
    return uploaded.filename.split('/').at(-1)!;
  }

  /** @returns the job's id */
  async run(jar: string, ...args: readonly string[]): Promise<string> {
    const run = JSON.stringify({ programArgsList: args });
    return (await this.#post<{ jobid: string }>(`/jars/${jar}/run`, run)).jobid;
  }

  /** Pids: the JobManager's, then the TaskManagers'. */
  get pids(): readonly number[] {
    return this.#processes.map(({ pid }) => pid!);
  }

  /** What the processes whose name has this in it wrote to stdout. */
  output(name: 'taskexecutor' | 'standalone'): string {
    const logs = join(this.#folder, 'log');
    const files = readdirSync(logs).filter((file) => file.includes(name) && file.endsWith('.out'));
    return files.map((file) => readFileSync(join(logs, file), 'utf8')).join('');
  }

  /** Waits for the JobManager's process to end by itself. */
  async ended(): Promise<void> {
    const [jobManager] = this.#processes as [ChildProcess];
    if (!hasEnded(jobManager)) await once(jobManager, 'exit');
  }

  async stop(): Promise<void> {
    process.off('exit', this.#endAll);
    // TaskManagers first, or they would tell of a JobManager that is lost.
    await Promise.all(this.#processes.toReversed().map(end));
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 }); // F1
  }

  #spawn(script: string, ...args: readonly string[]): void {
    const child = spawn(join(flinkHome, 'bin', script), args, {
      stdio: 'ignore',
      env: {
        ...process.env,
        FLINK_CONF_DIR: join(this.#folder, 'conf'),
        FLINK_LOG_DIR: join(this.#folder, 'log'),
        FLINK_PID_DIR: join(this.#folder, 'pid'),
        FLINK_IDENT_STRING: 'rig',
        HOSTNAME: 'localhost',
        STD_REDIRECT_TO_FILE: 'true',
      },
    });
    this.#processes.push(child);
  }

  async #until(what: string, probe: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + startLimitMs;
    while (!(await probe())) {
      const lost = this.#processes.some(hasEnded);
      if (lost || performance.now() > end) {
        const why = lost ? 'a process ended' : `not within ${startLimitMs} ms`;
        throw new Error(`Flink: ${what}: ${why}\n${this.#logTails()}`);
      }
      await delay(pollMs);
    }
  }

  #logTails(): string {
    const folder = join(this.#folder, 'log');
    const tail = (file: string) => readFileSync(join(folder, file), 'utf8').split('\n').slice(-20);
    return readdirSync(folder)
      .flatMap((file) => [`--- ${file}`, ...tail(file)])
      .join('\n');
  }

  async #post<T>(path: string, body: FormData | string): Promise<T> {
    const headers = typeof body === 'string' ? { 'content-type': 'application/json' } : {};
    const answer = await fetch(this.url + path, { method: 'POST', body, headers });
    if (!answer.ok) throw new Error(`Flink: ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}

async function configure(
  folder: string,
  ports: { readonly rest: number; readonly rpc: number },
  { slots = 1, config }: FlinkOptions,
): Promise<void> {
  for (const name of ['pid', 'log', 'tmp']) await mkdir(join(folder, name));
  await cp(join(flinkHome, 'conf'), join(folder, 'conf'), { recursive: true });
  const file = join(folder, 'conf/config.yaml');
  const shipped = parse(await readFile(file, 'utf8')) as {
    readonly env: { readonly java: { readonly opts: { readonly all: string } } };
  };
  const settings = {
    // Without them Flink does not run on the Java that it wants.
    'env.java.opts.all': shipped.env.java.opts.all,
    'jobmanager.rpc.address': '127.0.0.1',
    'jobmanager.rpc.port': ports.rpc,
    'jobmanager.bind-host': '127.0.0.1',
    'jobmanager.memory.process.size': '1600m',
    'rest.address': '127.0.0.1',
    'rest.port': ports.rest,
    'rest.bind-address': '127.0.0.1',
    'taskmanager.host': '127.0.0.1',
    'taskmanager.bind-host': '127.0.0.1',
    'taskmanager.memory.process.size': '1728m',
    'taskmanager.numberOfTaskSlots': slots,
    'parallelism.default': 1,
    'io.tmp.dirs': join(folder, 'tmp'),
    ...config,
  };
  await writeFile(file, stringify(settings, { lineWidth: 0 }));
}

/** Two ports that were free just now. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const;
  const port = async (server: (typeof servers)[number]) => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const ports: [number, number] = [await port(servers[0]), await port(servers[1])];
  for (const server of servers) server.close();
  return ports;
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) =>
  exitCode !== null || signalCode !== null;

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const killing = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
  await exited;
  clearTimeout(killing);
}
