/**
 * The JobManager: leads a cluster, runs its application, ends with it.
 *
 *     stand for leadership → REST and RPC listen → lead (endpoint published) → main() runs
 *       → main() has ended, or the application is cancelled → jobs cancelled → outcome → TaskManagers
 *         dismissed → closed
 *
 * M1  There is one way to the end (`#end`), and the first reason is the outcome.
 * M2  The outcome is in the record before any TaskManager is dismissed.
 * M3  A JobManager that no longer leads writes nothing and tells nobody anything: it closes.
 * M4  The process of `main()` is dead before the outcome is written.
 * M5  One that its platform ends because another release replaces it cancels the application, and leaves
 *     its TaskManagers to the next.
 * M6  One that its platform ends for any other reason leaves everything to the next: there is no outcome,
 *     and the journal stays as it is.
 *
 * One file, a little over the usual length: all of it is the one way from the start to the end (M1).
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ApplicationStatus, type FailureInfo } from '../../contract/outcome.ts';
import type { ClusterInfo } from '../../contract/fctl-rest.ts';
import { RPC_PATH } from '../../contract/runtime-config.ts';
import { joinSecrets } from '../../contract/secrets.ts';
import {
  type Candidacy,
  type Leadership,
  LeadershipLostError,
  standForLeadership,
} from '../ha/leadership.ts';
import { readDocument } from '../../record/record.ts';
import { hasSuccessor } from '../ha/ended.ts';
import { openRecord } from '../ha/record.ts';
import { writeOutcomePatiently } from '../ha/patient-outcome.ts';
import { watchLeadership } from '../ha/watch-leadership.ts';
import { type PrometheusReporter, startReporters } from '../metrics/prometheus-reporter.ts';
import { createRpcServer, type RpcServer } from '../rpc/server.ts';
import type { ApplicationResult, JobManagerAddress } from '../../contract/application-messages.ts';
import { localHost, reachableHost } from './addresses.ts';
import {
  type ApplicationProcess,
  startApplicationProcess,
} from './dispatcher/application-process.ts';
import { createBlobStore, type UploadingBlobStore } from './dispatcher/blob-store.ts';
import { Journal } from './dispatcher/journal.ts';
import type { ClusterView, CommandResult } from './views/cluster-view.ts';
import { createCoordinators } from './scheduler/coordinators.ts';
import { Dispatcher } from './dispatcher/dispatcher.ts';
import { JarApplications } from './dispatcher/jar-applications.ts';
import type { JobManagerOptions, RestServer } from './job-manager-options.ts';
import { newestThatFit } from './dispatcher/outcomes.ts';
import { createLocalView } from './views/local-view.ts';
import { OnlyJob, type OnlyJobOptions } from './dispatcher/only-job.ts';
import { ResourceManager } from './resources/resource-manager.ts';
import { SlotManager } from './resources/slot-manager.ts';
import { measuredJobManager } from './views/measured-job-manager.ts';
import { createClusterView } from './views/view.ts';

/** How a JobManager ended by itself. */
export type JobManagerEnd =
  /** The outcome is written. */
  | { readonly type: 'ended'; readonly status: ApplicationStatus }
  /** The outcome is written, and is not the cluster's: a newer release was deployed (M5). */
  | { readonly type: 'replaced' }
  /** Its platform ended it (M6). */
  | { readonly type: 'suspended' }
  /** Another JobManager leads (M3). */
  | { readonly type: 'fenced'; readonly message: string };

/** How long TaskManagers have to come, and to confirm that they were dismissed. */
const dismissTimeoutMs = 5000;

/**
 * Starts a JobManager and leads.
 * @throws LeadershipLostError; what `createRestServer` throws.
 */
export async function startJobManager(options: JobManagerOptions): Promise<JobManager> {
  const record = openRecord(options.config.record, options.redactor);
  const jobManager = new JobManager(options, await standForLeadership(record));
  await jobManager.start();
  return jobManager;
}

