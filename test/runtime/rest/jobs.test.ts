/** Parts of jobs whose values the recordings cannot show. */
import { describe, expect, it } from 'vitest';
import type { ClusterView, JobView } from '../../../src/runtime/jobmanager/views/cluster-view.ts';
import { jobExceptions } from '../../../src/runtime/rest/answers/exceptions.ts';
import {
  applicationId,
  failure,
  fakeJob,
  fakeView,
  jobId,
  type Phase,
  sinkId,
  unknownId,
} from './fake-view.ts';
import { serve } from './server.ts';

/** JSON that a test looks into. */
interface Tree {
  readonly [key: string]: Tree;
}

async function ask(view: ClusterView, path: string, method = 'GET', body: string | null = null) {
  const { url } = await serve({ view });
  const answer = await fetch(url + path, { method, body });
  return { status: answer.status, body: (await answer.json()) as Tree };
}

const vertex = `/jobs/${jobId}/vertices/${sinkId}`;

/** With the sink's subtasks changed. */
function withSubtasks(change: (index: number) => object, phase: Phase = 'running'): ClusterView {
  const job = fakeJob(phase);
  const vertices = job.vertices.map((v) =>
    v.id === sinkId ? { ...v, subtasks: v.subtasks.map((s) => ({ ...s, ...change(s.index) })) } : v,
  );
  const changed: JobView = { ...job, vertices };
  return fakeView(phase, { job: () => changed, jobs: () => [changed] });
}

const recent = (busyMs: number, idleMs: number, backPressuredMs: number) => ({
  recent: {
    ms: 10_000,
    recordsIn: 1234,
    recordsOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    busyMs,
    idleMs,
    backPressuredMs,
  },
});

describe('back pressure', () => {
  it.each([
    [1000, 'ok', 0.1],
    [1100, 'low', 0.11],
    [5000, 'low', 0.5],
    [5100, 'high', 0.51],
    [10_000, 'high', 1],
  ])('of %i ms in 10 s is %s', async (ms, level, ratio) => {
    const view = withSubtasks((index) =>
      index === 0 ? recent(4000, 6000, 0) : recent(0, 10_000 - ms, ms),
    );
    const { body } = await ask(view, `${vertex}/backpressure`);
    expect(body).toMatchObject({ status: 'ok', backpressureLevel: level });
    expect(body['subtasks']).toMatchObject([
      { subtask: 0, backpressureLevel: 'ok', ratio: 0, idleRatio: 0.6, busyRatio: 0.4 },
      { subtask: 1, backpressureLevel: level, 'backpressure-level': level, ratio },
    ]);
  });
});

describe('rates', () => {
  it('are of the last seconds', async () => {
    const view = withSubtasks(() => recent(2500, 5000, 2500));
    const names = [
      'numRecordsInPerSecond',
      'busyTimeMsPerSecond',
      'idleTimeMsPerSecond',
      'backPressuredTimeMsPerSecond',
      'isBackPressured',
    ];
    const { body } = await ask(view, `${vertex}/subtasks/1/metrics?get=${names.join(',')}`);
    expect(body).toEqual([
      { id: 'numRecordsInPerSecond', value: '123.4' },
      { id: 'busyTimeMsPerSecond', value: '250.0' },
      { id: 'idleTimeMsPerSecond', value: '500' },
      { id: 'backPressuredTimeMsPerSecond', value: '250' },
      { id: 'isBackPressured', value: 'true' },
    ]);
  });
});

describe('metrics of several', () => {
  const get = 'numRecordsIn';
  const view = () => withSubtasks((index) => ({ ...recent(0, index, 0) }));
  const names = (body: unknown) => Object.keys((body as readonly object[])[0] ?? {});

  it.each([
    ['', 15_040],
    ['&subtasks=0', 7520],
    ['&subtasks=1-5', 7520],
    ['&subtasks=0,1', 15_040],
  ])('are of the subtasks asked for: %s', async (query, sum) => {
    const { body } = await ask(view(), `${vertex}/subtasks/metrics?get=${get}${query}`);
    expect(body).toMatchObject([{ id: get, sum }]);
  });

  it('are of no subtask when none is meant', async () => {
    const { body } = await ask(view(), `${vertex}/subtasks/metrics?get=${get}&subtasks=7`);
    expect(body).toEqual([]);
  });

  it('are of the jobs and TaskManagers asked for', async () => {
    const of = async (path: string) => (await ask(fakeView('running'), path)).body;
    expect(await of(`/jobs/metrics?get=numRestarts&jobs=${jobId}`)).toHaveLength(1);
    expect(await of(`/jobs/metrics?get=numRestarts&jobs=${unknownId}`)).toEqual([]);
    const heap = '/taskmanagers/metrics?get=Status.JVM.Memory.Heap.Used';
    expect(await of(heap)).toMatchObject([{ max: 30_000_000 }]);
    expect(await of(`${heap}&taskmanagers=taskmanager-0-3f2a`)).toHaveLength(1);
    expect(await of(`${heap}&taskmanagers=other`)).toEqual([]);
  });

  it('are aggregated as asked', async () => {
    const { body } = await ask(view(), `${vertex}/subtasks/metrics?get=${get}&agg=sum,MIN`);
    expect(names(body)).toEqual(['id', 'min', 'sum']);
  });

  it.each(['agg=median', 'subtasks=x', 'subtasks=1-', 'subtasks=-1'])(
    'are refused for %s',
    async (query) => {
      const { status } = await ask(view(), `${vertex}/subtasks/metrics?${query}`);
      expect(status).toBe(400);
    },
  );
});

