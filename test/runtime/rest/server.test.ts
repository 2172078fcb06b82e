import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createBlobStore } from '../../../src/runtime/jobmanager/dispatcher/blob-store.ts';
import type { Logger } from '../../../src/runtime/logging/logger.ts';
import { createRestServer } from '../../../src/runtime/rest/server.ts';
import { silentLogger } from '../jobmanager/silent-logger.ts';
import { fakeView, jobId } from './fake-view.ts';
import { parseRaw, sendRaw, serve, type Served, token } from './server.ts';
import { Redactor } from '../../../src/contract/secrets.ts';

const bearer = (value: string) => ({ authorization: `Bearer ${value}` });
const json = async (answer: Response) => [answer.status, (await answer.json()) as unknown];
const errors = (text: RegExp) => ({ errors: [expect.stringMatching(text)] });
const jobs = '/fctl/v1/jobs';
const blob = (content: string) =>
  `/fctl/v1/blobs/${createHash('sha256').update(content).digest('hex')}`;

async function temporaryBlobs() {
  const directory = await mkdtemp(join(tmpdir(), 'fctl-rest-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return createBlobStore({ directory: join(directory, 'blobs'), placed: new Map() });
}

/** A logger that remembers errors. */
function recordingLogger(): Logger & { readonly errors: unknown[] } {
  const seen: unknown[] = [];
  return {
    ...silentLogger,
    errors: seen,
    error: (_message, fields) => seen.push(fields?.['error']),
  };
}

describe('the token', () => {
  it('is needed everywhere but for readiness', async () => {
    const { url } = await serve({ token });
    expect(await json(await fetch(`${url}/fctl/v1/ready`))).toEqual([200, {}]);
    for (const path of ['/overview', '/nonexistent', '/fctl/v1/cluster', '//fctl/v1/ready/x']) {
      const refused = await fetch(url + path);
      expect(refused.headers.get('www-authenticate')).toBe('Bearer');
      expect(await json(refused)).toEqual([401, errors(/needs its token/)]);
      const welcome = await fetch(url + path, { headers: bearer(token) });
      expect(welcome.status).not.toBe(401);
    }
  });

  it('has to be the right one', async () => {
    const { url } = await serve({ token });
    for (const wrong of ['x', token.slice(1), `${token}x`, token.toLowerCase()]) {
      const answer = await fetch(`${url}/overview`, { headers: bearer(wrong) });
      expect(await json(answer)).toEqual([401, errors(/not the token/)]);
    }
    const basic = await fetch(`${url}/overview`, { headers: { authorization: `Basic ${token}` } });
    expect(await json(basic)).toEqual([401, errors(/needs its token/)]);
    const scheme = await fetch(`${url}/overview`, {
      headers: { authorization: `bearer ${token}` },
    });
    expect(scheme.status).toBe(200);
  });

  it('is asked for before a body is read', async () => {
    const view = fakeView('running');
    const { url } = await serve({ token, view });
    const answer = await fetch(url + jobs, { method: 'POST', body: 'x'.repeat(5_000_000) });
    expect(await json(answer)).toEqual([401, errors(/token/)]);
    expect(view.commands).toEqual([]);
  });
});

describe('readiness', () => {
  it('is 503 until the JobManager leads', async () => {
    const { url } = await serve({ view: fakeView('empty', { ready: false }) });
    expect(await json(await fetch(`${url}/fctl/v1/ready`))).toEqual([503, errors(/not lead/)]);
  });

  it.each(['/jobs/overview', `/v1/jobs/${jobId}`, '/overview', `/fctl/v1/jobs/${jobId}/result`])(
    'is waited for by %s, in Flink’s words',
    async (path) => {
      const { url } = await serve({ view: fakeView('running', { ready: false }) });
      const answer = await fetch(url + path);
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(await json(answer)).toEqual([503, errors(/^Service temporarily unavailable/)]);
    },
  );

  it('is waited for by submissions, which the journal would not have', async () => {
    const view = fakeView('empty', { ready: false });
    const { url } = await serve({ view });
    const body = JSON.stringify({ jobId, graph: {} });
    expect((await fetch(url + jobs, { method: 'POST', body })).status).toBe(503);
    expect(view.commands).toEqual([]);
  });

  it('is asked for after the token, and not by what TaskManagers need to find the leader', async () => {
    const { url } = await serve({ view: fakeView('empty', { ready: false }), token });
    expect((await fetch(`${url}/overview`)).status).toBe(401);
    const record = await fetch(`${url}/fctl/v1/record/endpoint`, { headers: bearer(token) });
    expect(record.status).toBe(200);
    expect((await fetch(`${url}/login`)).status).toBe(200);
  });
});

describe('pages of other sites', () => {
  const ask = (rest: Served, headers: string) =>
    sendRaw(rest, `GET /overview HTTP/1.1\r\nConnection: close\r\n${headers}\r\n\r\n`).then(
      parseRaw,
    );

  it('do not reach a server on loopback by a name of theirs', async () => {
    const rest = await serve();
    for (const host of ['evil.example', `evil.example:${rest.port}`, '127.0.0.1.evil.example']) {
      expect(await ask(rest, `Host: ${host}`)).toEqual({ status: 403, body: errors(/loopback/) });
    }
    for (const host of ['localhost', `127.0.0.1:${rest.port}`, '[::1]:8081', 'LOCALHOST:1']) {
      expect(await ask(rest, `Host: ${host}`)).toMatchObject({ status: 200 });
    }
    const absolute = 'GET http://evil.example/overview HTTP/1.1\r\nHost: localhost\r\n\r\n';
    expect(
      parseRaw(await sendRaw(rest, absolute.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))),
    ).toMatchObject({ status: 403 });
  });

  it('are refused by their origin, also when no token is needed', async () => {
    const view = fakeView('running');
    const rest = await serve({ view });
    for (const origin of ['https://evil.example', 'null', 'http://localhost:1']) {
      const answer = await fetch(`${rest.url}/fctl/v1/cancel`, {
        method: 'POST',
        headers: { origin },
      });
      expect(await json(answer)).toEqual([403, errors(/other sites/)]);
    }
    expect(view.commands).toEqual([]);
    const own = await fetch(`${rest.url}/overview`, { headers: { origin: rest.url } });
    expect(own.status).toBe(200);
    expect(own.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('bodies', () => {
  it('come with GET and PATCH, as from the Java client, on one connection', async () => {
    const view = fakeView('running');
    const rest = await serve({ view });
    const body = 'content-type: application/json; charset=UTF-8\r\ncontent-length: 2\r\n\r\n{}';
    const text = await sendRaw(
      rest,
      `GET /v1/jobs/overview HTTP/1.1\r\nHost: localhost\r\n${body}` +
        `PATCH /v1/jobs/${jobId}?mode=cancel HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${body}`,
    );
    expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 202']);
    expect(view.commands).toEqual([`cancel ${jobId}`]);
  });

  it('may be missing, and need no content type', async () => {
    const view = fakeView('running');
    const { url } = await serve({ view });
    expect((await fetch(`${url}/fctl/v1/cancel`, { method: 'POST' })).status).toBe(202);
    const body = new TextEncoder().encode(JSON.stringify({ jobId, graph: {}, unknown: 1 }));
    expect(await json(await fetch(url + jobs, { method: 'POST', body }))).toEqual([202, { jobId }]);
    expect(view.commands).toEqual(['cancel application', `submit ${jobId}`]);
  });

  it.each(['{', 'not json', '"\\u00', '{"jobId":}'])(
    'that are no JSON are refused: %s',
    async (body) => {
      const { url } = await serve();
      expect(await json(await fetch(url + jobs, { method: 'POST', body }))).toEqual([
        400,
        errors(/did not match expected format/),
      ]);
    },
  );

  it.each(['null', '[]', '7', '"text"', '{}', '{"jobId":null}', '{"jobId":"../x"}'])(
    'that are another JSON are refused: %s',
    async (body) => {
      const { url } = await serve();
      expect(await json(await fetch(url + jobs, { method: 'POST', body }))).toEqual([
        400,
        errors(/jobId/),
      ]);
    },
  );

  it('that are nested without end are refused', async () => {
    const { url } = await serve();
    const deep = (levels: number) =>
      `{"jobId":"${jobId}","graph":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    expect((await fetch(url + jobs, { method: 'POST', body: deep(200) })).status).toBe(202);
    expect(await json(await fetch(url + jobs, { method: 'POST', body: deep(40_000) }))).toEqual([
      400,
      errors(/nested/),
    ]);
  });

  it('that are too large are refused, and the answer arrives', async () => {
    const { url } = await serve({ maxBodyBytes: 1000 });
    const fits = JSON.stringify({ jobId, graph: {}, pad: '' });
    const exact = fits.replace('""', `"${'x'.repeat(1000 - fits.length)}"`);
    expect((await fetch(url + jobs, { method: 'POST', body: exact })).status).toBe(202);
    for (const size of [1001, 100_000, 20_000_000]) {
      const answer = await fetch(url + jobs, { method: 'POST', body: 'x'.repeat(size) });
      expect(await json(answer)).toEqual([413, errors(/larger than 1000 bytes/)]);
    }
  });

  it('that are too large are refused when they do not say so beforehand', async () => {
    const rest = await serve({ maxBodyBytes: 1000 });
    const text = await sendRaw(
      rest,
      `POST ${jobs} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`,
      (socket) => {
        const chunk = `ffff\r\n${'x'.repeat(0xffff)}\r\n`;
        for (let i = 0; i < 50; i++) socket.write(chunk);
        socket.write('0\r\n\r\n');
      },
    );
    expect(parseRaw(text)).toEqual({ status: 413, body: errors(/larger/) });
    expect(text).toMatch(/^connection: close\r$/im);
  });

  it('are sent only when they are wanted, where the client asks first', async () => {
    const rest = await serve({ token, maxBodyBytes: 1000 });
    const head = (path: string, headers: string) =>
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\n${headers}\r\n\r\n`;
    const refused = await sendRaw(rest, head(jobs, 'Content-Length: 5'));
    expect(parseRaw(refused)).toMatchObject({ status: 401 });
    const tooLarge = `Content-Length: 5000\r\nAuthorization: Bearer ${token}`;
    expect(parseRaw(await sendRaw(rest, head(jobs, tooLarge)))).toMatchObject({ status: 413 });
    const content = JSON.stringify({ jobId, graph: {} });
    const accepted = await sendRaw(
      rest,
      head(jobs, `Content-Length: ${content.length}\r\nAuthorization: Bearer ${token}`),
      (socket) => socket.once('data', () => socket.write(content)),
    );
    expect(accepted).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 202 /);
  });
});

describe('blobs', () => {
  it('come in and out, verified', async () => {
    const { url } = await serve({ view: fakeView('empty', { blobs: await temporaryBlobs() }) });
    const content = 'bundle '.repeat(100_000);
    const put = (path: string, body: string) => fetch(url + path, { method: 'PUT', body });
    const head = async () => (await fetch(url + blob(content), { method: 'HEAD' })).status;
    expect(await head()).toBe(404);
    expect(await json(await put(blob('other'), content))).toEqual([400, errors(/hash/)]);
    expect(await json(await put(blob(content), content))).toEqual([201, {}]);
    expect(await json(await put(blob(content), content))).toEqual([200, {}]);
    expect(await head()).toBe(200);
    const got = await fetch(url + blob(content));
    expect(got.headers.get('content-type')).toBe('application/octet-stream');
    expect(await got.text()).toBe(content);
  });

  it('are not limited like JSON, and a file of no length is one', async () => {
    const blobs = await temporaryBlobs();
    const { url } = await serve({ maxBodyBytes: 10, view: fakeView('empty', { blobs }) });
    const content = 'x'.repeat(1_000_000);
    expect((await fetch(url + blob(content), { method: 'PUT', body: content })).status).toBe(201);
    expect((await fetch(url + blob(''), { method: 'PUT' })).status).toBe(201);
    expect(await (await fetch(url + blob(''))).text()).toBe('');
  });

  it.each(['x', 'A'.repeat(64), '..%2F..%2Fetc%2Fpasswd', `${'a'.repeat(64)}%00`])(
    'have a hash as their name: %s',
    async (name) => {
      const { url } = await serve({ view: fakeView('empty', { blobs: await temporaryBlobs() }) });
      const answer = await fetch(`${url}/fctl/v1/blobs/${name}`);
      expect(await json(answer)).toEqual([400, errors(/SHA-256/)]);
    },
  );

  it('tell of a full disk', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
    });
    const blobs = { ...(await temporaryBlobs()), put: () => Promise.reject(full) };
    const { url } = await serve({ view: fakeView('empty', { blobs }) });
    const answer = await fetch(url + blob('x'), { method: 'PUT', body: 'x'.repeat(1_000_000) });
    expect(await json(answer)).toEqual([507, errors(/no space left/)]);
  });

  it('of which a client sends only a part are not there, can go on, and are no bug', async () => {
    const blobs = await temporaryBlobs();
    const logger = recordingLogger();
    let failed!: (error: unknown) => void;
    const failure = new Promise((resolve) => (failed = resolve));
    const put: typeof blobs.put = (hash, content, offset) =>
      blobs.put(hash, content, offset).catch((error: unknown) => {
        failed(error);
        throw error;
      });
    const { port, url } = await serve({
      logger,
      view: fakeView('empty', { blobs: { ...blobs, put } }),
    });
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `PUT ${blob('abcdef')} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nabc`,
    );
    const look = async () => {
      const { headers, status } = await fetch(url + blob('abcdef'), { method: 'HEAD' });
      return [status, headers.get('upload-offset'), headers.get('upload-active')];
    };
    await expect.poll(look).toEqual([404, '3', '1']);
    socket.end(); // the rest never comes
    await failure;
    expect(await look()).toEqual([404, '3', '0']);
    expect(logger.errors).toEqual([]);
    const send = (range: string, body: string) =>
      fetch(url + blob('abcdef'), { method: 'PUT', headers: { 'content-range': range }, body });
    for (const range of ['bytes 3-4/6', 'bytes 3-5/*', 'bytes 5-3/6', 'lines 3-5/6']) {
      expect(await json(await send(range, 'def'))).toEqual([400, errors(/Content-Range/)]);
    }
    const elsewhere = await send('bytes 2-5/6', 'cdef');
    expect([elsewhere.status, elsewhere.headers.get('upload-offset')]).toEqual([409, '3']);
    expect(await json(await send('bytes 3-5/6', 'def'))).toEqual([201, {}]);
    expect(await (await fetch(url + blob('abcdef'))).text()).toBe('abcdef');
  });

  it('whose file is gone end the connection, not the server', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fctl-rest-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, 'short'), 'abc');
    const find = async () => ({ file: join(directory, 'gone'), sizeBytes: 3 });
    const { url } = await serve({
      view: fakeView('empty', { blobs: { ...(await temporaryBlobs()), find } }),
    });
    await expect(fetch(url + blob('abc')).then((answer) => answer.text())).rejects.toThrow();
    expect((await fetch(`${url}/overview`)).status).toBe(200);
  });
});

