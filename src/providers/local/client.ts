/**
 * Starts, finds and ends the processes of one machine.
 *
 * L1  A process's folder and `spec.json` exist before it is started, and its environment names that
 *     folder: whoever finds the folder without `process.json` finds the process, or knows there is none.
 * L2  What is ended is checked by its identity immediately before each signal (T1).
 * L3  Ending a process ends its whole process group, then whatever still carries its mark.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ProcessEnvironment } from '../../contract/environment.ts';
import { encodeInJson, substitutePlaceholders } from '../../contract/placeholders.ts';
import type { ProcessSpec } from '../../contract/process-spec.ts';
import type { ObservedProcess } from '../provider.ts';
import { type ClusterLayout, namesIn } from './layout.ts';
import type { LocalOptions } from './options.ts';
import { findMarkedProcesses, identifyProcess, sendSignal } from './process-table.ts';

const pollMs = 20;
const killTimeoutMs = 5000;

/** `process.json`: which process of the operating system it is. */
interface ProcessFile {
  readonly pid: number;
  readonly identity: string;
  readonly startedAt: number;
}

/** `spec.json`: what was started. */
interface SpecFile {
  readonly spec: ProcessSpec;
  readonly index: number;
}

async function readJson<T>(file: string): Promise<T | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : (JSON.parse(text) as T);
}

