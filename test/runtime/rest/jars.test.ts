/** What Flink calls jars, over REST: shapes, arguments, refusals. */
import { describe, expect, it } from 'vitest';
import {
  optionalFields,
  recordedBodies,
  recording,
  requiredFields,
} from '../../reference/flink-rest/recordings.ts';
import { differences, structureOf } from '../../reference/flink-rest/structure.ts';
import { jarApplicationId, jarId, sessionView } from './fake-jars.ts';
import { fakeView, jobId } from './fake-view.ts';
import { serve } from './server.ts';

async function session() {
  const view = sessionView();
  const { url } = await serve({ view });
  const ask = async (method: string, path: string, body: object | string | null = null) => {
    const sent =
      body === null || typeof body === 'string' || body instanceof FormData
        ? body
        : JSON.stringify(body);
    const answer = await fetch(url + path, { method, body: sent });
    const type = answer.headers.get('content-type');
    expect(type).toBe('application/json; charset=UTF-8');
    // oxlint-disable-next-line typescript/no-explicit-any -- bodies of all kinds
    return { status: answer.status, body: (await answer.json()) as any };
  };
  return { ask, url, runs: view.jars.runs };
}

function form(...files: readonly [name: string, content: string][]): FormData {
  const data = new FormData();
  for (const [name, content] of files) data.append('jarfile', new File([content], name));
  return data;
}

describe('the shapes', () => {
  it.each([
    ['GET', 'GET /jars', '/jars', 'list'],
    ['GET', 'GET /jars/:jarid/plan', `/jars/${jarId}/plan`, 'plan-get'],
    ['POST', 'POST /jars/:jarid/plan', `/jars/${jarId}/plan`, 'plan-post'],
    ['POST', 'POST /jars/:jarid/run', `/jars/${jarId}/run`, 'run-bounded'],
    [
      'POST',
      'POST /jars/:jarid/run-application',
      `/jars/${jarId}/run-application`,
      'run-application',
    ],
    ['DELETE', 'DELETE /jars/:jarid', `/jars/${jarId}`, 'delete'],
  ])('are those of Flink: %s %s', async (method, endpoint, path, name) => {
    const { ask } = await session();
    const { body, status } = await ask(method, path);
    const { response } = recording('jars', name);
    expect(status).toBe(response.status);
    const rules = {
      words: {
        type: ['BATCH', 'STREAMING'],
        exchange: ['pipelined_bounded'],
        ship_strategy: ['HASH'],
      },
    };
    const recorded = endpoint.startsWith('GET') ? recordedBodies(endpoint) : [response.body];
    expect(differences(body, structureOf(recorded), rules)).toEqual([]);
    const optional = optionalFields(endpoint);
    const needed = requiredFields(endpoint).filter(
      (field) => !optional.some((parent) => field.startsWith(parent)),
    );
    for (const field of needed.filter((each) => !each.includes('[]')))
      expect(body).toHaveProperty(field.slice(1).split('/'));
  });

  it('of an upload name the jar behind the last slash', async () => {
    const { ask } = await session();
    const { body, status } = await ask('POST', '/jars/upload', form(['demo.mjs', 'x']));
    const flinks = recording('jars', 'upload').response;
    expect(status).toBe(flinks.status);
    expect(differences(body, structureOf([flinks.body]))).toEqual([]);
    expect(body.filename).toMatch(/\/[\da-f-]{36}_demo\.mjs$/);
  });

  it('let a client find the application of a job, and the jobs of an application', async () => {
    const { ask } = await session();
    const { applications } = (await ask('GET', '/applications/overview')).body;
    expect(applications).toMatchObject([
      { id: jarApplicationId, name: 'demo', status: 'RUNNING', jobs: { RUNNING: 1 } },
    ]);
    const details = (await ask('GET', `/applications/${jarApplicationId}`)).body;
    expect(details.jobs).toMatchObject([{ jid: jobId }]);
    const flinks = recording('jars', 'run-application-details').response.body;
    const words = {
      state: ['RUNNING'],
      status: ['RUNNING'],
      jobType: ['BATCH', 'STREAMING'],
      schedulerType: ['Default'],
    };
    expect(differences(details, structureOf([flinks]), { words })).toEqual([]);
    expect((await ask('GET', `/jobs/${jobId}`)).body['application-id']).toBe(jarApplicationId);
    expect((await ask('POST', `/applications/${jarApplicationId}/cancel`)).status).toBe(202);
  });
});

