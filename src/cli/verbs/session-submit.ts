/** `fctl session submit`: runs an application's `main()` here and its jobs on a session. */
import { dirname, join, resolve } from 'node:path';
import { stat } from 'node:fs/promises';
import type { ApplicationEvent } from '../../contract/application-messages.ts';
import type { JobOutcome } from '../../contract/documents.ts';
import { ClusterError, UsageError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { JsonObject } from '../../contract/json.ts';
import { formatBytes } from '../../contract/units.ts';
import { reachSession, submitToSession } from '../../deployment/modes/session.ts';
import { bundleApplication } from '../../packaging/bundle.ts';
import { inspectApplication } from '../../packaging/inspect.ts';
import type { CommonOptions, Context } from '../context.ts';
import { answerJobs } from '../output/job-results.ts';
import { createProgress } from '../output/progress.ts';
import { parseJsonArgs } from './json-args.ts';
import { watchJobs } from './watch-jobs.ts';

interface SubmitFlags extends CommonOptions {
  readonly cluster?: string;
  readonly job?: string;
  readonly args?: string;
  readonly parallelism?: string;
  readonly detach?: boolean;
}

interface Application {
  readonly entry: string;
  readonly projectDir: string;
  readonly args: JsonObject;
  readonly parallelism: number;
}

export async function run(
  context: Context<SubmitFlags>,
  entry: string | undefined,
): Promise<number> {
  const { options, place, report, signal } = context;
  const clusterId = await context.clusterId(options.cluster);
  const provider = await context.provider();
  const endpoint = await reachSession(provider, clusterId);
  const application = await findApplication(context, entry);
  const progress = await createProgress({ quiet: report.options.quiet || report.options.json });
  const { args, parallelism, projectDir } = application;
  progress.step('Bundling the application');
  const bundle = await bundleApplication({
    entry: application.entry,
    projectDir,
    cacheDir: join(place.cacheDir, 'bundles'),
  });
  const job = options.job ?? null;
  await inspectApplication(bundle, {
    args,
    parallelism,
    compile: job === null ? { jobs: 'if-no-main' } : { job },
    script: join(place.runtimeDir, 'inspect.js'),
    signal,
  });
  const jobs = new Map<number, { jobId: string; name: string; outcome: JobOutcome | null }>();
  let uploadedBytes = 0;
  const onEvent = (event: ApplicationEvent) => {
    if (event.type === 'ended') jobs.get(event.executeIndex)!.outcome = event.outcome;
    else {
      const { executeIndex, jobId, name } = event;
      jobs.set(executeIndex, { jobId, name, outcome: null });
      progress.done(`Submitted ${name} (${jobId})`);
    }
  };
  const running = () => [...jobs.values()].filter((j) => j.outcome === null);
  const stopWatching = watchJobs(
    () => running().map(({ jobId }) => ({ endpoint, jobId })),
    progress,
  );
  try {
    const result = await submitToSession({
      endpoint,
      bundle,
      script: join(place.runtimeDir, 'application.js'),
      workingDirectory: projectDir,
      environment: place.environment,
      args,
      secrets: report.redactor.values,
      parallelism,
      job,
      detached: options.detach ?? false,
      signal,
      onUploaded: (bytes) => {
        uploadedBytes = bytes;
        progress.done(
          bytes === 0
            ? 'The session has this application already: nothing was uploaded'
            : `Uploaded the application (${formatBytes(bytes)})`,
        );
      },
      onEvent,
      onOutput: (text) => report.message(text.replace(/\n$/, '')),
    });
    stopWatching();
    progress.stop();
    const data = { clusterId, uploadedBytes, detached: options.detach ?? false };
    return answerJobs(report, data, [...jobs.values()], result);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw left(signal.reason as ClusterError, clusterId, [...jobs.values()]);
  } finally {
    stopWatching();
    progress.stop();
  }
}

/** `main()` ended with us; what it submitted goes on. */
function left(
  { exitCode, problems }: ClusterError,
  clusterId: string,
  jobs: readonly { jobId: string; name: string; outcome: JobOutcome | null }[],
): ClusterError {
  const open = jobs.filter((job) => job.outcome === null);
  const names = open.map((job) => `${job.name} (${job.jobId})`).join(', ');
  return new ClusterError(
    exitCode === ExitCode.timedOut ? ExitCode.timedOut : ExitCode.interrupted,
    problem({
      code: 'detached',
      message: `${problems[0]!.message}: main() ended${open.length === 0 ? '' : `, ${names} goes on`}`,
      hint:
        open.length === 0
          ? `'fctl session status ${clusterId}' shows the session`
          : `'fctl cancel ${clusterId} --job ${open[0]!.jobId}' ends it`,
    }),
  );
}

/** The one that was named, else the config's. */
async function findApplication(
  context: Context<SubmitFlags>,
  entry: string | undefined,
): Promise<Application> {
  const { options, place } = context;
  const given = options.args === undefined ? null : parseJsonArgs(options.args);
  const parallelism = parseParallelism(options.parallelism);
  if (entry === undefined) {
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

function parseParallelism(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new UsageError(
    problem({
      code: 'not-a-number',
      message: `--parallelism ${text} is not a number of at least 1`,
    }),
  );
}
