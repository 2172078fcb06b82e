/** Jobs and outcomes as tables. */
import { isAbsolute, relative } from 'node:path';
import {
  type FailureInfo,
  type JobOutcome,
  LOST,
  type VertexOutcome,
} from '../../contract/outcome.ts';
import type { OutcomeDocument } from '../../record/documents.ts';
import type { JobAttemptsResponse } from '../../contract/fctl-rest.ts';
import { printable } from '../../contract/printable.ts';
import type { JobDetails } from '../../contract/rest.ts';
import { formatDuration } from '../../contract/units.ts';
import { colorState, count, out } from './style.ts';
import { table } from './table.ts';

const nameWidth = 44;
const shorten = (name: string) =>
  name.length <= nameWidth ? name : `${name.slice(0, nameWidth - 1)}…`;

/** `2008-01-31 23:59`, or nothing before the first watermark. */
function time(watermark: number | null | undefined): string {
  if (watermark === null || watermark === undefined || !Number.isFinite(watermark)) return '';
  if (watermark >= Number.MAX_SAFE_INTEGER) return 'end';
  return new Date(watermark).toISOString().slice(0, 16).replace('T', ' ');
}

/**
 * Running jobs, vertex by vertex: records in, out, rate, watermark.
 * @param attempts by job id: those of jobs that were lost or started again are shown, and what a job waits for.
 */
export function describeJobs(
  jobs: readonly JobDetails[],
  attempts: ReadonlyMap<string, JobAttemptsResponse> | null = null,
): string {
  return jobs
    .map((job) => {
      const known = attempts?.get(job.jid);
      const state = colorState(known?.state ?? job.state);
      const head = `${out.bold(printable(job.name))} ${state} ${out.dim(formatDuration(job.duration))}${describeAttempts(known)}`;
      const losses = describeLosses(
        job.vertices.map((vertex) => ({
          skipped: vertex['skipped-records'],
          late: vertex['late-records'],
        })),
      );
      const rows = job.vertices.map((vertex) => {
        const { metrics } = vertex;
        const records = Math.max(metrics['read-records'], metrics['write-records']);
        const rate = vertex.duration > 0 ? records / (vertex.duration / 1000) : 0;
        return [
          `  ${shorten(vertex.name)}`,
          String(vertex.parallelism),
          colorState(vertex.status),
          count(metrics['read-records']),
          count(metrics['write-records']),
          `${count(rate)}/s`,
          time(vertex.watermark),
        ];
      });
      const titles = ['  VERTEX', 'PARALLELISM', 'STATE', 'IN', 'OUT', 'RATE', 'WATERMARK'];
      const parts = job.state === 'FINISHED' ? [head] : [head, table(titles, rows)];
      return [...parts, ...losses].join('\n');
    })
    .join('\n');
}

interface Losses {
  readonly skipped: number | undefined;
  readonly late: number | undefined;
}

/** What of the input is in no result; no line when nothing was lost. */
function describeLosses(vertices: readonly Losses[]): string[] {
  const sum = (key: keyof Losses) => vertices.reduce((all, vertex) => all + (vertex[key] ?? 0), 0);
  const [skipped, late] = [sum('skipped'), sum('late')];
  return [
    ...(skipped > 0 ? [`  ${out.yellow(`skipped ${count(skipped)} malformed records`)}`] : []),
    ...(late > 0 ? [`  ${out.yellow(`dropped ${count(late)} late records`)}`] : []),
  ];
}

function describeAttempts(known: JobAttemptsResponse | undefined): string {
  if (known === undefined) return '';
  const waits = known.waitsFor == null ? '' : `\n  ${known.waitsFor}`;
  if (known.attempts.length < 2 && known.state !== LOST) return waits;
  const each = known.attempts.map(({ attempt, epoch, state }) => {
    const why = state === LOST ? ` with JobManager ${epoch}` : '';
    return `${attempt} ${colorState(state)}${why}`;
  });
  return `\n  attempts: ${each.join(', ')}${waits}`;
}

/** How an application ended, job by job. */
export function describeOutcome(outcome: OutcomeDocument): string {
  const head = `${colorState(outcome.status)} after ${formatDuration(outcome.endTime - outcome.startTime)}`;
  return [head, ...outcome.jobs.map(describeJob)].join('\n\n');
}

/** What is told of an application that failed or was cancelled: message, task, the user's own lines. */
export function describeFailedApplication(canceled: boolean, error: FailureInfo | null): string {
  const where = [error?.task, error?.location].filter(Boolean).join(' on ');
  return [
    `the application ${canceled ? 'was cancelled' : 'failed'}${error ? `: ${error.message}` : ''}`,
    ...(where === '' ? [] : [`  in ${where}`]),
    ...userFrames(error?.stack ?? ''),
  ].join('\n');
}

/** Positions in the user's files, which are relative; the runtime's own are in logs and `--json`. */
const userFrames = (stack: string) =>
  stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line) && !/(?:\(|at |file:\/\/)\/|node:/.test(line));

/** As one would name it in this folder, where it is below. */
function fromHere(folder: string): string {
  const path = relative(process.cwd(), folder);
  return path.startsWith('..') || isAbsolute(path) ? folder : `./${path}`;
}

/** One job that has ended, vertex by vertex. */
export function describeJob(job: JobOutcome): string {
  const took = formatDuration(job.endTime - job.startTime);
  const head = `${out.bold(printable(job.name))} ${colorState(job.state)} in ${took} ${out.dim(job.id)}`;
  const accumulators = Object.entries(job.accumulators).map(
    ([name, value]) => `  ${name}: ${JSON.stringify(value)}`,
  );
  const error = job.error ? [`  ${out.red(job.error.message)}`] : [];
  const outputs = (job.outputs ?? []).map((folder) => `  ${out.dim('output')} ${fromHere(folder)}`);
  const losses = describeLosses(
    job.vertices.map(({ lateRecords, skippedRecords }) => ({
      skipped: skippedRecords,
      late: lateRecords,
    })),
  );
  const parts = [
    head,
    describeVertices(job.vertices),
    ...losses,
    ...accumulators,
    ...outputs,
    ...error,
  ];
  return parts.join('\n');
}

function describeVertices(vertices: readonly VertexOutcome[]): string {
  const rows = vertices.map((v) => [
    `  ${shorten(v.name)}`,
    String(v.parallelism),
    colorState(v.state),
    count(v.recordsIn),
    count(v.recordsOut),
    count(v.lateRecords),
    count(v.skippedRecords ?? 0),
  ]);
  return table(['  VERTEX', 'PARALLELISM', 'STATE', 'IN', 'OUT', 'LATE', 'SKIPPED'], rows);
}
