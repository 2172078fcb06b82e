/** A metric is one row of the table: whatever is counted under its name is seen wherever metrics are. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeJob, describeJobs } from '../../../src/cli/output/jobs.ts';
import { jobMetricRows } from '../../../src/contract/metrics/job-metrics.ts';
import {
  jobManagerMetricRows,
  processMetricRows,
} from '../../../src/contract/metrics/process-metrics.ts';
import { metricRows } from '../../../src/contract/metrics/table.ts';
import {
  createTaskCounters,
  taskCounterNames,
  type TaskMetrics,
  taskMetricRows,
} from '../../../src/contract/metrics/task-metrics.ts';
import type { JobDetails, Metric, VertexDetails } from '../../../src/contract/rest.ts';
import type { RecordedJob } from '../../../src/record/documents.ts';
import { toOutcome } from '../../../src/runtime/jobmanager/views/job-view.ts';
import { viewRecordedJob } from '../../../src/runtime/jobmanager/views/recorded-job.ts';
import { TaskMeter } from '../../../src/runtime/stream/task/task-meter.ts';
import { metricsReference } from '../../../tools/metrics-reference.ts';
import { fakeJob, fakeView, jobId, sourceId } from '../rest/fake-view.ts';
import { serve } from '../rest/server.ts';

/** Values that no two metrics share, also not when those of two subtasks are summed up. */
const distinct = (index: number) => 1001 + 7 * index;

/** Half of each is counted by the task, the rest by its chain. */
function report(): TaskMetrics {
  const meter = new TaskMeter({ monotonic: () => 0, now: () => 1_795_371_009_123 });
  meter.open();
  meter.start();
  const counted = createTaskCounters();
  for (const [index, name] of taskCounterNames.entries()) {
    meter.counters[name] = 500;
    counted[name] = distinct(index) - 500;
  }
  return meter.metrics({ metrics: counted, currentWatermark: 1_795_371_000_123 });
}

const values = report();
const job = fakeJob('running', values);
const ask = async <T>(path: string): Promise<T> => {
  const view = fakeView('running', { job: () => job, jobs: () => [job] });
  const answer = await fetch((await serve({ view })).url + path);
  return (await answer.json()) as T;
};
const counters = taskMetricRows.filter(({ kind }) => kind === 'counter');

