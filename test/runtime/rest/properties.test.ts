/** Whatever comes: an answer in the form of every answer, never a 500, and the server goes on. */
import { Agent, request } from 'node:http';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { fctlRoutes } from '../../../src/runtime/rest/fctl-routes.ts';
import { flinkRoutes } from '../../../src/runtime/rest/flink-routes.ts';
import { createRouter } from '../../../src/runtime/rest/router.ts';
import { createRestServer } from '../../../src/runtime/rest/server.ts';
import type { Logger } from '../../../src/runtime/logging/logger.ts';
import { silentLogger } from '../jobmanager/silent-logger.ts';
import { jarId, sessionView } from './fake-jars.ts';
import { jobId, sinkId, unknownId } from './fake-view.ts';
import { parseRaw, sendRaw } from './server.ts';
import { Redactor } from '../../../src/contract/secrets.ts';

const routes = [...flinkRoutes, ...fctlRoutes];
const agent = new Agent({ keepAlive: true });
const bugs: unknown[] = [];
const logger: Logger = {
  ...silentLogger,
  error: (_message, fields) => bugs.push(fields?.['error']),
};
let rest: Awaited<ReturnType<typeof createRestServer>>;

beforeAll(async () => {
  rest = await createRestServer({
    bind: '127.0.0.1',
    port: 0,
    token: null,
    maxBodyBytes: 10_000,
    view: sessionView(),
    redactor: new Redactor(),
    logger,
  });
  return async () => {
    agent.destroy();
    await rest.close();
  };
});

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const ask = ({ body = '', headers = {}, method, path }: Asked) =>
  new Promise<{ status: number; type: string | undefined; text: string }>((resolve, reject) => {
    const to = { agent, host: '127.0.0.1', port: rest.port, method, path };
    const length = { 'content-length': String(Buffer.byteLength(body)) };
    const sent = request({ ...to, headers: { ...headers, ...length } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          status: response.statusCode!,
          type: response.headers['content-type'],
          text,
        }),
      );
    });
    sent.once('error', reject).end(body);
  });

async function expectAnswer(asked: Asked): Promise<void> {
  const { status, text, type } = await ask(asked);
  expect(status).toBeGreaterThanOrEqual(200);
  expect(status).toBeLessThan(500);
  if (status === 200 && type === 'text/plain') {
    expect(asked.path).toMatch(logPath);
    return;
  }
  expect(type).toBe('application/json; charset=UTF-8');
  if (asked.method === 'HEAD') {
    expect(text).toBe('');
    return;
  }
  const body = JSON.parse(text) as { errors?: unknown };
  if (status >= 400) expect(body).toEqual({ errors: [expect.stringMatching(/./)] });
}

/** What is answered as it lies on disk; by ids and names that may be encoded in any way. */
const logPath = /(?:log|logs|stdout)(?:\/|\?|$)/;

/** Bytes as a client may put them into a path or query. */
const encoded = fc
  .string({ unit: 'binary' })
  .map((text) => encodeURIComponent(text.toWellFormed()));
const known = fc.constantFrom(
  ...new Set(routes.flatMap(({ pattern }) => pattern.split('/').filter((s) => !s.startsWith(':')))),
  'v1',
  'v2',
  '..',
  '.',
  '%2e%2e',
  '%2F',
  '%',
  '%ff',
  '__proto__',
  'constructor',
  jobId,
  sinkId,
  unknownId,
  jarId,
  'taskmanager-0',
  'a'.repeat(64),
);
const path = fc
  .array(fc.oneof({ weight: 3, arbitrary: known }, encoded), { maxLength: 7 })
  .map((segments) => `/${segments.join('/')}`);
/** A path that some route has, with anything for its parameters. */
const routePath = fc
  .tuple(
    fc.constantFrom(...routes),
    fc.array(fc.oneof(known, encoded), { minLength: 4, maxLength: 4 }),
  )
  .map(([{ pattern }, values]) => {
    let next = 0;
    return pattern.replaceAll(/:\w+/g, () => values[next++]!);
  });
