/** A project in a folder of its own, with a home of its own for its clusters, driven by the built CLI. */
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { createFileStore } from '../../src/record/drivers/file.ts';
import { readDocument } from '../../src/record/record.ts';

const launcher = resolve(import.meta.dirname, '../../bin/fctl.js');

export const imports =
  "import { CollectSink, CollectionSource, DiscardSink, FileSink, FileSource, GeneratorSource, defineJob, types } from 'fctl';";

export interface Answer {
  readonly exitCode: number | undefined;
  readonly stderr: string;
  /** The JSON document on stdout. */
  readonly json: {
    readonly ok: boolean;
    readonly command: string;
    readonly data: any; // oxlint-disable-line typescript/no-explicit-any
    readonly errors: readonly {
      readonly code: string;
      readonly message: string;
      readonly path: string | null;
      readonly line: number | null;
      readonly hint: string | null;
    }[];
  };
}

export class Project {
  readonly folder: string;
  readonly #timeoutMs: number;

  private constructor(folder: string, timeoutMs: number) {
    this.folder = folder;
    this.#timeoutMs = timeoutMs;
  }

  /** Where its clusters live. */
  get home(): string {
    return join(this.folder, 'home');
  }

  /** @param timeoutMs of one command. */
  static async create({ timeoutMs = 100_000 } = {}): Promise<Project> {
    const project = new Project(await mkdtemp(join(tmpdir(), 'fctl-cli-')), timeoutMs);
    await project.configure();
    return project;
  }

  async write(path: string, content: string): Promise<void> {
    await mkdir(dirname(join(this.folder, path)), { recursive: true });
    await writeFile(join(this.folder, path), content);
  }

  /** Lines of YAML beside those that every test needs. */
  async configure(...lines: string[]): Promise<void> {
    const base = ['cluster: demo', 'application:', '  entry: ./src/app.ts'];
    await this.write('fctl.config.yaml', [...base, ...lines, ''].join('\n'));
  }

  /** @param cwd default: the project's folder. */
  start(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    cwd = this.folder,
  ) {
    return execa(process.execPath, [launcher, ...args], {
      cwd,
      env: {
        FCTL_HOME: this.home,
        XDG_CONFIG_HOME: join(this.folder, 'user'),
        NO_COLOR: '1',
        ...environment,
      },
      reject: false,
      timeout: this.#timeoutMs,
    });
  }

  /** Runs it on a terminal of its own, made by util-linux' `script`. */
  terminal(...args: readonly string[]) {
    const command = [process.execPath, launcher, ...args].map((word) => `'${word}'`).join(' ');
    const child = spawn('script', ['-qefc', `stty cols 120 && exec ${command}`, '/dev/null'], {
      cwd: this.folder,
      env: { ...process.env, FCTL_HOME: join(this.folder, 'home'), NO_COLOR: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => (shown += String(chunk)));
    return {
      stdin: child.stdin,
      ended: new Promise<number | null>((resolve) => child.once('exit', resolve)),
      shows: (text: RegExp) =>
        eventually(() => text.test(shown)).catch(() => {
          throw new Error(`${text} was never shown:\n${shown}`);
        }),
    };
  }

  async run(...args: string[]): Promise<Answer> {
    const { exitCode, stdout, stderr } = await this.start([...args, '--json']);
    return { exitCode, stderr, json: JSON.parse(stdout) as Answer['json'] };
  }

  /** Pids of everything that this project's clusters started and that still runs. */
  running(): number[] {
    const mark = `FCTL_PROCESS_DIR=${this.home}`;
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => read(`/proc/${pid}/environ`).includes(mark))
      .map(Number);
  }

  /** Lines of a file that the application appends to; none while it is not there. */
  lines(name: string): string[] {
    const text = read(join(this.folder, name));
    return text === '' ? [] : text.trimEnd().split('\n');
  }

  /** Makes a file that the application waits for. */
  open(gate: string): void {
    appendFileSync(join(this.folder, gate), '');
  }

  /** The pid of a process of the cluster. */
  pid(name: string): number {
    return this.#process(name).pid;
  }

  /** The pid of what starts it again, and the number of the process group of both. */
  supervisor(name: string): number {
    return this.#process(name).supervisor.pid;
  }

  /** Of the JobManager. */
  async endpoint(): Promise<{ readonly rest: string; readonly token: string }> {
    const cluster = join(this.folder, 'home/clusters/demo');
    const { value } = await readDocument(createFileStore(join(cluster, 'record')), 'endpoint');
    const token = readFileSync(join(cluster, 'secrets/token'), 'utf8');
    return { rest: value!.rest, token };
  }

  #process(name: string) {
    const file = join(this.home, 'clusters/demo/processes', name, 'process.json');
    return JSON.parse(readFileSync(file, 'utf8')) as {
      readonly pid: number;
      readonly supervisor: { readonly pid: number };
    };
  }

  /**
   * Removes the project with its clusters. Those of this machine are ended by signals: no test is about that, and
   * a command would start a process for it. What is elsewhere only fctl can end.
   */
  async remove(): Promise<void> {
    const config = read(join(this.folder, 'fctl.config.yaml'));
    if (/^provider: (?!local$)/m.test(config)) await this.start(['destroy', 'demo', '--yes']);
    // Again, for what was about to start another process.
    await eventually(() => {
      const running = this.running();
      for (const pid of running) kill(pid);
      return running.length === 0;
    });
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** Waits for something that another process does; fails the test when it never happens. */
export async function eventually(
  probe: () => boolean | Promise<boolean>,
  limitMs = 60_000,
): Promise<void> {
  const end = Date.now() + limitMs;
  for (;;) {
    if (await probe()) return;
    if (Date.now() > end) throw new Error(`did not happen within ${limitMs / 1000} s`);
    await delay(20);
  }
}
