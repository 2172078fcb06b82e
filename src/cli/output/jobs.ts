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
import type { JobDetails, VertexSummary } from '../../contract/rest.ts';
import { formatDuration } from '../../contract/units.ts';
import { colorState, count, out } from './style.ts';
import { table } from './table.ts';
import { type Column, columnsOf, describeLosses, metricsOfSummary } from './vertex-metrics.ts';

const nameWidth = 44;
const shorten = (name: string) =>
  name.length <= nameWidth ? name : `${name.slice(0, nameWidth - 1)}…`;

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
      const losses = describeLosses(job.vertices.map(metricsOfSummary));
      const parts = job.state === 'FINISHED' ? [head] : [head, describeSummaries(job.vertices)];
      return [...parts, ...losses].join('\n');
    })
    .join('\n');
}

function describeSummaries(vertices: readonly VertexSummary[]): string {
  const columns = columnsOf('running');
  const [counts, others] = [
    columns.filter((c) => c.isRecords),
    columns.filter((c) => !c.isRecords),
  ];
  const rows = vertices.map((vertex) => {
    const values = metricsOfSummary(vertex);
    const records = Math.max(values.recordsIn ?? 0, values.recordsOut ?? 0);
    const rate = vertex.duration > 0 ? records / (vertex.duration / 1000) : 0;
    return [
      `  ${shorten(vertex.name)}`,
      String(vertex.parallelism),
      colorState(vertex.status),
      ...counts.map(({ cell }) => cell(values)),
      `${count(rate)}/s`,
      ...others.map(({ cell }) => cell(values)),
    ];
  });
  const titles = (of: readonly Column[]) => of.map(({ title }) => title);
  return table(
    ['  VERTEX', 'PARALLELISM', 'STATE', ...titles(counts), 'RATE', ...titles(others)],
    rows,
  );
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
  const losses = describeLosses(job.vertices);
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
  const columns = columnsOf('ended');
  const rows = vertices.map((v) => [
    `  ${shorten(v.name)}`,
    String(v.parallelism),
    colorState(v.state),
    ...columns.map(({ cell }) => cell(v)),
  ]);
  const titles = columns.map(({ title }) => title);
  return table(['  VERTEX', 'PARALLELISM', 'STATE', ...titles], rows);
}