async function writeAtomically(file: string, content: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.tmp`, content, { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}

export class LocalClient {
  readonly #options: LocalOptions;

  constructor(options: LocalOptions) {
    this.#options = options;
  }

  /** Starts one process of a role. A running one of that name must have been ended before. */
  async start(
    layout: ClusterLayout,
    name: string,
    index: number,
    spec: ProcessSpec,
    clientDir: string,
  ): Promise<void> {
    const folder = join(layout.processes, name);
    const values = this.#placeholders(layout, name, index, spec, clientDir);
    const fill = (text: string) => substitutePlaceholders(text, values);
    await rm(folder, { recursive: true, force: true });
    await mkdir(values['work.dir']!, { recursive: true, mode: 0o700 });
    await mkdir(layout.logs, { recursive: true, mode: 0o700 });
    for (const file of spec.files) {
      if (file.type !== 'inline') continue;
      const encode = file.path.endsWith('.json') ? encodeInJson : undefined;
      const content = substitutePlaceholders(file.content, values, encode);
      await writeAtomically(join(folder, file.path), content);
    }
    const specFile: SpecFile = { spec, index };
    await writeAtomically(join(folder, 'spec.json'), JSON.stringify(specFile)); // L1
    const [executable, ...args] = spec.command.map(fill);
    const environment = Object.entries(spec.environment).map(([key, value]) => [key, fill(value)]);
    const out = openSync(join(layout.logs, `${name}.out`), 'a', 0o600);
    try {
      await this.#spawn(folder, executable!, args, clientDir, out, {
        ...Object.fromEntries(environment),
        [ProcessEnvironment.processName]: name,
        [ProcessEnvironment.processDir]: folder, // L1
      });
    } finally {
      closeSync(out);
    }
  }

  async #spawn(
    folder: string,
    executable: string,
    args: readonly string[],
    cwd: string,
    out: number,
    environment: Readonly<Record<string, string>>,
  ): Promise<void> {
    const child = spawn(executable, args, {
      cwd,
      detached: true,
      stdio: ['ignore', out, out],
      env: { ...this.#options.environment, ...environment },
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const pid = child.pid!;
    // It may have ended already; then its identity does not matter.
    const identity = (await identifyProcess(pid)) ?? 'ended';
    const file: ProcessFile = { pid, identity, startedAt: Date.now() };
    await writeAtomically(join(folder, 'process.json'), JSON.stringify(file));
  }

  #placeholders(
    layout: ClusterLayout,
    name: string,
    index: number,
    spec: ProcessSpec,
    clientDir: string,
  ): Record<string, string> {
    return {
      'runtime.node': this.#options.node,
      'runtime.dir': this.#options.runtimeDir,
      'process.dir': join(layout.processes, name),
      'record.dir': layout.record,
      'log.dir': layout.logs,
      'work.dir': join(layout.work, name),
      'client.dir': clientDir,
      'self.name': name,
      'self.index': String(index),
      'self.release': spec.labels['fctl.dev/release'],
      'self.address': '127.0.0.1',
      'jobmanager.address': '127.0.0.1',
      ...Object.fromEntries(spec.ports.map((p) => [`port.${p.name}`, String(p.port)])),
      ...Object.fromEntries(spec.secrets.map((s) => [`secret.${s}`, join(layout.secrets, s)])),
      ...Object.fromEntries(
        spec.files.flatMap((f) =>
          f.type === 'artifact' ? [[`artifact.${f.hash}`, join(layout.artifacts, f.hash)]] : [],
        ),
      ),
    };
  }

  /** What runs, or ran, of a cluster. `ended` tells that the cluster wrote its outcome. */
  async inspect(layout: ClusterLayout, ended: boolean): Promise<ObservedProcess[]> {
    const names = await namesIn(layout.processes);
    const observed = await Promise.all(names.map((name) => this.#observe(layout, name, ended)));
    return observed.filter((process) => process !== null);
  }

  async #observe(
    layout: ClusterLayout,
    name: string,
    ended: boolean,
  ): Promise<ObservedProcess | null> {
    const folder = join(layout.processes, name);
    const started = await readJson<SpecFile>(join(folder, 'spec.json'));
    if (started === null) return null; // The client died before it started anything (L1).
    const found = await this.#find(folder);
    const { spec, index } = started;
    return {
      name,
      role: spec.role,
      index,
      release: spec.labels['fctl.dev/release'],
      status: found?.running ? 'running' : ended ? 'exited' : 'lost',
      location: found ? `pid ${found.pid}` : 'never started',
      startedAt: found?.startedAt ?? null,
      exitCode: null,
      spec,
    };
  }

  async #find(
    folder: string,
  ): Promise<{ pid: number; startedAt: number | null; running: boolean } | null> {
    const file = await readJson<ProcessFile>(join(folder, 'process.json'));
    if (file !== null) {
      const running = (await identifyProcess(file.pid)) === file.identity; // T1
      return { pid: file.pid, startedAt: file.startedAt, running };
    }
    const marked = (await findMarkedProcesses()).find((m) => m.processDir === folder); // L1
    return marked ? { pid: marked.pid, startedAt: null, running: true } : null;
  }

  /** Ends one process and everything it started: asks first, then insists. Idempotent. */
  async stop(layout: ClusterLayout, name: string, signal: AbortSignal): Promise<void> {
    const folder = join(layout.processes, name);
    const found = await this.#find(folder);
    if (found?.running) {
      const started = await readJson<SpecFile>(join(folder, 'spec.json'));
      const identity = await identifyProcess(found.pid);
      const graceMs = started?.spec.stop.gracePeriodMs ?? 0;
      if (identity !== null) await this.#end(found.pid, identity, graceMs, signal);
    }
    await this.endMarked(folder);
  }

  async #end(pid: number, identity: string, graceMs: number, signal: AbortSignal): Promise<void> {
    sendSignal(pid, 'SIGTERM'); // L2: identified by the caller just now
    const deadline = Date.now() + graceMs;
    while ((await identifyProcess(pid)) === identity) {
      signal.throwIfAborted();
      if (Date.now() > deadline) {
        sendSignal(-pid, 'SIGKILL'); // L3
        await this.#awaitEnd(pid, identity);
        return;
      }
      await delay(pollMs);
    }
  }

  async #awaitEnd(pid: number, identity: string): Promise<void> {
    const deadline = Date.now() + killTimeoutMs;
    while ((await identifyProcess(pid)) === identity) {
      if (Date.now() > deadline) throw new Error(`process ${pid} does not end, even by SIGKILL`);
      await delay(pollMs);
    }
  }

  /** Ends at once whatever carries the mark of a process folder (L3). */
  async endMarked(folder: string): Promise<void> {
    for (const marked of await findMarkedProcesses()) {
      if (marked.processDir !== folder) continue;
      const identity = await identifyProcess(marked.pid);
      if (identity === null) continue;
      sendSignal(marked.pid, 'SIGKILL');
      await this.#awaitEnd(marked.pid, identity);
    }
  }
}
