/**
 * What a cluster remembers of its jobs when its JobManager is gone: a document of the record.
 *
 * In application mode `main()` runs again under the next JobManager, and the n-th `execute` of the new run
 * is the n-th of the one before. In the other modes nobody runs a job again, so one that had not ended is
 * lost, and said to be.
 *
 *     open          the jobs of earlier JobManagers are read, and the document is claimed
 *     admit         a job is in the record before it starts
 *     ended         its result is in the record before anyone is told
 *
 * N1  Only the leader writes: it claims the document with its epoch, and a version that it did not write
 *     itself means that it has lost.
 * N2  `admit` and `ended` resolve when what they say is in the record. Calls that come while a write is
 *     under way share the next one.
 * N3  A journal goes on under the same release, unless the cluster has ended meanwhile. Whatever else is
 *     deployed begins a new one. The history of a session goes on under every release.
 * N4  The same `execute` means the same job: the same name and the same graph, which has its arguments.
 * N5  What happens after `close` is not told: its calls never resolve.
 * N6  The document stays small, however many jobs there were: first what the oldest ones collected goes, then
 *     they are forgotten. Of an application it is remembered how each forgotten `execute` ended, so that
 *     `main()` finds its place, and gets an error where it asks for more.
 * N7  A write that failed may have been published all the same. What is found then under this JobManager's
 *     own name is its own, and is written over; whatever else is found means that it has lost.
 *
 * Over the usual length: claiming, writing and forgetting are one protocol about one document.
 */
import { type JobOutcome, LOST, type RecordedAttempt } from '../../../contract/outcome.ts';
import {
  DocumentName,
  type ForgottenJobs,
  type JobsDocument,
  PROTOCOL_VERSION,
  type RecordedJob,
} from '../../../record/documents.ts';
import { createFailure } from '../../../contract/failure.ts';
import { canonicalJson, sha256 } from '../../../contract/hash.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { Redactor } from '../../../contract/secrets.ts';
import { formatBytes } from '../../../contract/units.ts';
import { readDocument } from '../../../record/record.ts';
import type { RecordStore, Version } from '../../../record/store.ts';
import type { JobGraph } from '../../../graph/job-graph.ts';
import { LeadershipLostError } from '../../ha/leadership.ts';
import type { Clock } from '../../../contract/clock.ts';

/** N6: of jobs that have ended. The record takes 256 KiB a document on some platforms. */
const maxHistoryBytes = 160 * 1024;
/** Of one job. */
const maxCollectedBytes = 128 * 1024;
/** Of a job, newest: one that fails and starts again for ever must not fill the record. */
const maxAttempts = 16;
/** How many forgotten jobs of an application can be asked for, newest first: as soon as they were executed. */
const maxRecalled = 1000;

export interface JournalOptions {
  readonly record: RecordStore;
  /** Of the leader that writes. */
  readonly epoch: number;
  /** Of that JobManager; no other process has it. */
  readonly resourceId: string;
  readonly release: string;
  readonly mode: 'application' | 'per-job' | 'session';
  /** Keeps secrets out of the record. */
  readonly redactor: Pick<Redactor, 'stringify'>;
  readonly clock: Pick<Clock, 'now'>;
}

export interface Submission {
  readonly jobId: string;
  readonly graph: JobGraph;
  readonly executeIndex: number | null;
}

export type Admission =
  /** Start it, under the id that it has since its first attempt. */
  | { readonly type: 'start'; readonly jobId: string; readonly attempt: number }
  /** An earlier run has seen its end: `job` has the result. */
  | { readonly type: 'ended'; readonly job: RecordedJob }
  | { readonly type: 'refused'; readonly message: string };

type Collected = Readonly<Record<string, JsonValue>>;

/** N3 */
async function goesOn(
  document: JobsDocument | null,
  { mode, record, release }: JournalOptions,
): Promise<boolean> {
  if (document === null || mode === 'session') return document !== null;
  const outcome = await readDocument(record, DocumentName.outcome);
  return document.release === release && (outcome.value?.epoch ?? 0) < document.epoch;
}

const loseAttempts = (job: RecordedJob, now: number): RecordedJob => ({
  ...job,
  attempts: job.attempts.map((attempt) =>
    attempt.endTime === null ? { ...attempt, state: LOST, endTime: now } : attempt,
  ),
});