describe('what is run', () => {
  const nothing = { entry: null, args: {}, parallelism: null, jobId: null };

  it.each([
    ['nothing', '', null, nothing],
    [
      'what the Web UI sends for an empty form',
      '?entry-class=main',
      webUi({ entryClass: 'main' }),
      { ...nothing, entry: 'main' },
    ],
    [
      'what the Web UI sends for a full form',
      '?entry-class=numbers&parallelism=2&program-args=--rate%2050&allowNonRestoredState=true',
      webUi({
        entryClass: 'numbers',
        parallelism: '2',
        programArgs: '--rate 50',
        allowNonRestoredState: true,
      }),
      { entry: 'numbers', args: { rate: 50 }, parallelism: 2, jobId: null },
    ],
    [
      'a list of arguments',
      '',
      { programArgsList: ['--name', 'a b', '--on', '--limit=-3'], parallelism: 4 },
      { ...nothing, args: { name: 'a b', on: true, limit: -3 }, parallelism: 4 },
    ],
    [
      'arguments in the query',
      '?programArg=--mode,bounded&parallelism=2',
      null,
      { ...nothing, args: { mode: 'bounded' }, parallelism: 2 },
    ],
    [
      'JSON',
      '',
      { programArgs: '{"a": {"b": ["c d"]}}' },
      { ...nothing, args: { a: { b: ['c d'] } } },
    ],
    [
      'the body before the query',
      '?entry-class=main',
      { entryClass: 'numbers' },
      { ...nothing, entry: 'numbers' },
    ],
    ['the default parallelism, as Flink takes it', '', { parallelism: -1 }, nothing],
    [
      'an id that the client chose',
      '',
      { jobId: 'AB'.repeat(16) },
      { ...nothing, jobId: 'ab'.repeat(16) },
    ],
    ['unknown fields', '', { other: [1] }, nothing],
  ])('is what the client says: %s', async (_, query, body, expected) => {
    const { ask, runs } = await session();
    for (const verb of ['plan', 'run', 'run-application'])
      expect((await ask('POST', `/jars/${jarId}/${verb}${query}`, body)).status).toBeLessThan(300);
    expect(runs).toEqual([expected, expected, expected]);
  });

  it.each([
    ['?parallelism=0', null, /parallelism/],
    ['?parallelism=many', null, /parallelism/],
    ['', { parallelism: {} }, /parallelism/],
    ['', { parallelism: 40_000 }, /parallelism/],
    ['', { programArgsList: 'x' }, /did not match expected format JarRunRequestBody/],
    ['', { programArgsList: [1] }, /did not match expected format JarRunRequestBody/],
    ['', { programArgs: 1 }, /did not match expected format JarRunRequestBody/],
    ['', { entryClass: 1 }, /did not match expected format JarRunRequestBody/],
    ['', { jobId: 'x' }, /did not match expected format JarRunRequestBody/],
    ['', '{', /did not match expected format JarRunRequestBody/],
    ['', { programArgs: 'x' }, /'x' stands where a name such as --input is expected/],
    ['', { programArgs: '{"x":' }, /they are no JSON/],
    ['', { savepointPath: '/savepoints/1' }, /no savepoints: leave the savepoint path empty/],
    ['?savepointPath=/savepoints/1', null, /no savepoints/],
    ['', { flinkConfiguration: { 'a.b': 'c' } }, /leave flinkConfiguration empty/],
  ])('is refused where it says what cannot be: %s %j', async (query, body, why) => {
    const { ask, runs } = await session();
    const answer = await ask('POST', `/jars/${jarId}/run${query}`, body);
    expect([answer.status, answer.body.errors]).toEqual([400, [expect.stringMatching(why)]]);
    expect(runs).toEqual([]);
  });

  it('may be what it cannot be for a savepoint path that is empty', async () => {
    const { ask } = await session();
    const body = { savepointPath: '', flinkConfiguration: {} };
    expect((await ask('POST', `/jars/${jarId}/run?savepointPath=`, body)).status).toBe(200);
  });
});

const webUi = (fields: object) => ({
  entryClass: null,
  parallelism: null,
  programArgs: null,
  savepointPath: null,
  allowNonRestoredState: null,
  ...fields,
});

describe('requests that are refused', () => {
  /** Flink answers 500 to an unknown one. */
  it.each(['jar-unknown-delete', 'jar-unknown-plan', 'jar-unknown-run', 'jar-traversal-delete'])(
    'for a jar that there is not: %s',
    async (name) => {
      const { ask } = await session();
      const { request, response } = recording('errors', name);
      const { body, status } = await ask(
        request.method,
        request.path,
        (request.body as object) ?? null,
      );
      const expected = name.startsWith('jar-traversal') ? 400 : Math.min(404, response.status);
      expect([status, body.errors]).toEqual([expected, [expect.stringMatching(/does not exist/)]]);
    },
  );

  it('for uploads that are none', async () => {
    const { ask, url } = await session();
    const refusal = async (body: object | null) => {
      const answer = await ask('POST', '/jars/upload', body);
      return [answer.status, answer.body.errors[0]];
    };
    expect(await refusal({})).toEqual([400, 'Exactly 1 file must be sent, received 0.']);
    expect(await refusal(form())).toEqual([400, 'Exactly 1 file must be sent, received 0.']);
    expect(await refusal(form(['a', 'x'], ['b', 'y']))).toEqual([
      400,
      'Exactly 1 file must be sent, received 2.',
    ]);
    expect(await refusal(form(['a.mjs', 'no']))).toEqual([400, 'a.mjs: it is none']);
    const cut = await fetch(`${url}/jars/upload`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: '--x\r\nContent-Disposition: form-data; name="jarfile"; filename="a.mjs"\r\n\r\nhal',
    });
    expect([cut.status, await cut.text()]).toEqual([
      400,
      expect.stringContaining('did not match expected format multipart/form-data'),
    ]);
  });

  it('in a cluster of one application, which has no page to submit others', async () => {
    const { url } = await serve({ view: fakeView('running') });
    const config = await fetch(`${url}/config`).then((answer) => answer.json());
    expect(config).toMatchObject({ features: { 'web-submit': false } });
    for (const [method, path] of [
      ['GET', '/jars'],
      ['POST', '/jars/upload'],
      ['DELETE', `/jars/${jarId}`],
      ['GET', `/jars/${jarId}/plan`],
      ['POST', `/jars/${jarId}/run`],
      ['POST', `/jars/${jarId}/run-application`],
    ] as const) {
      const answer = await fetch(url + path, { method });
      expect([answer.status, await answer.text()]).toEqual([
        404,
        expect.stringContaining("'fctl session start' starts one that does"),
      ]);
    }
  });
});
