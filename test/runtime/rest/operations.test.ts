/** Savepoints, checkpoints and what else is triggered and then asked about. */
import { describe, expect, it } from 'vitest';
import { fakeView, jobId, type Phase, unknownId } from './fake-view.ts';
import { recording } from '../../reference/flink-rest/recordings.ts';
import { type Served, serve } from './server.ts';

const job = `/jobs/${jobId}`;

/** JSON that a test looks into. */
interface Tree {
  readonly [key: string]: Tree;
}

async function ask({ url }: Served, path: string, method = 'GET', body?: unknown) {
  const sent = body === undefined ? null : JSON.stringify(body);
  const answer = await fetch(url + path, { method, body: sent });
  return { status: answer.status, body: (await answer.json()) as Tree };
}

const requestId = ({ body }: { readonly body: object }) =>
  (body as { readonly 'request-id': string })['request-id'];
const on = (phase: Phase) => serve({ view: fakeView(phase) });
const post = (rest: Served, path: string, body?: unknown) => ask(rest, path, 'POST', body);
const hexId = expect.stringMatching(/^[0-9a-f]{32}$/);

describe.each([
  ['savepoints', `${job}/savepoints`, `${job}/savepoints`, 202, 'failure-cause', {}],
  ['stop', `${job}/stop`, `${job}/savepoints`, 202, 'failure-cause', { drain: false }],
  ['checkpoints', `${job}/checkpoints`, `${job}/checkpoints`, 202, 'failureCause', {}],
  [
    'savepoint-disposal',
    '/savepoint-disposal',
    '/savepoint-disposal',
    200,
    'failure-cause',
    { 'savepoint-path': 'file:///savepoints/1' },
  ],
] as const)('%s', (_, path, statusPath, accepted, failureField, body) => {
  it('is taken, and fails when it is asked about', async () => {
    const rest = await on('running');
    const taken = await post(rest, path, body);
    expect(taken).toEqual({ status: accepted, body: { 'request-id': hexId } });
    const answer = await ask(rest, `${statusPath}/${requestId(taken)}`);
    const { response } = recording('savepoints', 'savepoint-bad-dir-status');
    const flinks = (response.body as { operation: Record<string, object> }).operation;
    expect(answer.status).toBe(200);
    expect(answer.body['status']).toEqual({ id: 'COMPLETED' });
    expect(Object.keys(answer.body['operation']!)).toEqual([failureField]);
    const cause = answer.body['operation']![failureField]!;
    expect(Object.keys(cause).toSorted()).toEqual(Object.keys(flinks['failure-cause']!).toSorted());
    expect(cause['stack-trace']).toMatch(/has no (?:checkpointing|savepoints)/);
  });

  it('is the same one when it is asked for with the same id', async () => {
    const rest = await on('running');
    const triggerId = 'ABCDEF01'.repeat(4);
    const answers = [
      await post(rest, path, { ...body, triggerId }),
      await post(rest, path, { ...body, triggerId }),
    ];
    const expected = { status: accepted, body: { 'request-id': triggerId.toLowerCase() } };
    expect(answers).toEqual([expected, expected]);
    expect((await ask(rest, `${statusPath}/${triggerId}`)).status).toBe(200);
  });

  it('is refused with a body of another form', async () => {
    const rest = await on('running');
    for (const wrong of [[], null, 1, { ...body, triggerId: 7 }, { ...body, triggerId: 'x' }]) {
      const { status } = await post(rest, path, wrong);
      expect(status).toBe(400);
    }
  });

  it('is unknown under another id', async () => {
    const { status } = await ask(await on('running'), `${statusPath}/${unknownId}`);
    expect(status).toBe(404);
  });
});

describe('a savepoint', () => {
  const cause = async (phase: Phase, id: string) => {
    const rest = await on(phase);
    const { body } = await post(rest, `/jobs/${id}/savepoints`);
    const answer = await ask(rest, `/jobs/${id}/savepoints/${requestId({ body })}`);
    return answer.body['operation']!['failure-cause']!;
  };

  it('of an unknown job fails because of that', async () => {
    const { class: javaClass, 'stack-trace': stack } = await cause('running', unknownId);
    expect(javaClass).toBe('org.apache.flink.runtime.messages.FlinkJobNotFoundException');
    expect(stack).toContain(unknownId);
  });

  it('of a job that has ended fails because of that', async () => {
    expect((await cause('finished', jobId))['stack-trace']).toContain('already reached FINISHED');
  });

  it('leaves the job alone, also when it is to stop it', async () => {
    const view = fakeView('running');
    const rest = await serve({ view });
    await post(rest, `${job}/stop`, { drain: true });
    await post(rest, `${job}/savepoints`, { 'cancel-job': true });
    expect(view.commands).toEqual([]);
  });
});

describe('a data set', () => {
  it('is gone when it has been deleted, as it was before', async () => {
    const rest = await on('running');
    const taken = await ask(rest, `/datasets/${unknownId}`, 'DELETE');
    expect(taken).toEqual({ status: 202, body: { 'request-id': hexId } });
    expect(await ask(rest, `/datasets/delete/${requestId(taken)}`)).toEqual({
      status: 200,
      body: { status: { id: 'COMPLETED' }, operation: {} },
    });
  });
});

describe('commands for another leader', () => {
  it.each([
    ['POST', `${job}/savepoints`],
    ['POST', `${job}/stop`],
    ['POST', `${job}/checkpoints`],
    ['POST', '/savepoint-disposal'],
    ['PUT', `${job}/resource-requirements`],
    ['DELETE', `/datasets/${unknownId}`],
    ['POST', `/applications/${unknownId}/cancel`],
  ])('are refused: %s %s', async (method, path) => {
    const { url } = await on('running');
    const answer = await fetch(url + path, { method, headers: { 'fctl-epoch': '2' } });
    expect(answer.status).toBe(409);
  });
});