/** That some route reads. */
const parameters = [
  'get',
  'mode',
  'wait',
  'maxExceptions',
  'failureLabelFilter',
  'includeSerializedValue',
  'agg',
  'jobs',
  'taskmanagers',
  'subtasks',
  'subtaskindex',
  'type',
  'parallelism',
  'entry-class',
  'programArg',
  'program-args',
  'savepointPath',
];
const query = fc
  .array(
    fc.tuple(
      fc.oneof(fc.constantFrom(...parameters), encoded),
      fc.oneof(
        fc.constantFrom(
          'cancel',
          'stop',
          '0',
          '-1',
          '1e9',
          '0.numRecordsIn,__proto__',
          'a:b',
          '0-9',
        ),
        encoded,
      ),
    ),
    { maxLength: 3 },
  )
  .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.map((pair) => pair.join('=')).join('&')}`));
const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE');
const headers = fc.dictionary(
  fc.constantFrom(
    'accept',
    'authorization',
    'content-type',
    'range',
    'x-other',
    'fctl-epoch',
    'te',
  ),
  fc
    .string({ unit: fc.constantFrom('a', '0', ' ', ';', ',', '=', '"', '/', '*') })
    .map((v) => v.trim()),
  { maxKeys: 3 },
);
const body = fc.oneof(
  fc.constant(''),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.json(),
  fc.json().map((graph) => `{"jobId":"${jobId}","graph":${graph}}`),
);

/** What a browser would send, whole or damaged. */
const upload = fc
  .record({
    boundary: fc.constantFrom('x', 'XX', '"x y"', ''),
    parts: fc.array(
      fc.record({
        header: fc.oneof(
          fc.constantFrom(
            'Content-Disposition: form-data; name="jarfile"; filename="a.mjs"',
            'Content-Disposition: form-data; name="jarfile"; filename="../../a"',
            'Content-Disposition: form-data; name="other"',
            'Content-Disposition: attachment',
            'Content-Type: text/plain',
          ),
          fc.string(),
        ),
        content: fc.oneof(fc.string(), fc.constantFrom('no', '\r\n--x', '--XX--')),
      }),
      { maxLength: 3 },
    ),
    end: fc.constantFrom('--\r\n', '--', '', '\r\n'),
    cut: fc.nat(40),
  })
  .map(({ boundary, cut, end, parts }) => {
    const mark = boundary.replaceAll('"', '');
    const text = parts.map(({ content, header }) => `--${mark}\r\n${header}\r\n\r\n${content}\r\n`);
    const whole = `${text.join('')}--${mark}${end}`;
    return {
      type: `multipart/form-data; boundary=${boundary}`,
      body: cut > 20 ? whole : whole.slice(0, whole.length - cut),
    };
  });

describe('any request', () => {
  it('is answered, also as a form with files', async () => {
    await fc.assert(
      fc.asyncProperty(
        upload,
        fc.constantFrom('/jars/upload', '/jobs'),
        ({ body: sent, type }, to) =>
          expectAnswer({ method: 'POST', path: to, headers: { 'content-type': type }, body: sent }),
      ),
      { numRuns: 300 },
    );
    expect(bugs).toEqual([]);
  });

  it('is answered', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ method, at: fc.oneof(path, routePath), query, headers, body }),
        ({ at, query: asking, ...asked }) => expectAnswer({ ...asked, path: at + asking }),
      ),
      { numRuns: 600 },
    );
    expect(bugs).toEqual([]);
  });

  it('may be any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: 'binary-ascii', minLength: 1 }),
          fc
            .tuple(
              method,
              fc.string({ unit: 'grapheme-ascii' }),
              fc.string({ unit: 'binary-ascii' }),
            )
            .map(([verb, target, head]) => `${verb} ${target} HTTP/1.1\r\n${head}`),
        ),
        async (bytes) => {
          const text = await sendRaw(rest, `${bytes}\r\n\r\n`, (socket) => socket.end());
          // Nothing at all is an answer to what ends before it said anything.
          if (text === '' || text.startsWith('[')) return;
          expect(text).toMatch(/^HTTP\/1.1 [234]/);
          if (!bytes.startsWith('HEAD ')) expect(parseRaw(text).body).toEqual(expect.anything());
        },
      ),
      { numRuns: 200 },
    );
    expect(bugs).toEqual([]);
    expect((await ask({ method: 'GET', path: '/overview' })).status).toBe(200);
  });
});

describe('the router', () => {
  const match = createRouter(routes);
  const words = new Set(routes.flatMap(({ pattern }) => pattern.split('/')).concat('v1'));

  it('finds every route by its pattern, and gives back the parameters', () => {
    const value = fc.string({ minLength: 1, unit: 'grapheme' }).filter((v) => v.isWellFormed());
    fc.assert(
      fc.property(
        fc.constantFrom(...routes),
        fc.array(value, { minLength: 4, maxLength: 4 }),
        (route, values) => {
          const names = [...route.pattern.matchAll(/:(\w+)/g)].map((found) => found[1]!);
          const wanted = Object.fromEntries(names.map((name, index) => [name, values[index]!]));
          const concrete = route.pattern.replaceAll(/:(\w+)/g, (_, name: string) =>
            encodeURIComponent(wanted[name]!),
          );
          for (const at of [concrete, `${concrete}/`, `/${concrete}`]) {
            const found = match(route.method, at);
            // A value may be a word that another route has.
            if (Object.values(wanted).some((v) => words.has(v))) continue;
            expect(found).toEqual({ route, params: wanted });
          }
        },
      ),
    );
  });

  it('knows /v1 for what is Flink’s only', () => {
    expect(match('GET', '/v1/jobs')?.route.pattern).toBe('/jobs');
    expect(match('GET', '/v1/v1/jobs')).toBeNull();
    expect(match('GET', '/v1/fctl/v1/cluster')).toBeNull();
    expect(match('GET', '/fctl/cluster')).toBeNull();
  });
});