export class JobManager {
  /** Resolves when nothing of it is left; rejects when the outcome could not be written. */
  readonly ended: Promise<JobManagerEnd>;
  readonly #options: JobManagerOptions;
  readonly #candidacy: Candidacy;
  readonly #resourceId: string;
  readonly #startTime: number;
  readonly #blobs: UploadingBlobStore;
  readonly #journal: Journal;
  readonly #dispatcher: Dispatcher;
  /** In per-job mode. */
  readonly #onlyJob: OnlyJob | null;
  /** In session mode. */
  readonly #jars: JarApplications | null;
  readonly #resources: ResourceManager;
  readonly #local: ReturnType<typeof createLocalView>;
  #leadership: Leadership | null = null;
  #rest: RestServer | null = null;
  #rpc: RpcServer | null = null;
  #application: Promise<ApplicationProcess> | null = null;
  #status: ApplicationStatus = ApplicationStatus.running;
  #error: FailureInfo | null = null;
  #endTime: number | null = null;
  #ending = false;
  readonly #terminated = new AbortController();
  /** M5 */
  #isReplaced = false;
  #stopWatching: () => void = () => {};
  #reporters: readonly PrometheusReporter[] = [];
  #resolveEnded!: (end: JobManagerEnd | Promise<JobManagerEnd>) => void;

