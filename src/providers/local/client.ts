/**
 * Starts, finds and ends the processes of one machine. Each runs under a supervisor of its own, a shell
 * that starts it again when it crashes; both are one process group and one session.
 *
 * L1  A process's folder and `spec.json` exist before it is started, and its environment names that
 *     folder: whoever finds the folder without `process.json` finds the process, or knows there is none.
 * L2  What is ended is checked by its identity immediately before each signal (T1).
 * L3  Who is asked to end is the supervisor, which passes it on and starts nothing any more. Who does not
 *     end in time is killed with the whole group at once, so that nothing is started in between.
 * L4  At last whatever still carries the mark is killed, until a look finds nothing: a supervisor that is
 *     killed may just have started another process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, rename, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseClusterId } from '../../contract/cluster-id.ts';
import { ProcessEnvironment } from '../../contract/environment.ts';
import { ProviderError, problem } from '../../contract/errors.ts';
import { type ClusterSpec, Role } from '../../contract/process-spec.ts';
import type { ExecStreams, ObservedProcess } from '../provider.ts';
import { baseEnvironment } from '../shared/environment.ts';
import { type Instance, type Place, renderProcess } from '../shared/render.ts';
import { writeWhole } from '../shared/write-file.ts';
import { type ClusterLayout, exists, namesIn, removeOf } from './layout.ts';
import { runCommand } from './exec.ts';
import type { Launch } from './launcher.ts';
import type { LocalOptions } from './options.ts';
import { type Runtime, runtimeAt } from './runtimes.ts';
import { type StartedProcess, readStarted } from './started-process.ts';
import { findMarkedProcesses, identifyProcess, isSuspended, sendSignal } from './process-table.ts';
import {
  type KnownProcess,
  readSupervised,
  runs,
  supervise,
  TRANSIENT_CLUSTER,
} from './supervision.ts';

const pollMs = 20;
const startPollMs = 5;
const startTimeoutMs = 10_000;
const killTimeoutMs = 5000;

export class LocalClient {
  readonly #options: LocalOptions;

  constructor(options: LocalOptions) {
    this.#options = options;
  }

  /** Starts one process of a role. A running one of that name must have been ended before. */
  async start(
    layout: ClusterLayout,
    name: string,
    started: Required<StartedProcess>,
    { transient }: Pick<ClusterSpec, 'transient'>,
  ): Promise<void> {
    const { place, spec } = started;
    const runtime = this.#runtimeOf(place);
    const folder = join(layout.processes, name);
    const rendered = renderProcess(this.#instance(layout, name, started));
    await removeOf(layout, folder);
    await beginOutput(layout, name);
    const work = join(layout.work, name);
    await mkdir(work, { recursive: true, mode: 0o700 });
    await mkdir(layout.logs, { recursive: true, mode: 0o700 });
    for (const { content, path } of rendered.files) await writeWhole(join(folder, path), content);
    await writeWhole(join(folder, 'spec.json'), JSON.stringify(started)); // L1
    await this.#launch({
      folder,
      name,
      clusterId: parseClusterId(spec.labels['fctl.dev/cluster']),
      command: supervise(runtime.supervisor, folder, rendered.command),
      cwd: (await exists(rendered.workingDirectory)) ? rendered.workingDirectory : work,
      out: join(layout.logs, `${name}.out`),
      environment: {
        ...this.#base(runtime),
        ...rendered.environment, // L1
        ...(transient ? { [TRANSIENT_CLUSTER]: layout.root } : {}),
      },
      resources: spec.resources,
      graceMs: spec.stop.gracePeriodMs,
    });
  }

  async #launch(launch: Launch): Promise<void> {
    const { launcher } = this.#options;
    const out = openSync(launch.out, 'a', 0o600);
    try {
      if (!launcher?.starts) return await this.#spawn(launch, out);
    } finally {
      closeSync(out);
    }
    await launcher.start(launch);
    await this.#awaitStart(null, launch);
  }

  /** What a process runs with that is, or was, started at a place. */
  #runtimeOf({ runtime }: Place): Runtime {
    const { home, runtimeFiles } = this.#options;
    const isCopy = runtime !== undefined && runtimeFiles !== undefined;
    return isCopy ? runtimeAt(home, runtime) : this.#options;
  }

  /** What every process gets, whatever its spec says. */
  #base({ compileCache }: Runtime): Record<string, string | undefined> {
    return {
      ...baseEnvironment(this.#options.environment),
      ...(compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache }),
    };
  }

  #instance(
    layout: ClusterLayout,
    name: string,
    { index, place, spec }: Required<StartedProcess>,
  ): Instance {
    const paths = {
      node: this.#options.node,
      runtime: this.#runtimeOf(place).runtimeDir,
      process: join(layout.processes, name),
      work: join(layout.work, name),
      logs: layout.logs,
      secrets: layout.secrets,
      artifacts: layout.artifacts,
    };
    return { name, index, spec, place, paths };
  }

  /** Runs a command with the environment of a process. @returns its exit code; `null`: no such process. */
  async exec(
    layout: ClusterLayout,
    name: string,
    command: readonly string[],
    io: ExecStreams,
  ): Promise<number | null> {
    const started = await readStarted(layout, name);
    if (started?.place === undefined) return null;
    const { place, ...rest } = started;
    const { environment } = renderProcess(this.#instance(layout, name, { ...rest, place }));
    return runCommand(command, {
      cwd: join(layout.work, name),
      // A mark would make it a part of the process, which is ended with it.
      env: {
        ...this.#base(this.#runtimeOf(place)),
        ...environment,
        [ProcessEnvironment.processDir]: undefined,
      },
      io,
    });
  }

  async #spawn(launch: Launch, out: number): Promise<void> {
    const { command, cwd, environment } = launch;
    const [shell, ...args] = command;
    const child = spawn(shell!, args, {
      cwd,
      detached: true,
      stdio: ['ignore', out, out],
      env: environment,
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    await this.#awaitStart(child, launch);
  }

  /** Until the supervisor has written which process it started. */
  async #awaitStart(
    supervisor: ChildProcess | null,
    { command: [, script], folder }: Launch,
  ): Promise<void> {
    const file = join(folder, 'process.json');
    const deadline = Date.now() + startTimeoutMs;
    while (!(await exists(file))) {
      const ended = supervisor && (supervisor.exitCode !== null || supervisor.signalCode !== null);
      if (ended || Date.now() > deadline) break;
      await delay(startPollMs);
    }
    if (await exists(file)) return;
    await this.endMarked(folder);
    throw new ProviderError(
      problem({
        code: 'process-not-started',
        message: `${basename(folder)} could not be started: its supervisor wrote nothing to ${folder}`,
        hint: `run it by hand to see why: /bin/sh ${script} FOLDER 1 1 1 1 true`,
      }),
    );
  }

  /** What runs, or ran, of a cluster. `ended` tells that the cluster wrote its outcome. */
  async inspect(layout: ClusterLayout, ended: boolean): Promise<ObservedProcess[]> {
    const names = await namesIn(layout.processes);
    if (names.length === 0 && ended) return loggedProcesses(layout);
    const observed = await Promise.all(names.map((name) => this.#observe(layout, name, ended)));
    return observed.filter((process) => process !== null);
  }

  async #observe(
    layout: ClusterLayout,
    name: string,
    ended: boolean,
  ): Promise<ObservedProcess | null> {
    const folder = join(layout.processes, name);
    const started = await readStarted(layout, name);
    if (started === null) return null; // The client died before it started anything (L1).
    const { spec, index } = started;
    return {
      name,
      role: spec.role,
      index,
      release: spec.labels['fctl.dev/release'],
      host: null,
      misplaced: null,
      reason: null,
      ...(await this.#observeRun(folder, ended)),
      spec,
    };
  }

  async #observeRun(folder: string, ended: boolean) {
    const gone = ended ? ('exited' as const) : ('lost' as const);
    const unknown = { startedAt: null, restarts: 0, exitCode: null };
    const found = await readSupervised(folder);
    if (found === null) {
      const marked = (await findMarkedProcesses()).find((m) => m.processDir === folder); // L1
      return marked
        ? { ...unknown, status: 'running' as const, location: `pid ${marked.pid}` }
        : { ...unknown, status: gone, location: 'never started' };
    }
    const { process, processRuns, supervisor, startedAt, restarts, lastExit } = found;
    const suspended = processRuns && (await isSuspended(process.pid));
    const notes = [
      ...(processRuns && supervisor === null ? ['without supervisor'] : []),
      ...(suspended ? ['suspended'] : []),
    ];
    return {
      suspended,
      status: processRuns ? ('running' as const) : supervisor ? ('restarting' as const) : gone,
      location: [`pid ${process.pid}`, ...notes].join(', '),
      startedAt,
      restarts,
      exitCode: lastExit,
    };
  }

  /** Ends one process and everything it started: asks first, then insists. Idempotent. */
  async stop(layout: ClusterLayout, name: string, signal: AbortSignal): Promise<void> {
    const folder = join(layout.processes, name);
    const found = await readSupervised(folder);
    const started = await readStarted(layout, name);
    const graceMs = started?.spec.stop.gracePeriodMs ?? 0;
    await this.#options.launcher?.stop(folder);
    if (found?.supervisor) {
      await this.#end(found.supervisor, -found.supervisor.pid, graceMs, signal);
    } else if (found?.processRuns) {
      await this.#end(found.process, found.process.pid, graceMs, signal);
    }
    await this.endMarked(folder); // L4
    // Killed with its group it has no environment any more, and may hold its ports for a moment.
    if (found !== null) await this.#awaitEnd(found.process);
  }

  /** @param target what is killed when it does not end in time: the process, or minus its group. */
  async #end(
    known: KnownProcess,
    target: number,
    graceMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (!(await runs(known))) return; // L2
    sendSignal(known.pid, 'SIGTERM'); // L3
    sendSignal(target, 'SIGCONT'); // One that was stopped (state T) hears nothing else.
    const deadline = Date.now() + graceMs;
    while (await runs(known)) {
      signal.throwIfAborted();
      if (Date.now() > deadline) {
        sendSignal(target, 'SIGKILL'); // L3
        await this.#awaitEnd(known);
        return;
      }
      await delay(pollMs);
    }
  }

  async #awaitEnd(known: KnownProcess): Promise<void> {
    const deadline = Date.now() + killTimeoutMs;
    while (await runs(known)) {
      if (Date.now() > deadline)
        throw new Error(`process ${known.pid} does not end, even by SIGKILL`);
      await delay(pollMs);
    }
  }

  /** Ends at once whatever carries the mark of a process folder (L4). */
  async endMarked(folder: string): Promise<void> {
    await this.#options.launcher?.stop(folder);
    for (;;) {
      const found: KnownProcess[] = [];
      for (const { pid, processDir } of await findMarkedProcesses()) {
        if (processDir !== folder) continue;
        const identity = await identifyProcess(pid);
        if (identity !== null) found.push({ pid, identity });
      }
      if (found.length === 0) return;
      for (const { pid } of found) sendSignal(pid, 'SIGKILL');
      for (const known of found) await this.#awaitEnd(known);
    }
  }
}

