/**
 * Applications of a session whose `main()` runs beside the JobManager, each in a process of its own: those
 * that were uploaded over REST.
 *
 *     main() runs → has ended, its jobs go on → all jobs have ended
 *        └─ fails, or is cancelled: its jobs are cancelled ─┘
 *
 * A1  A job belongs to the application that its submission names, so none escapes a cancellation: what is
 *     submitted later is refused, what was under way is cancelled.
 * A2  Whoever is asked a question is killed when it does not answer in time.
 * A3  A few `main()` start at the same time, the others in the order in which they came: each is a process
 *     that loads its code. It has started when it has submitted its first job, or has answered.
 */
import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type {
  ApplicationAnswer,
  ApplicationEntry,
  ApplicationResult,
  ApplicationStart,
  JobManagerAddress,
} from '../../../contract/application-messages.ts';
import { createFailure } from '../../../contract/failure.ts';
import type { FailureInfo } from '../../../contract/outcome.ts';
import type { SubmitJobRequest } from '../../../contract/fctl-rest.ts';
import type { JobGraph } from '../../../graph/job-graph.ts';
import type { Logger, Output } from '../../logging/logger.ts';
import type { Clock } from '../../../contract/clock.ts';
import { type ApplicationProcess, startApplicationProcess } from './application-process.ts';
import type {
  BlobStore,
  CommandResult,
  JarApplicationView,
  JarRun,
  Jars,
  Refused,
  SubmitResult,
} from '../views/cluster-view.ts';
import type { Dispatcher } from './dispatcher.ts';
import { type Jar, type JarBundle, JarError, JarStore } from './jars.ts';
import { pause } from '../../../contract/pause.ts';
import { Turns } from '../resources/turns.ts';
import { isTerminalJobStatus } from '../scheduler/job-status.ts';

export interface JarApplicationsOptions {
  /** Folder for uploads. */
  readonly directory: string;
  /** The built script of `application-main.ts`. */
  readonly script: string;
  /** Of `main()`. */
  readonly workingDirectory: string;
  /** Default parallelism of jobs. */
  readonly parallelism: number;
  /** This JobManager. */
  readonly address: () => JobManagerAddress;
  readonly blobs: BlobStore;
  readonly dispatcher: Pick<Dispatcher, 'submit' | 'cancel' | 'view'>;
  /** 32 hex digits. */
  readonly newId: () => string;
  /** What `main()` prints goes here. */
  readonly output: Output;
  readonly logger: Logger;
  readonly clock: Clock;
}

interface Application {
  readonly id: string;
  readonly name: string;
  readonly startTime: number;
  jobIds: string[];
  /** Resolves when it is the turn of `main()` (A3). */
  readonly started: PromiseWithResolvers<void>;
  /** Resolves with the first job, or with why there is none. */
  readonly firstJob: PromiseWithResolvers<{ readonly jobId: string } | Refused>;
  process: ApplicationProcess | null;
  isCanceled: boolean;
  mainEndTime: number;
  error: FailureInfo | null;
}

/** For an answer, and for the first job of one that is run. */
const answerTimeoutMs = 30_000;
const firstJobTimeoutMs = 60_000;
/** A3: a `main()` that takes longer before its first job holds nobody up. */
const maxStartMs = 10_000;
/** Of those that have ended, the newest are remembered. */
const maxApplications = 100;
/** Of one application, beyond which those of forgotten jobs go. */
const maxJobIds = 2000;

const refused = (reason: Refused['reason'], message: string): Refused => ({
  type: 'refused',
  reason,
  message,
});

export class JarApplications implements Jars {
  readonly #options: JarApplicationsOptions;
  readonly #store: JarStore;
  /** By id, in the order in which they were started. */
  readonly #applications = new Map<string, Application>();
  /** A3 */
  readonly #starts = new Turns(Math.max(2, availableParallelism()));
  /** Processes that are asked. */
  readonly #asked = new Set<ApplicationProcess>();
  #closed = false;