function toDocument(
  { epoch, release, resourceId: writer }: JournalOptions,
  startTime: number,
  jobs: readonly RecordedJob[],
  forgotten: readonly ForgottenJobs[],
): JobsDocument {
  const document = { protocol: PROTOCOL_VERSION, release, epoch, writer, startTime, jobs };
  return forgotten.length === 0 ? document : { ...document, forgotten };
}

export class Journal {
  readonly #options: JournalOptions;
  /** By job id, in the order of submission. */
  readonly #jobs = new Map<string, RecordedJob>();
  /** Ids of jobs that this JobManager runs or ran. */
  readonly #own = new Set<string>();
  /** N6 */
  #forgotten: readonly ForgottenJobs[] = [];
  /** Those of them that `main()` has executed again, by job id; oldest first. */
  readonly #recalled = new Map<string, RecordedJob>();
  #startTime: number;
  #version: Version | null = null;
  #written: Promise<void> = Promise.resolve();
  #queued: Promise<void> | null = null;
  #closed = false;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#startTime = options.clock.now();
  }

  /** When the application was started, by whichever JobManager. Epoch milliseconds. */
  get startTime(): number {
    return this.#startTime;
  }

  /**
   * Reads what earlier JobManagers left and claims the document (N1).
   * @throws LeadershipLostError when another JobManager leads.
   */
  async open(): Promise<void> {
    const { clock, epoch, record } = this.#options;
    for (;;) {
      const { value, version } = await readDocument(record, DocumentName.jobs);
      if (value !== null && value.epoch > epoch) throw new LeadershipLostError(epoch, value.epoch);
      const left = (await goesOn(value, this.#options)) ? value : null;
      const startTime = left?.startTime ?? this.#startTime;
      const jobs = (left?.jobs ?? []).map((job) => loseAttempts(job, clock.now()));
      const forgotten = left?.forgotten ?? [];
      const document = toDocument(this.#options, startTime, jobs, forgotten);
      const claimed = await record.write(DocumentName.jobs, document, version);
      if (claimed === null) continue;
      this.#startTime = startTime;
      for (const job of jobs) this.#jobs.set(job.id, job);
      this.#forgotten = forgotten;
      this.#version = claimed;
      return;
    }
  }

  /** Jobs of earlier JobManagers that this one does not run, in the order of their submission. */
  get past(): readonly RecordedJob[] {
    return [...this.#jobs.values()].filter(({ id }) => !this.#own.has(id));
  }

  /** `null`: it is not known, or this JobManager runs it. */
  pastJob(jobId: string): RecordedJob | null {
    if (this.#own.has(jobId)) return null;
    return this.#jobs.get(jobId) ?? this.#recalled.get(jobId) ?? null;
  }

  /** Whether of a past job nothing is known but how it ended (N6). */
  isForgotten(jobId: string): boolean {
    return this.#recalled.has(jobId);
  }

  /** Also one that this JobManager runs. */
  job(jobId: string): RecordedJob | null {
    return this.#jobs.get(jobId) ?? null;
  }

  /** Whether `main()` may still execute it again, although nobody runs it now. */
  mayResume({ executeIndex, outcome }: RecordedJob): boolean {
    return this.#options.mode === 'application' && executeIndex !== null && outcome === null;
  }

  /**
   * Takes a job in (N2, N4). Rejects when the record cannot be written; nothing is taken in then.
   */
  async admit({ executeIndex, graph, jobId }: Submission): Promise<Admission> {
    const { mode } = this.#options;
    const before =
      mode === 'application' && executeIndex !== null
        ? [...this.#jobs.values()].find((job) => job.executeIndex === executeIndex)
        : this.#jobs.get(jobId);
    const forgotten = before === undefined ? this.#findForgotten(executeIndex) : null;
    if (forgotten !== null) return { type: 'ended', job: this.#recall(jobId, graph, forgotten) };
    if (before === undefined) {
      const index = mode === 'application' ? executeIndex : null;
      return this.#start(describeJob(jobId, graph, index, this.#options.clock.now()), null);
    }
    const difference = describeDifference(before, graph, executeIndex);
    if (difference !== null) return { type: 'refused', message: difference };
    if (this.#own.has(before.id)) {
      return { type: 'refused', message: `job ${before.id} was submitted already` };
    }
    if (before.outcome !== null) return { type: 'ended', job: before };
    if (this.mayResume(before)) return this.#start(before, before);
    return { type: 'refused', message: `job ${jobId} was lost with its JobManager` };
  }

  async #start(job: RecordedJob, before: RecordedJob | null): Promise<Admission> {
    const attempt = (job.attempts.at(-1)?.attempt ?? -1) + 1;
    this.#own.add(job.id);
    this.#jobs.set(job.id, { ...job, attempts: [...job.attempts, this.#newAttempt(attempt)] });
    try {
      await this.#save();
    } catch (error) {
      this.#own.delete(job.id);
      if (before === null) this.#jobs.delete(job.id);
      else this.#jobs.set(job.id, before);
      throw error;
    }
    return { type: 'start', jobId: job.id, attempt };
  }

  /**
   * The last attempt of a job failed (epoch milliseconds), and this JobManager begins the next. Rejects when
   * the record cannot be written.
   */
  async restarted(jobId: string, attempt: number, failedAt: number): Promise<void> {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    const attempts = [...endLast(job.attempts, 'FAILED', failedAt), this.#newAttempt(attempt)];
    this.#jobs.set(jobId, { ...job, attempts: attempts.slice(-maxAttempts) });
    await this.#save();
  }

  /** A job has ended. Rejects when the record cannot be written. */
  async ended(outcome: JobOutcome, collected: Collected): Promise<void> {
    const job = this.#jobs.get(outcome.id);
    if (job === undefined) return;
    this.#jobs.set(outcome.id, {
      ...job,
      outcome,
      attempts: endLast(job.attempts, outcome.state, outcome.endTime),
      ...this.#keep(outcome.name, collected),
    });
    await this.#save();
  }

  #newAttempt(attempt: number): RecordedAttempt {
    const { clock, epoch } = this.#options;
    return { attempt, epoch, startTime: clock.now(), endTime: null, state: 'RUNNING' };
  }

  #keep(name: string, collected: Collected): Pick<RecordedJob, 'collected' | 'collectedError'> {
    if (Object.keys(collected).length === 0) return { collected, collectedError: null };
    const lost = (why: string) => ({ collected: {}, collectedError: collectedIsGone(name, why) });
    if (this.#options.mode === 'session') return lost('sessions do not keep it');
    const json = JSON.stringify(collected);
    const bytes = Buffer.byteLength(json);
    if (bytes > maxCollectedBytes) {
      return lost(`${formatBytes(bytes)} are more than the ${formatBytes(maxCollectedBytes)} kept`);
    }
    return this.#options.redactor.stringify(collected) !== json
      ? lost('there is a secret in it, which is stored nowhere')
      : { collected, collectedError: null };
  }

  /** What jobs come to from now on is because their JobManager goes away (N5). */
  close(): void {
    this.#closed = true;
  }

  /** N2 */
  #save(): Promise<void> {
    if (this.#closed) return new Promise(() => {}); // N5
    if (this.#queued !== null) return this.#queued;
    const write = () => {
      this.#queued = null;
      return this.#write();
    };
    this.#queued = this.#written.then(write, write);
    this.#written = this.#queued;
    return this.#queued;
  }

  async #write(): Promise<void> {
    const { epoch, record, resourceId } = this.#options;
    this.#forget();
    for (;;) {
      const jobs = [...this.#jobs.values()];
      const document = toDocument(this.#options, this.#startTime, jobs, this.#forgotten);
      const version = await record.write(DocumentName.jobs, document, this.#version);
      if (version !== null) {
        this.#version = version;
        return;
      }
      const found = await readDocument(record, DocumentName.jobs);
      const isOwn = found.value?.epoch === epoch && found.value.writer === resourceId;
      if (!isOwn || found.version === this.#version)
        throw new LeadershipLostError(epoch, found.value?.epoch ?? 0); // N1
      this.#version = found.version; // N7
    }
  }

  /** N6 */
  #forget(): void {
    const ended = [...this.#jobs.values()].filter((job) => this.#mayForget(job));
    let bytes = ended.reduce((sum, job) => sum + sizeOf(job), 0);
    ended.pop(); // the newest stays: somebody is about to ask for it
    for (const job of ended) {
      if (bytes <= maxHistoryBytes) return;
      if (Object.keys(job.collected).length === 0) continue;
      const why = 'later jobs have taken its place';
      const less = { ...job, collected: {}, collectedError: collectedIsGone(job.name, why) };
      this.#jobs.set(job.id, less);
      bytes -= sizeOf(job) - sizeOf(less);
    }
    for (const { id } of ended) {
      if (bytes <= maxHistoryBytes) return;
      const job = this.#jobs.get(id)!;
      bytes -= sizeOf(job);
      this.#jobs.delete(id);
      this.#own.delete(id);
      const { executeIndex, outcome } = job;
      if (executeIndex === null || outcome === null) continue;
      this.#forgotten = withForgotten(this.#forgotten, executeIndex, outcome.state);
    }
  }

  /** Whether it has ended, or nobody will ever end it. */
  #mayForget(job: RecordedJob): boolean {
    return job.outcome !== null || !(this.#own.has(job.id) || this.mayResume(job));
  }

  /** How that `execute` ended; `null`: it is none that is forgotten. */
  #findForgotten(executeIndex: number | null): ForgottenJobs | null {
    if (executeIndex === null) return null;
    const found = this.#forgotten.find(
      ({ from, to }) => from <= executeIndex && executeIndex <= to,
    );
    return found ?? null;
  }

  /** A forgotten job, as far as anything is known of it: what is asked for next is its result. */
  #recall(id: string, graph: JobGraph, { state }: ForgottenJobs): RecordedJob {
    const time = this.#startTime;
    const gone = collectedIsGone(graph.name, 'later jobs have taken its place');
    const why = 'why is forgotten: it ended long before its JobManager was restarted';
    const error = state === 'FINISHED' ? null : createFailure(why, { location: 'jobmanager' });
    const job: RecordedJob = {
      ...describeJob(id, graph, null, time),
      outcome: {
        id,
        name: graph.name,
        state,
        startTime: time,
        endTime: time,
        error,
        accumulators: {},
        vertices: [],
      },
      collectedError: gone,
    };
    this.#recalled.set(id, job);
    const [oldest] = this.#recalled.keys();
    if (this.#recalled.size > maxRecalled) this.#recalled.delete(oldest!);
    return job;
  }
}

const sizes = new WeakMap<RecordedJob, number>();

/** As JSON, in bytes. */
function sizeOf(job: RecordedJob): number {
  const known = sizes.get(job);
  if (known !== undefined) return known;
  const size = Buffer.byteLength(JSON.stringify(job));
  sizes.set(job, size);
  return size;
}

/** Ascending; neighbours that ended alike are one. */
function withForgotten(
  all: readonly ForgottenJobs[],
  executeIndex: number,
  state: string,
): readonly ForgottenJobs[] {
  const ranges = [...all, { from: executeIndex, to: executeIndex, state }];
  const merged: ForgottenJobs[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last?.state === range.state && last.to + 1 === range.from)
      merged.splice(-1, 1, { ...last, to: range.to });
    else merged.push(range);
  }
  return merged;
}

const collectedIsGone = (name: string, why: string) =>
  `what job '${name}' collected is gone: its JobManager was restarted, and ${why}. ` +
  'Write it to a FileSink instead';

function describeJob(
  id: string,
  graph: JobGraph,
  executeIndex: number | null,
  startTime: number,
): RecordedJob {
  return {
    id,
    name: graph.name,
    executeIndex,
    graphHash: graph.hash,
    argsHash: hashArguments(graph),
    boundedness: graph.boundedness,
    vertices: graph.vertices.map(
      ({ id: vertexId, maxParallelism, name, operators, parallelism }) => ({
        id: vertexId,
        name,
        parallelism,
        maxParallelism,
        stateful: operators.some(({ stateful }) => stateful),
      }),
    ),
    startTime,
    attempts: [],
    outcome: null,
    collected: {},
    collectedError: null,
  };
}

const hashArguments = ({ code }: JobGraph) => sha256(canonicalJson(code.args));

const endLast = (attempts: readonly RecordedAttempt[], state: string, endTime: number) =>
  attempts.map((attempt, i) =>
    i === attempts.length - 1 ? { ...attempt, state, endTime } : attempt,
  );

/** N4. `null`: it is the same job. */
function describeDifference(
  before: RecordedJob,
  graph: JobGraph,
  executeIndex: number | null,
): string | null {
  if (before.graphHash === graph.hash) return null;
  if (executeIndex === null) return `job ${before.id} exists already, and is another one`;
  const other =
    before.name !== graph.name
      ? `it is job '${graph.name}' now`
      : before.argsHash === hashArguments(graph)
        ? `it has the graph ${graph.hash.slice(0, 8)} now, it had ${before.graphHash.slice(0, 8)}`
        : 'it has other arguments now';
  return (
    `main() is not deterministic: execute number ${executeIndex + 1} was job '${before.name}' before the ` +
    `JobManager was restarted, ${other}. main() runs again to find its place, so it must execute the same ` +
    'jobs with the same arguments in the same order, whatever the clock, random numbers or files say: take ' +
    'what varies from ctx.args or from results of jobs. The next deployment after this application has ' +
    'ended begins anew'
  );
}