/** So many outputs of earlier placements stay, or as many as a process keeps of its own. */
const keptOutputs = 3;

/** What earlier placements of a process printed makes room, as rotated files: it is not what this one says. */
async function beginOutput({ logs }: ClusterLayout, name: string): Promise<void> {
  const current = join(logs, `${name}.out`);
  const { size } = await stat(current).catch(() => ({ size: 0 }));
  if (size === 0) return;
  const rotated = (number: number) => `${current}.${number}`;
  let count = 0;
  while (await exists(rotated(count + 1))) count++;
  for (let number = Math.min(count, Math.max(keptOutputs, count) - 1); number > 0; number--)
    await rename(rotated(number), rotated(number + 1));
  await rename(current, rotated(1));
}

/** Of a cluster that has ended, whose processes left nothing else. */
async function loggedProcesses({ logs }: ClusterLayout): Promise<ObservedProcess[]> {
  const seen = new Set<string>();
  return (await namesIn(logs)).flatMap((file) => {
    const [, name, role, index] = /^((jobmanager|taskmanager)-(\d+))\.(log|out)$/.exec(file) ?? [];
    if (name === undefined || seen.has(name)) return [];
    seen.add(name);
    return [
      {
        name,
        role: role === Role.jobmanager ? Role.jobmanager : Role.taskmanager,
        index: Number(index),
        release: '',
        host: null,
        misplaced: null,
        status: 'exited' as const,
        reason: null,
        location: 'gone',
        startedAt: null,
        restarts: 0,
        exitCode: null,
        spec: null,
      },
    ];
  });
}