  constructor(options: JobManagerOptions, candidacy: Candidacy) {
    const { clock, config, logger, redactor } = options;
    const { application } = config;
    const newId = () => randomBytes(16).toString('hex');
    this.#options = options;
    this.#local = createLocalView(config);
    this.#candidacy = candidacy;
    this.#resourceId = `${config.resourceId}/${randomBytes(4).toString('hex')}`;
    this.#startTime = clock.now();
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    this.#blobs = createBlobStore({
      directory: join(config.workDir, 'blobs'),
      placed: new Map(application ? [[application.bundleHash, application.bundleFile]] : []),
    });
    this.#resources = new ResourceManager({
      slots: new SlotManager(newId, config.loadBalanceMode),
      epoch: candidacy.epoch,
      resourceId: this.#resourceId,
      heartbeat: config.heartbeat,
      events: () => this.#dispatcher,
      logger,
      clock,
    });
    this.#journal = new Journal({
      record: openRecord(config.record, redactor),
      epoch: candidacy.epoch,
      resourceId: this.#resourceId,
      release: config.release,
      mode: config.mode,
      redactor,
      clock,
    });
    this.#dispatcher = new Dispatcher({
      ...config,
      slots: this.#resources,
      blobs: this.#blobs,
      createCoordinators,
      checkLeadership: () => this.#checkLeadership(),
      random: Math.random,
      journal: this.#journal,
      workingDirectory: application?.workingDirectory ?? process.cwd(),
      newId,
      redactor,
      logger,
      clock,
    });
    const { resourceId } = config;
    const journal = this.#journal;
    const dispatcher = this.#dispatcher;
    const ended: OnlyJobOptions['ended'] = (status, error) => this.#end(status, error);
    this.#onlyJob =
      config.mode === 'per-job'
        ? new OnlyJob({
            dispatcher,
            journal,
            resourceId,
            clock,
            ended,
            submissionTimeoutMs: config.submissionTimeoutMs,
            isUploading: () => this.#blobs.isUploading,
          })
        : null;
    this.#jars =
      config.mode === 'session'
        ? new JarApplications({
            ...options,
            directory: join(config.workDir, 'jars'),
            script: options.applicationScript,
            workingDirectory: process.cwd(),
            parallelism: config.parallelism,
            address: () => this.#address(),
            blobs: this.#blobs,
            dispatcher,
            newId,
          })
        : null;
  }

  /** Listens, leads, starts the application. */
  async start(): Promise<void> {
    const { clock, config, logger, token } = this.#options;
    const { epoch } = this.#candidacy;
    const view = this.#view();
    this.#rest = await this.#options.createRestServer(view);
    this.#reporters = startReporters(config.reporters, {
      ...this.#options,
      bind: config.rest.bind,
      measure: () => measuredJobManager(view),
    });
    this.#rpc = createRpcServer({
      server: this.#rest.server,
      token,
      envelope: { clusterId: config.clusterId, resourceId: this.#resourceId, epoch },
      heartbeat: config.heartbeat,
      maxFrameBytes: config.network.maxFrameBytes,
      connected: (connection) => this.#resources.connected(connection),
      clock,
    });
    const at = `${reachableHost(config.rest.bind)}:${this.#rest.port}`;
    try {
      const leadership = await this.#candidacy.lead({
        rest: `http://${at}`,
        rpc: `ws://${at}${RPC_PATH}`,
        jobmanager: { resourceId: this.#resourceId, pid: process.pid },
      });
      await this.#journal.open();
      await this.#jars?.open();
      this.#leadership = leadership;
    } catch (error) {
      await this.#close();
      throw error;
    }
    logger.info('JobManager leads', {
      epoch,
      rest: `http://${at}`,
      release: config.release,
      mode: config.mode,
    });
    this.#stopWatching = watchLeadership(this.#leadership, {
      ...this.#options,
      intervalMs: this.#options.config.heartbeat.intervalMs,
      onLost: (error) => this.#fenced(error),
    });
    await this.#startApplication();
  }

  /** Cancels everything, writes the outcome and ends. Does nothing when it is ending already. */
  cancel(why: string): void {
    if (this.#ending) return;
    this.#options.logger.info('application is being cancelled', { why });
    this.#end(ApplicationStatus.canceled, null);
  }

  /** Ends because the platform wants it to (M5, M6), which ends its TaskManagers, too. */
  async terminate(why: string): Promise<void> {
    this.#terminated.abort();
    this.#resources.expectNone();
    if (this.#ending) return;
    const record = openRecord(this.#options.config.record);
    this.#isReplaced = await hasSuccessor(record, this.#candidacy.epoch);
    if (this.#isReplaced) this.cancel(why);
    else this.#suspend(why);
  }

  #view(): ClusterView {
    return createClusterView({
      epoch: this.#candidacy.epoch,
      effectiveConfig: this.#options.config.effectiveConfig,
      blobs: this.#blobs,
      clock: this.#options.clock,
      local: this.#local.view,
      dispatcher: this.#dispatcher,
      resources: this.#resources,
      ready: () => this.#leadership !== null,
      info: () => this.#info(),
      document: async (name) => {
        const record = openRecord(this.#options.config.record);
        const { value, version } = await readDocument(record, name);
        return { version, value };
      },
      jars: this.#jars,
      submitJob: (request) => (this.#onlyJob ?? this.#jars ?? this.#dispatcher).submit(request),
      cancelApplication: () => this.#cancelApplication(),
      shutDown: () => this.#shutDown(),
    });
  }

  #info(): ClusterInfo {
    const { clusterId, mode, release, application } = this.#options.config;
    return {
      protocol: this.#options.config.protocol,
      clusterId,
      release,
      epoch: this.#candidacy.epoch,
      mode,
      startTime: this.#startTime,
      application: application && {
        status: this.#status,
        startTime: this.#journal.startTime,
        endTime: this.#endTime,
        error: this.#error,
      },
    };
  }

  /** Flink's `DELETE /cluster`: the regular end of a session; any other cluster is cancelled by it. */
  #shutDown(): CommandResult {
    if (this.#options.config.mode !== 'session') return this.#cancelApplication();
    this.#options.logger.info('the session is being stopped');
    this.#end(ApplicationStatus.succeeded, null);
    return { type: 'accepted' };
  }

  #cancelApplication(): CommandResult {
    if (this.#options.config.mode === 'session')
      return conflict('this is a session: cancel one of its jobs, or stop it');
    if (this.#endTime !== null)
      return conflict(`the application has already ended: ${this.#status}`);
    this.cancel('requested over REST');
    return { type: 'accepted' };
  }

  async #startApplication(): Promise<void> {
    const { applicationScript, config, logger, output, secretArgs } = this.#options;
    const { application, parallelism } = config;
    this.#onlyJob?.expect();
    if (application === null || config.mode !== 'application') return;
    if (this.#ending || this.#rest === null) return;
    const { bundleFile, bundleHash, workingDirectory } = application;
    const args = joinSecrets(application.args, secretArgs);
    this.#application = startApplicationProcess({
      script: applicationScript,
      workingDirectory,
      start: {
        mode: 'application',
        args,
        bundleFile,
        bundleHash,
        parallelism,
        job: null,
        secrets: [],
        detached: false,
        jobManager: this.#address(),
      },
      output,
      logger,
    });
    const { ended } = await this.#application;
    void ended.then((result) => this.#applicationEnded(result));
  }

  /** For `main()`, on this machine. */
  #address(): JobManagerAddress {
    const { config, token } = this.#options;
    const restUrl = `http://${localHost(config.rest.bind)}:${this.#rest!.port}`;
    return { restUrl, token, epoch: this.#candidacy.epoch };
  }

  async #killApplication(): Promise<void> {
    const application = await this.#application;
    application?.kill();
    await Promise.all([application?.ended, this.#jars?.close()]);
  }

  #applicationEnded(result: ApplicationResult): void {
    if (result.type === 'succeeded') this.#end(ApplicationStatus.succeeded, null);
    else if (result.type === 'canceled') this.#end(ApplicationStatus.canceled, result.failure);
    else this.#end(ApplicationStatus.failed, result.failure);
  }

  /** M1 */
  #end(status: ApplicationStatus, error: FailureInfo | null): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#resolveEnded(this.#finish(status, error));
  }

  async #finish(status: ApplicationStatus, error: FailureInfo | null): Promise<JobManagerEnd> {
    const { clock, logger } = this.#options;
    await this.#killApplication(); // M4
    const ran = await this.#dispatcher.close('the application has ended');
    // A session may have run any number of jobs, and each of them was told about when it ended.
    const isSession = this.#options.config.mode === 'session';
    const jobs = newestThatFit(isSession ? ran : this.#dispatcher.outcomes());
    this.#status = status;
    this.#error = error;
    this.#endTime = clock.now();
    const { startTime } = this.#journal;
    const outcome = { status, startTime, endTime: this.#endTime, error, jobs };
    if (error !== null) logger.error(`application ${status}: ${error.message}`, { error });
    else logger.info(`application ${status}`);
    try {
      if (this.#leadership !== null)
        await writeOutcomePatiently(this.#leadership, outcome, {
          clock,
          signal: this.#terminated.signal,
          onWait: (full) =>
            logger.error('the outcome waits for space on the disk', { error: full }),
        });
      await this.#dismiss(); // M2
      return this.#isReplaced ? { type: 'replaced' } : { type: 'ended', status };
    } catch (failure) {
      if (failure instanceof LeadershipLostError)
        return { type: 'fenced', message: failure.message }; // M3
      // TaskManagers stay for the JobManager that is started again.
      logger.error('the outcome cannot be written', { error: failure });
      throw failure;
    } finally {
      await this.#close();
    }
  }

  async #dismiss(): Promise<void> {
    if (this.#isReplaced) {
      this.#options.logger.info('TaskManagers stay: another release of the cluster was deployed'); // M5
      return;
    }
    const expected = this.#terminated.signal.aborted ? 0 : this.#options.config.taskManagers;
    await this.#resources.dismiss(expected, dismissTimeoutMs);
  }

  /** Whether it still leads. Rejects with LeadershipLostError (M3), or when the record cannot be read. */
  async #checkLeadership(): Promise<void> {
    try {
      await this.#leadership?.check();
    } catch (error) {
      if (error instanceof LeadershipLostError) this.#fenced(error);
      throw error;
    }
  }

  /** M3 */
  #fenced(error: LeadershipLostError): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#options.logger.error(error.message);
    this.#leave({ type: 'fenced', message: error.message });
  }

  /** M6 */
  #suspend(why: string): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#options.logger.info('what runs is left to the next JobManager', { why });
    this.#journal.close();
    this.#leave({ type: 'suspended' });
  }

  #leave(end: JobManagerEnd): void {
    this.#dispatcher.abandon('this JobManager goes away');
    const closed = Promise.all([this.#killApplication(), this.#close()]);
    this.#resolveEnded(closed.then(() => end));
  }

  async #close(): Promise<void> {
    this.#stopWatching();
    for (const reporter of this.#reporters) reporter.close();
    this.#onlyJob?.close();
    this.#rpc?.close();
    this.#local.close();
    await this.#rest?.close();
  }
}

const conflict = (message: string) => ({ type: 'refused', reason: 'conflict', message }) as const;
