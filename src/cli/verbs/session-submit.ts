/** `fctl session submit`: runs an application's `main()` here and its jobs on a session. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { dirname, join, resolve } from 'node:path';
import { stat } from 'node:fs/promises';
import { type ClusterError, UsageError, problem } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import {
  reachSession,
  type SessionSubmission,
  submitToSession,
} from '../../deployment/modes/session.ts';
import { type ApplicationBundle, bundleApplication } from '../../packaging/bundle.ts';
import { inspectApplication } from '../../packaging/inspect.ts';
import { findLeader, type Leader } from '../../deployment/site.ts';
import type { sessionSubmit as declaration } from '../commands/session-submit.ts';
import type { Context } from '../context.ts';
import { endedBy } from '../interruption.ts';
import { answerJobs } from '../output/job-results.ts';
import { type Progress, createProgress } from '../output/progress.ts';
import { Uploads } from '../output/uploads.ts';
import type { Given } from '../verb.ts';
import { parseJsonArgs } from './option-values.ts';
import { type SubmittedJob, SubmittedJobs } from './submitted-jobs.ts';

type SubmitFlags = Given<typeof declaration>;

interface Application {
  readonly entry: string;
  readonly projectDir: string;
  readonly args: JsonObject;
  readonly parallelism: number;
}

export async function run(context: Context, flags: SubmitFlags): Promise<number> {
  const { report } = context;
  const clusterId = await context.clusterId(flags.cluster);
  const site = await context.site();
  const leader = await reachSession(site, clusterId);
  const application = await findApplication(context, flags);
  const progress = await createProgress(report.options);
  try {
    progress.step('Bundling the application');
    const bundle = await prepare(context, flags, application);
    const locate = async () => (await findLeader(site, clusterId))?.endpoint ?? null;
    const submission = { flags, application, bundle, clusterId, leader, locate, progress };
    return await submit(context, submission);
  } finally {
    progress.stop();
  }
}

/** @throws ConfigError with everything that is wrong with the application. */
async function prepare(
  { place, report, signal }: Context,
  { job }: SubmitFlags,
  { args, entry, parallelism, projectDir }: Application,
): Promise<ApplicationBundle> {
  const cacheDir = join(place.cacheDir, 'bundles');
  const bundle = await bundleApplication({ entry, projectDir, cacheDir });
  await inspectApplication(bundle, {
    args,
    parallelism,
    workingDirectory: projectDir,
    compile: job === null ? { jobs: 'if-no-main' } : { job },
    script: join(place.runtimeDir, 'inspect.js'),
    signal,
    onOutput: (text) => report.output(text),
  });
  return bundle;
}

interface Submission {
  readonly flags: SubmitFlags;
  readonly application: Application;
  readonly bundle: ApplicationBundle;
  readonly clusterId: ClusterId;
  readonly leader: Leader;
  readonly locate: SessionSubmission['locate'];
  readonly progress: Progress;
}

async function submit(
  { place, report, signal }: Context,
  { application, bundle, clusterId, flags, leader, locate, progress }: Submission,
): Promise<number> {
  const { detach: detached, job } = flags;
  const jobs = new SubmittedJobs(progress);
  const uploads = new Uploads(progress);
  const name = 'the application';
  try {
    const result = await submitToSession({
      endpoint: leader.endpoint,
      locate,
      bundle,
      script: join(place.runtimeDir, 'application.js'),
      workingDirectory: application.projectDir,
      environment: place.environment,
      args: application.args,
      secrets: report.redactor.values,
      parallelism: application.parallelism,
      job,
      detached,
      signal,
      onUpload: (doneBytes, totalBytes) => uploads.under(name, doneBytes, totalBytes),
      onUploaded: (sentBytes) => {
        if (sentBytes !== null) uploads.done(name, sentBytes, bundle.sizeBytes);
        else progress.done('The session has this application already: nothing was uploaded');
      },
      onEvent: (event) => {
        if (event.type === 'uploading' || event.type === 'uploaded') return uploads.take(event);
        if (event.type === 'submitted') {
          jobs.expect(event.executeIndex, clusterId, event.name);
          jobs.locate(event.executeIndex, leader.api);
        }
        jobs.take(event);
      },
      onOutput: (text) => report.output(text),
    });
    jobs.stop();
    progress.stop();
    const uploadedBytes = uploads.sentBytes;
    return answerJobs(report, { clusterId, uploadedBytes, detached }, jobs.all, result);
  } catch (error) {
    throw signal.aborted ? left(signal, clusterId, jobs.open) : error;
  } finally {
    jobs.stop();
  }
}

/** `main()` ended with us; what it submitted goes on. */
function left(
  signal: AbortSignal,
  clusterId: ClusterId,
  open: readonly SubmittedJob[],
): ClusterError {
  const names = open.map(({ jobId, name }) => `${name} (${jobId})`).join(', ');
  return endedBy(
    signal,
    'detached',
    (why) => `${why}: main() ended${names === '' ? '' : `, ${names} goes on`}`,
    names === ''
      ? `'fctl session status ${clusterId}' shows the session`
      : `'fctl cancel ${clusterId} --job ${open[0]!.jobId}' ends it`,
  );
}

/** The one that was named, else the config's. */
async function findApplication(
  context: Context,
  { app: entry, args, parallelism }: SubmitFlags,
): Promise<Application> {
  const { place, report } = context;
  const given = args === null ? null : parseJsonArgs(args, report.redactor);
  if (entry === null) {
    const { config } = await context.config({ application: true });
    const application = config.application!;
    return {
      entry: application.entry,
      projectDir: config.projectDir,
      args: given ?? application.args,
      parallelism: parallelism ?? application.parallelism,
    };
  }
  const file = resolve(place.cwd, entry);
  if (!(await stat(file).catch(() => null))?.isFile()) {
    throw new UsageError(
      problem({
        code: 'entry-missing',
        message: `the application ${file} does not exist`,
        hint: 'name the file that defines the jobs, such as ./src/app.ts',
      }),
    );
  }
  return {
    entry: file,
    projectDir: dirname(file),
    args: given ?? {},
    parallelism: parallelism ?? 1,
  };
}
