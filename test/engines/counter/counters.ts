/**
 * The jobs of the counter engine: each counts, completes checkpoints, and is suspended with a savepoint. What
 * they do to their state they write down (`history`), so that a test sees whether anything was lost.
 *
 *     STATE/checkpoints/JOB/chk-N       how far it had counted
 *     DIRECTORY/savepoint-TRIGGER       the same, of a suspended job
 */
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { KnownRestore } from '../../../src/contract/restore.ts';
import type { JobToSuspend } from '../../../src/engines/engine.ts';

const tickMs = 2;
const ticksPerCheckpoint = 5;

export interface CounterConf {
  readonly cluster: string;
  /** Folder of everything that outlives a process. */
  readonly state: string;
  readonly jobs: number;
  /** Index of a job that cannot stop; -1: none. */
  readonly stuck: number;
  /** How long it takes to suspend. */
  readonly suspendMs: number;
  /** The JobManager crashes before it leads. */
  readonly dies: boolean;
}

export interface Event {
  readonly what: 'started' | 'suspended' | 'resumed';
  readonly job: number;
  readonly count: number;
}

const historyOf = (state: string) => join(state, 'history');

/** What happened to all jobs, oldest first. */
export function readHistory(state: string): readonly Event[] {
  const lines = readFileSync(historyOf(state), 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Event);
}

export const checkpointsOf = (state: string, jobId: string): string =>
  join(state, 'checkpoints', jobId);

/** The newest file of a folder of checkpoints or savepoints; `null`: there is none. */
export function newestIn(directory: string): string | null {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return null;
  }
  const number = (name: string) => Number(name.replace('chk-', ''));
  const found = names.filter((name) => /^(chk|savepoint)-/.test(name) && !name.endsWith('.tmp'));
  const newest = found.toSorted((a, b) => number(a) - number(b)).at(-1);
  return newest === undefined ? null : join(directory, newest);
}

function writeCount(directory: string, name: string, count: number): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${name}.tmp`), String(count));
  renameSync(join(directory, `${name}.tmp`), join(directory, name));
}

const readCount = (path: string): number => Number(readFileSync(path, 'utf8'));

class Counter {
  readonly id: string;
  count: number;
  readonly #index: number;
  readonly #state: string;
  #checkpoint: number;
  #timer: NodeJS.Timeout | null = null;

  /** @param from states of which the newest counts, where there is one. */
  constructor(state: string, index: number, id: string, from: readonly string[]) {
    this.#state = state;
    this.#index = index;
    this.id = id;
    this.count = Math.max(0, ...from.map(readCount));
    const last = newestIn(checkpointsOf(state, id));
    this.#checkpoint = last === null ? 0 : Number(last.replace(/.*chk-/, ''));
    this.#start('started');
  }

  #start(what: Event['what']): void {
    this.#tell(what);
    this.#timer = setInterval(() => {
      this.count += 1;
      if (this.count % ticksPerCheckpoint !== 0) return;
      this.#checkpoint += 1;
      writeCount(checkpointsOf(this.#state, this.id), `chk-${this.#checkpoint}`, this.count);
    }, tickMs);
  }

  #tell(what: Event['what']): void {
    const event: Event = { what, job: this.#index, count: this.count };
    appendFileSync(historyOf(this.#state), `${JSON.stringify(event)}\n`);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  suspend({ directory, triggerId }: JobToSuspend): void {
    this.stop();
    writeCount(directory, `savepoint-${triggerId}`, this.count);
    this.#tell('suspended');
  }

  resume({ directory, triggerId }: JobToSuspend): void {
    rmSync(join(directory, `savepoint-${triggerId}`));
    this.#start('resumed');
  }
}

/** All jobs of an application. */
export class Counters {
  state: 'RUNNING' | 'SUSPENDED' | 'CANCELED' = 'RUNNING';
  readonly startedAt = Date.now();
  readonly #counters: readonly Counter[];
  readonly #conf: CounterConf;
  #underWay: { readonly triggers: string; readonly end: Promise<string | null> } | null = null;

  /** @param ids of the jobs; `goOn`: they ran before, under this release. */
  constructor(
    conf: CounterConf,
    ids: readonly string[],
    goOn: boolean,
    restore: readonly KnownRestore[],
  ) {
    mkdirSync(conf.state, { recursive: true });
    this.#conf = conf;
    this.#counters = ids.map((id, index) => {
      const own = goOn ? newestIn(checkpointsOf(conf.state, id)) : null;
      const given = restore.find((e) => e.executeIndex === index)?.path;
      return new Counter(conf.state, index, id, [own ?? [], given ?? []].flat());
    });
  }

  get jobs(): readonly { readonly id: string; readonly count: number }[] {
    return this.#counters.map(({ count, id }) => ({ id, count }));
  }

  /** All or nothing. @returns why not; `null`: all are suspended. */
  async suspend(asked: readonly JobToSuspend[]): Promise<string | null> {
    if (this.state !== 'RUNNING') return null;
    const triggers = asked.map(({ triggerId }) => triggerId).join();
    if (this.#underWay !== null && this.#underWay.triggers !== triggers)
      return 'somebody else suspends them';
    this.#underWay ??= { triggers, end: this.#suspend(asked) };
    return this.#underWay.end.finally(() => (this.#underWay = null));
  }

  async #suspend(asked: readonly JobToSuspend[]): Promise<string | null> {
    await delay(this.#conf.suspendMs);
    const pairs = this.#counters.map((counter) => ({
      counter,
      to: asked.find(({ jobId }) => jobId === counter.id)!,
    }));
    const able = pairs.filter((_, index) => index !== this.#conf.stuck);
    for (const { counter, to } of able) counter.suspend(to);
    if (able.length < pairs.length) {
      for (const { counter, to } of able) counter.resume(to);
      return `job 'count ${this.#conf.stuck}' cannot stop`;
    }
    this.state = 'SUSPENDED';
    return null;
  }

  stop(state: 'CANCELED' | null): void {
    for (const counter of this.#counters) counter.stop();
    if (state !== null) this.state = state;
  }
}