  constructor(options: JarApplicationsOptions) {
    this.#options = options;
    this.#store = new JarStore({
      directory: options.directory,
      now: () => options.clock.now(),
      entriesOf: (bundle) => this.#entriesOf(bundle),
    });
  }

  list = () => this.#store.list();
  find = (id: string) => this.#store.find(id);
  add = (name: string, content: Uint8Array) => this.#store.add(name, content);
  remove = (id: string) => this.#store.remove(id);

  async plan(jar: Jar, run: JarRun): ReturnType<Jars['plan']> {
    const start = this.#describe(jar, run);
    if ('reason' in start) return start;
    const answer = await this.#ask({ ...start, question: 'plan', jobManager: null });
    if (answer.type === 'plan')
      return { type: 'planned', graph: answer.graph as unknown as JobGraph };
    return refused('invalid', messageOf(answer));
  }

  async run(jar: Jar, run: JarRun): ReturnType<Jars['run']> {
    const application = await this.#start(jar, run);
    if ('reason' in application) return application;
    const { id, firstJob, started } = application;
    await started.promise;
    const stop = this.#options.clock.after(firstJobTimeoutMs, () => {
      const why = `main() executed no job within ${firstJobTimeoutMs / 1000} s, and was ended: start one that takes longer by run-application`;
      firstJob.resolve(refused('invalid', why));
      this.cancel(id);
    });
    const first = await firstJob.promise;
    stop();
    return 'jobId' in first ? { type: 'submitted', jobId: first.jobId, applicationId: id } : first;
  }

  async start(jar: Jar, run: JarRun): ReturnType<Jars['start']> {
    const application = await this.#start(jar, run);
    return 'reason' in application
      ? application
      : { type: 'started', applicationId: application.id };
  }

  applications(): readonly JarApplicationView[] {
    return [...this.#applications.values()].toReversed();
  }

  cancel(applicationId: string): CommandResult {
    const application = this.#applications.get(applicationId);
    if (application === undefined)
      return refused('not-found', `there is no application ${applicationId}`);
    application.isCanceled = true;
    application.process?.kill();
    this.#cancelJobs(application);
    return { type: 'accepted' };
  }

  /** Takes a job in for the application that it names (A1). */
  async submit(request: SubmitJobRequest): Promise<SubmitResult> {
    const { dispatcher } = this.#options;
    const { applicationId = null } = request;
    if (applicationId === null) return dispatcher.submit(request);
    const application = this.#applications.get(applicationId);
    if (application === undefined || application.isCanceled)
      return refused('conflict', `application ${applicationId} does not run`);
    const result = await dispatcher.submit(request);
    if (result.type === 'refused') return result;
    if (!application.jobIds.includes(result.jobId)) application.jobIds.push(result.jobId);
    if (application.jobIds.length > maxJobIds)
      application.jobIds = application.jobIds.filter((jobId) => dispatcher.view(jobId) !== null);
    application.firstJob.resolve({ jobId: result.jobId });
    if (application.isCanceled) dispatcher.cancel(result.jobId);
    return result;
  }

  /** Removes what an earlier JobManager left half-done. */
  open(): Promise<void> {
    return this.#store.clean();
  }

  /** Kills every `main()`. Their jobs are the dispatcher's. */
  async close(): Promise<void> {
    this.#closed = true;
    const started = [...this.#applications.values()].map(({ process }) => process);
    const processes = [...started.filter((process) => process !== null), ...this.#asked];
    for (const process of processes) process.kill();
    await Promise.all(processes.map(({ ended }) => ended));
  }

  /** What the process of `main()` is told; or that there is no such entry. */
  #describe(
    { entries, file, hash }: Jar,
    { args, entry, jobId, parallelism }: JarRun,
  ): Omit<ApplicationStart, 'jobManager'> | Refused {
    const found = entries.find(({ name }) => name === entry);
    if (entry !== null && found === undefined) {
      const names = entries.map(({ name }) => name).join(', ');
      return refused('invalid', `this application has no entry '${entry}'; it has ${names}`);
    }
    return {
      mode: 'application',
      bundleFile: file,
      bundleHash: hash,
      args,
      parallelism: parallelism ?? this.#options.parallelism,
      job: found?.job ?? null,
      jobId,
      secrets: [],
      // What becomes of its jobs needs no process.
      detached: true,
    };
  }

  async #start(jar: Jar, run: JarRun): Promise<Application | Refused> {
    const { address, blobs, clock, newId } = this.#options;
    const start = this.#describe(jar, run);
    if ('reason' in start) return start;
    // For the TaskManagers, also when the jar is deleted.
    const file = await open(jar.file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (file === null) return deleted(jar);
    const content = file.createReadStream();
    try {
      await blobs.put(jar.hash, content);
    } finally {
      content.destroy(); // nobody reads one that is there already
    }
    if (this.#closed) return closed();
    const application: Application = {
      id: newId(),
      name: start.job ?? jar.name.replace(/\.\w+$/, ''),
      startTime: clock.now(),
      jobIds: [],
      started: Promise.withResolvers(),
      firstJob: Promise.withResolvers(),
      process: null,
      isCanceled: false,
      mainEndTime: -1,
      error: null,
    };
    this.#forget();
    this.#applications.set(application.id, application);
    const jobManager = { ...address(), applicationId: application.id };
    void this.#starts.run(() => this.#runMain(application, jar, { ...start, jobManager }));
    return application;
  }

  /** A3. Never rejects. @returns when the next one may start. */
  async #runMain(application: Application, jar: Jar, start: ApplicationStart): Promise<void> {
    application.started.resolve();
    if (this.#closed || application.isCanceled)
      return this.#mainEnded(application, jar, failureResult('it was cancelled before it started'));
    const process = await this.#spawn(start).catch((error: Error) => error);
    if (process instanceof Error)
      return this.#mainEnded(application, jar, failureResult(process.message));
    application.process = process;
    if (this.#closed || application.isCanceled) process.kill();
    const ended = process.ended.then((result) => this.#mainEnded(application, jar, result));
    const over = new AbortController();
    const late = pause(this.#options.clock, maxStartMs, over.signal);
    await Promise.race([application.firstJob.promise, ended, late]);
    over.abort();
  }

  #spawn(
    start: ApplicationStart,
    onMessage: (message: ApplicationAnswer) => void = () => {},
  ): Promise<ApplicationProcess> {
    const { logger, output, script, workingDirectory } = this.#options;
    return startApplicationProcess({
      script,
      workingDirectory,
      start,
      output,
      onMessage: (message) => {
        if (message.type === 'entries' || message.type === 'plan') onMessage(message);
      },
      logger,
    });
  }

  async #mainEnded(application: Application, jar: Jar, result: ApplicationResult): Promise<void> {
    application.process = null;
    application.mainEndTime = this.#options.clock.now();
    if (result.type === 'succeeded') {
      application.firstJob.resolve(refused('invalid', 'main() has ended and executed no job'));
      return;
    }
    if (result.type === 'canceled') application.isCanceled = true;
    if (!application.isCanceled) application.error = result.failure;
    this.#cancelJobs(application);
    const isDeleted = (await this.#store.find(jar.id)) === null;
    application.firstJob.resolve(
      isDeleted && application.jobIds.length === 0
        ? deleted(jar)
        : refused('invalid', messageOf(result)),
    );
  }

  #cancelJobs({ jobIds }: Application): void {
    for (const jobId of jobIds) this.#options.dispatcher.cancel(jobId);
  }

  /** The oldest of those that have ended. */
  #forget(): void {
    const { dispatcher } = this.#options;
    for (const { id, jobIds, mainEndTime } of this.#applications.values()) {
      if (this.#applications.size < maxApplications) return;
      const states = jobIds.map((jobId) => dispatcher.view(jobId)?.state);
      const hasEnded = states.every((state) => state === undefined || isTerminalJobStatus(state));
      if (mainEndTime >= 0 && hasEnded) this.#applications.delete(id);
    }
  }

  /** @throws JarError */
  async #entriesOf({ file, hash }: JarBundle): Promise<readonly ApplicationEntry[]> {
    const answer = await this.#ask({
      mode: 'application',
      question: 'entries',
      bundleFile: file,
      bundleHash: hash,
      args: {},
      parallelism: 1,
      job: null,
      secrets: [],
      detached: true,
      jobManager: null,
    });
    if (answer.type === 'entries') return answer.entries;
    throw new JarError(messageOf(answer));
  }

  #ask(start: ApplicationStart): Promise<ApplicationAnswer | ApplicationResult> {
    return this.#starts.run(() => this.#askNow(start)); // A3
  }

  /** A2 */
  async #askNow(start: ApplicationStart): Promise<ApplicationAnswer | ApplicationResult> {
    if (this.#closed) return { type: 'failed', failure: failureOf(closed().message) };
    let answer: ApplicationAnswer | null = null;
    const process = await this.#spawn(start, (message) => (answer = message));
    this.#asked.add(process);
    if (this.#closed) process.kill();
    let isLate = false;
    const stop = this.#options.clock.after(answerTimeoutMs, () => {
      isLate = true;
      process.kill();
    });
    const result = await process.ended;
    stop();
    this.#asked.delete(process);
    if (answer !== null) return answer;
    if (!isLate) return result;
    const message = `evaluating the application did not end within ${answerTimeoutMs / 1000} s`;
    return { type: 'failed', failure: failureOf(message) };
  }
}

const deleted = ({ id }: Jar) =>
  refused('not-found', `${id} was deleted before it could be run: upload it again`);

const failureResult = (message: string): ApplicationResult => ({
  type: 'failed',
  failure: failureOf(message),
});

const closed = () => refused('unavailable', 'the cluster is ending');

const failureOf = (message: string): FailureInfo =>
  createFailure(message, { task: 'main()', location: 'jobmanager' });

/** Where it happened, too: it is all that whoever uploaded it gets to see. */
function messageOf(answer: ApplicationAnswer | ApplicationResult): string {
  if (!('failure' in answer)) return 'the application gave no answer';
  const { message, stack } = answer.failure;
  const place = stack?.split('\n').find((line) => /^\s+at /.test(line));
  return place === undefined ? message : `${message} (${place.trim()})`;
}