describe('what is no HTTP', () => {
  it.each([
    ['garbage', 'garbage\r\n\r\n', 400],
    ['another protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['no host', 'GET /overview HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['a header of no form', 'GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n', 400],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['a huge head', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(30_000)}\r\n\r\n`, 431],
    [
      'a path that cannot be decoded',
      'GET /jobs/%ff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      400,
    ],
  ])('is told so in the form of every error: %s', async (_name, text, status) => {
    const rest = await serve();
    expect(parseRaw(await sendRaw(rest, text))).toEqual({ status, body: errors(/./) });
    expect((await fetch(`${rest.url}/overview`)).status).toBe(200);
  });

  it('does not disturb an answer that is under way', async () => {
    let answer!: () => void;
    const jobResult = () =>
      new Promise<{ jobId: string; outcome: null; collected: {} }>((resolve) => {
        answer = () => resolve({ jobId, outcome: null, collected: {} });
      });
    const rest = await serve({ view: fakeView('running', { jobResult }) });
    const wait = `GET /fctl/v1/jobs/${jobId}/result?wait=1 HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const text = await sendRaw(rest, `${wait}garbage\r\n\r\n`);
    answer();
    expect(text).not.toMatch(/^HTTP/);
  });

  it('is answered as HTTP where it only wishes for something else', async () => {
    const rest = await serve();
    rest.server.on('upgrade', (_request, socket) => socket.destroy());
    const wish =
      'Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA';
    const text = await sendRaw(
      rest,
      `GET /overview HTTP/1.1\r\nHost: localhost\r\n${wish}\r\n\r\n`,
    );
    expect(parseRaw(text).status).toBe(200);
  });
});

describe('slow clients', () => {
  it('have a limit for the head of a request', async () => {
    const rest = await serve({ limits: { headersTimeoutMs: 50 } });
    const text = await sendRaw(rest, 'GET /overview HTTP/1.1\r\nHost: loc');
    expect(parseRaw(text)).toEqual({ status: 408, body: errors(/in time/) });
  });

  it('may not be silent in the middle of a body', async () => {
    const rest = await serve({ limits: { silenceTimeoutMs: 50 } });
    const head = `POST ${jobs} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{`;
    expect(await sendRaw(rest, head)).toBe('');
  });

  it.each([10, 1_000_000])(
    'do not keep a connection by a body that nobody wants: %d bytes',
    async (length) => {
      const rest = await serve({ token, limits: { drainTimeoutMs: 50 } });
      const head = `POST ${jobs} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n{`;
      expect(parseRaw(await sendRaw(rest, head))).toMatchObject({ status: 401 });
    },
  );

  it('have a limit for a body, however steadily it trickles', async () => {
    const rest = await serve({ limits: { bodyTimeoutMs: 100, silenceTimeoutMs: 10_000 } });
    const head = `POST ${jobs} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n`;
    let trickle: NodeJS.Timeout | undefined;
    const text = await sendRaw(rest, head, (socket) => {
      trickle = setInterval(() => socket.write(' '), 10);
    });
    clearInterval(trickle);
    expect(parseRaw(text)).toEqual({ status: 408, body: errors(/did not arrive within 0.1 s/) });
  });

  it('may not keep a connection on which they never say anything', async () => {
    const rest = await serve({ limits: { headersTimeoutMs: 50, silenceTimeoutMs: 10_000 } });
    expect(parseRaw(await sendRaw(rest, ''))).toMatchObject({ status: 408 });
  });
});

describe('many at once', () => {
  it('are all answered, each with its own', async () => {
    const { url } = await serve();
    const ids = Array.from({ length: 200 }, (_, i) => i.toString(16).padStart(32, '0'));
    const answers = await Promise.all(
      ids.map(
        async (id) =>
          ((await (await fetch(`${url}/jobs/${id}`)).json()) as { errors: string[] }).errors[0],
      ),
    );
    expect(answers).toEqual(ids.map((id) => `Job ${id} not found`));
  });
});

describe('a bug', () => {
  it('is a 500 that says so, is logged, and ends nothing', async () => {
    const logger = recordingLogger();
    const bug = new Error('a bug');
    const view = fakeView('empty', {
      overview: () => {
        throw bug;
      },
    });
    const { url } = await serve({ logger, view });
    const answer = await fetch(`${url}/overview`);
    expect(await json(answer)).toEqual([500, { errors: ['Internal server error.', 'a bug'] }]);
    expect(logger.errors).toEqual([bug]);
    expect((await fetch(`${url}/jobs`)).status).toBe(200);
  });
});

describe('commands', () => {
  it('are for the leader that the client believes in', async () => {
    const view = fakeView('running');
    const { url } = await serve({ view });
    const cancel = (epoch: string) =>
      fetch(`${url}/fctl/v1/cancel`, { method: 'POST', headers: { 'fctl-epoch': epoch } });
    expect(await json(await cancel('2'))).toEqual([409, errors(/epoch 3/)]);
    expect(view.commands).toEqual([]);
    expect((await cancel('3')).status).toBe(202);
    expect(view.commands).toEqual(['cancel application']);
  });

  it.each([
    ['invalid', 400],
    ['not-found', 404],
    ['conflict', 409],
    ['unavailable', 503],
  ] as const)('that are refused say why: %s', async (reason, status) => {
    const refuse = () => ({ type: 'refused', reason, message: 'because' }) as const;
    const view = fakeView('running', {
      cancelApplication: refuse,
      cancelJob: refuse,
      submitJob: async () => refuse(),
    });
    const { url } = await serve({ view });
    const body = JSON.stringify({ jobId, graph: {} });
    for (const [method, path] of [
      ['POST', '/fctl/v1/cancel'],
      ['PATCH', `/jobs/${jobId}`],
      ['POST', jobs],
    ] as const) {
      const answer = await fetch(url + path, { method, ...(path === jobs ? { body } : {}) });
      expect(await json(answer)).toEqual([status, { errors: ['because'] }]);
    }
  });

  it('wait for a result for a minute at most', async () => {
    const waits: number[] = [];
    const jobResult = async (id: string, waitMs: number) => {
      waits.push(waitMs);
      return { jobId: id, outcome: null, collected: {} };
    };
    const { url } = await serve({ view: fakeView('running', { jobResult }) });
    const result = (query: string) => fetch(`${url}/fctl/v1/jobs/${jobId}/result${query}`);
    for (const query of ['', '?wait=1500', '?wait=999999999']) await result(query);
    expect(waits).toEqual([0, 1500, 60_000]);
    for (const query of ['?wait=-1', '?wait=x', '?wait=']) {
      expect(await json(await result(query))).toEqual([400, errors(/query parameter \(wait\)/)]);
    }
  });
});

describe('the end', () => {
  const waiting = () => {
    let answer!: () => void;
    let asked!: () => void;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const jobResult = () =>
      new Promise<{ jobId: string; outcome: null; collected: {} }>((resolve) => {
        answer = () => resolve({ jobId, outcome: null, collected: {} });
        asked();
      });
    return { view: fakeView('running', { jobResult }), isAsked, answer: () => answer() };
  };
  const result = `/fctl/v1/jobs/${jobId}/result?wait=50000`;

  it('lets open requests end, and takes no more', async () => {
    const { answer, isAsked, view } = waiting();
    const rest = await serve({ view, limits: { closeGraceMs: 10_000 } });
    const open = fetch(rest.url + result);
    await isAsked;
    const closed = rest.close();
    await expect(fetch(`${rest.url}/overview`)).rejects.toThrow();
    answer();
    expect(await json(await open)).toEqual([200, { jobId, outcome: null, collected: {} }]);
    await closed;
  });

  it('does not wait for them for ever', async () => {
    const { isAsked, view } = waiting();
    const rest = await serve({ view, limits: { closeGraceMs: 20 } });
    const open = expect(fetch(rest.url + result)).rejects.toThrow();
    await isAsked;
    await rest.close();
    await open;
  });

  it('leaves no idle connection, no unfinished request and no other protocol', async () => {
    const rest = await serve();
    let upgraded!: () => void;
    const isUpgraded = new Promise<void>((resolve) => (upgraded = resolve));
    rest.server.on('upgrade', () => upgraded());
    const texts = [
      'GET /overview HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'GET /overv',
      'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ];
    const ended = texts.map((text) => sendRaw(rest, text));
    await isUpgraded;
    await Promise.all([rest.close(), rest.close()]);
    const [idle, ...others] = await Promise.all(ended);
    expect(idle).toMatch(/^HTTP\/1.1 200 /);
    expect(others.filter((text) => text.startsWith('HTTP'))).toEqual([]);
  });

  it('comes before the start when the port is taken', async () => {
    const { port } = await serve();
    const again = createRestServer({
      bind: '127.0.0.1',
      port,
      token: null,
      maxBodyBytes: 1,
      view: fakeView('empty'),
      redactor: new Redactor(),
      logger: silentLogger,
    });
    await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('connections', () => {
  it('serve one request after the other, pipelined and errors included', async () => {
    const rest = await serve();
    const ask = (path: string, last = false) =>
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${last ? 'Connection: close\r\n' : ''}\r\n`;
    const text = await sendRaw(rest, ask('/overview') + ask('/nope') + ask('/jobs', true));
    expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200']);
  });

  it('end with a request that has no body to answer: HEAD', async () => {
    const { port } = await serve();
    const answer = await new Promise<{ status: number | undefined; length: string | undefined }>(
      (resolve, reject) => {
        const sent = request(
          { port, host: '127.0.0.1', method: 'HEAD', path: '/overview' },
          (response) => {
            response.resume().once('end', () =>
              resolve({
                status: response.statusCode,
                length: response.headers['content-length'],
              }),
            );
          },
        );
        sent.once('error', reject).end();
      },
    );
    expect(answer).toEqual({ status: 200, length: '176' });
  });
});