describe('what is counted under the name of a row', () => {
  it('is in the report of a task', () => {
    const wanted = taskCounterNames.map((name, index) => [name, distinct(index)]);
    // Idle is a task for the time that is left.
    const counted = { ...Object.fromEntries(wanted), idleMs: expect.any(Number) };
    expect(values).toMatchObject({
      ...counted,
      watermark: 1_795_371_000_123,
      watermarkLagMs: 9000,
    });
    expect(Object.keys(values).toSorted()).toEqual(
      taskMetricRows.map(({ name }) => name).toSorted(),
    );
  });

  it('is told by REST, under each name of Flink', async () => {
    const vertices = await Promise.all(
      job.vertices.map(({ id }) => {
        const path = `/jobs/${jobId}/vertices/${id}`;
        return ask<Metric[]>(`${path}/metrics`).then((known) =>
          ask<Metric[]>(`${path}/metrics?get=${known.map(({ id: name }) => name).join(',')}`),
        );
      }),
    );
    const told = new Map(vertices.flat().map(({ id, value }) => [id, value]));
    for (const { flink, kind, name } of taskMetricRows) {
      expect(flink.length).toBeGreaterThan(0);
      for (const { at, name: metric, of = 'value' } of flink) {
        const value = told.get(`1.${at === 'source' ? 'Source__numbers.' : ''}${metric}`);
        expect([metric, value]).toEqual([metric, expect.any(String)]);
        if (of === 'value' && kind === 'counter') expect(Number(value)).toBe(values[name]);
      }
    }
  });

  it('is told over subtasks', async () => {
    const path = `/jobs/${jobId}/vertices/${sourceId}/subtasks/metrics`;
    for (const { flink, name } of counters) {
      for (const { at, name: metric, of = 'value' } of flink) {
        if (of !== 'value') continue;
        const id = `${at === 'source' ? 'Source__numbers.' : ''}${metric}`;
        expect(await ask(`${path}?get=${id}`)).toMatchObject([{ id, sum: 2 * values[name]! }]);
      }
    }
  });

  it('is in the details of jobs and vertices, where the row has a field', async () => {
    const [vertex] = (await ask<JobDetails>(`/jobs/${jobId}`)).vertices;
    const details = await ask<VertexDetails>(`/jobs/${jobId}/vertices/${sourceId}`);
    for (const { ioField, kind, name, vertexField } of taskMetricRows) {
      const sum = kind === 'counter' ? 2 * values[name]! : values[name];
      if (vertexField !== undefined) expect(vertex).toHaveProperty([vertexField], sum);
      if (ioField === undefined) continue;
      expect(vertex!.metrics).toHaveProperty([ioField], sum);
      expect(details.aggregated.metrics[ioField]).toMatchObject({ sum });
    }
  });

  it('is in the outcome, and told of a job that an earlier JobManager ran', () => {
    const outcome = toOutcome(fakeJob('finished', values));
    for (const { kind, name } of taskMetricRows) {
      const sum = kind === 'counter' ? 2 * values[name]! : values[name];
      expect(outcome.vertices[0]).toHaveProperty([name], sum);
    }
    const { vertices } = viewRecordedJob(recorded(outcome), false, 0);
    for (const { name } of taskMetricRows) {
      expect(vertices[0]!.metrics[name]).toBe(outcome.vertices[0]![name]);
    }
  });

  it('is shown in tables and told as lost, where the row says so', async () => {
    const details = await ask<JobDetails>(`/jobs/${jobId}`);
    const running = stripVTControlCharacters(describeJobs([details]));
    const ended = stripVTControlCharacters(describeJob(toOutcome(fakeJob('finished', values))));
    for (const { columns, loss, name, unit } of taskMetricRows) {
      const text = unit === 'time' ? '2026-11-22' : (2 * values[name]!).toLocaleString('en-US');
      if (columns?.running !== undefined) {
        expect(running).toContain(columns.running);
        expect(running).toContain(text);
      }
      if (columns?.ended !== undefined) {
        expect(ended).toContain(columns.ended);
        expect(ended).toContain(text);
      }
      // Of both vertices.
      const lost = loss?.replace('#', (4 * values[name]!).toLocaleString('en-US'));
      if (lost === undefined) continue;
      expect(running.split('\n')).toContain(`  ${lost}`);
      expect(ended.split('\n')).toContain(`  ${lost}`);
    }
  });

  it('is explained', () => {
    const page = metricsReference();
    for (const { flink, help, name } of metricRows) {
      const line = page.split('\n').find((each) => each.startsWith(`| \`${name}\` |`));
      expect(line).toContain(help);
      for (const metric of flink) expect(line).toContain(`${metric.name}\``);
    }
  });
});

describe('every row', () => {
  it('has a name of its own, and so has everything of Flink', () => {
    for (const rows of [
      taskMetricRows,
      [...processMetricRows, ...jobManagerMetricRows],
      jobMetricRows,
    ]) {
      const names = rows.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      const flink = rows.flatMap((row) => row.flink.map(({ name }) => name));
      expect(new Set(flink).size).toBe(flink.length);
    }
  });

  it('of a process, a JobManager or a job is told by REST', async () => {
    const names = async (path: string) => (await ask<Metric[]>(path)).map(({ id }) => id);
    const flink = (rows: typeof processMetricRows) =>
      rows.flatMap((row) => row.flink.map(({ name }) => name));
    const jobManager = await names('/jobmanager/metrics');
    expect(jobManager).toEqual(expect.arrayContaining(flink(processMetricRows)));
    expect(jobManager).toEqual(expect.arrayContaining(flink(jobManagerMetricRows)));
    const taskManager = await names('/taskmanagers/taskmanager-0/metrics');
    expect(taskManager).toEqual(expect.arrayContaining(flink(processMetricRows)));
    expect(await names(`/jobs/${jobId}/metrics`)).toEqual(
      expect.arrayContaining(flink(jobMetricRows)),
    );
  });
});

function recorded(outcome: RecordedJob['outcome']): RecordedJob {
  return {
    id: jobId,
    name: job.name,
    executeIndex: 0,
    graphHash: '',
    argsHash: '',
    boundedness: 'bounded',
    vertices: job.vertices.map(({ id, maxParallelism, name, parallelism }) => ({
      id,
      maxParallelism,
      name,
      parallelism,
    })),
    startTime: 0,
    attempts: [],
    outcome,
    collected: {},
    collectedError: null,
  };
}
