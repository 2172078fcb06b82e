/** How an application whose `main()` ran here ended, and its jobs. */
import type { ApplicationResult } from '../../contract/application-messages.ts';
import type { JobOutcome } from '../../contract/outcome.ts';
import { problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { describeFailedApplication, describeJob } from './jobs.ts';
import type { Report } from './report.ts';

interface EndedOrRunningJob {
  readonly jobId: string | null;
  readonly name: string;
  /** `null`: it goes on. */
  readonly outcome: JobOutcome | null;
}

/** @returns the exit code. */
export function answerJobs(
  report: Report,
  data: object,
  jobs: readonly EndedOrRunningJob[],
  result: ApplicationResult,
): ExitCode {
  const text = () =>
    jobs
      .map((job) =>
        job.outcome
          ? describeJob(job.outcome)
          : `${job.name} runs: ${job.jobId ?? 'not submitted yet'}`,
      )
      .join('\n\n');
  const all = { ...data, result: result.type, jobs };
  if (result.type === 'succeeded') {
    report.result(all, text);
    return ExitCode.done;
  }
  if (!report.options.json) report.result(all, text);
  const message = describeFailedApplication(result.type === 'canceled', result.failure);
  report.failure([problem({ code: `application-${result.type}`, message })], all);
  return ExitCode.jobFailed;
}