describe('the result of a job', () => {
  it('has the failure, for Java too', async () => {
    const { body } = await ask(fakeView('failed'), `/jobs/${jobId}/execution-result`);
    const result = body['job-execution-result']!;
    expect(result).toMatchObject({ id: jobId, 'application-status': 'FAILED' });
    expect(result['failure-cause']!['stack-trace']).toBe(failure.stack);
    expect(result['failure-cause']!['serialized-throwable']).toMatch(/^rO0AB/);
  });

  it('is in progress until then', async () => {
    const { body } = await ask(fakeView('running'), `/jobs/${jobId}/execution-result`);
    expect(body).toEqual({ status: { id: 'IN_PROGRESS' } });
  });
});

describe('exceptions', () => {
  const of = async (query: string) =>
    (await ask(fakeView('failed'), `/jobs/${jobId}/exceptions?${query}`)).body['exceptionHistory'];

  it('are as many as asked for', async () => {
    expect((await of('maxExceptions=1'))!['entries']).toHaveLength(1);
    expect(await of('maxExceptions=0')).toEqual({ entries: [], truncated: true });
  });

  it('are listed by attempt, newest first, each with its consequences', () => {
    const [exception] = fakeView('failed').job(jobId)!.exceptions;
    const of = (attempt: number, message: string) => ({
      ...exception!,
      attempt,
      failure: { ...exception!.failure, message, stack: message },
    });
    const exceptions = [of(0, 'a'), of(0, 'b'), of(1, 'c')];
    const { exceptionHistory } = jobExceptions(
      { ...fakeView('failed').job(jobId)!, exceptions },
      2,
      new Map(),
    );
    expect(exceptionHistory).toMatchObject({
      truncated: false,
      entries: [
        { stacktrace: 'c', concurrentExceptions: [] },
        { stacktrace: 'a', concurrentExceptions: [{ stacktrace: 'b' }] },
      ],
    });
  });

  it('have no labels by which they could be chosen', async () => {
    expect(await of('failureLabelFilter=type:user')).toEqual({ entries: [], truncated: false });
    expect((await of('failureLabelFilter='))!['entries']).toHaveLength(1);
    const path = `/jobs/${jobId}/exceptions?failureLabelFilter=nocolon`;
    expect((await ask(fakeView('failed'), path)).status).toBe(400);
  });
});

describe('applications', () => {
  const session = (phase: Phase) => {
    const view = fakeView(phase);
    const { commands } = view;
    const info = () => ({ ...view.info(), mode: 'session', application: null });
    return { view: { ...view, info }, commands };
  };

  it('have all jobs in application mode', async () => {
    const view = fakeView('running');
    const { body } = await ask(view, '/applications/overview');
    expect(body['applications']).toMatchObject([
      { id: applicationId, name: 'flights', status: 'RUNNING', jobs: { RUNNING: 1 } },
    ]);
    const details = await ask(view, `/jobs/${jobId}`);
    expect(details.body['application-id']).toBe(applicationId);
    const cancelled = await ask(view, `/applications/${applicationId}/cancel`, 'POST');
    expect(cancelled).toEqual({ status: 202, body: {} });
    expect(view.commands).toEqual(['cancel application']);
  });

  it('are the jobs in a session', async () => {
    const { commands, view } = session('running');
    const { body } = await ask(view, '/applications/overview');
    expect(body['applications']).toMatchObject([
      { id: jobId, name: 'SingleJobApplication(numbers)', jobs: { RUNNING: 1 } },
    ]);
    expect((await ask(view, `/jobs/${jobId}`)).body['application-id']).toBe(jobId);
    expect((await ask(view, `/applications/${jobId}/cancel`, 'POST')).status).toBe(202);
    expect(commands).toEqual([`cancel ${jobId}`]);
  });

  it('say why they failed', async () => {
    const { body } = await ask(session('failed').view, `/applications/${jobId}/exceptions`);
    expect(body['exceptionHistory']!['entries']).toMatchObject([
      { exceptionName: 'RangeError', stacktrace: failure.stack, jobId },
    ]);
  });

  it('that have ended cannot be cancelled', async () => {
    const { commands, view } = session('finished');
    expect((await ask(view, `/applications/${jobId}/cancel`, 'POST')).status).toBe(409);
    expect(commands).toEqual([]);
  });
});

describe('a Java program', () => {
  it('is refused with a sentence that says what to do, whatever it is', async () => {
    for (const body of [null, '{}', 'not json', 'x'.repeat(200_000)]) {
      const answer = await ask(fakeView('running'), '/v1/jobs', 'POST', body);
      expect(answer.status).toBe(400);
      expect(answer.body['errors']![0]).toMatch(/cannot run Java job graphs.*fctl deploy/);
    }
  });
});

describe('the parallelism of a job', () => {
  const path = `/jobs/${jobId}/resource-requirements`;

  it('is what it is, and stays so', async () => {
    const view = fakeView('running');
    const { body } = await ask(view, path);
    expect(Object.values(body)).toEqual([
      { parallelism: { lowerBound: 2, upperBound: 2 } },
      { parallelism: { lowerBound: 2, upperBound: 2 } },
    ]);
    const refused = await ask(view, path, 'PUT', JSON.stringify(body));
    expect(refused.status).toBe(400);
    expect(refused.body['errors']![0]).toMatch(/submit it again/);
  });
});
