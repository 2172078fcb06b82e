/** `fctl proxy` as browsers and Flink's clients meet it: the built CLI before a cluster that needs its token. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { symlink, utimes } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Project, eventually, imports } from './project.ts';

const endless = `${imports}
export const job = defineJob('demo', (env) => {
  env.fromSource(GeneratorSource.of({ count: 1e6, create: (i) => i, ratePerSecond: 10 })).sinkTo(DiscardSink.create());
});`;

async function deployed(): Promise<Project> {
  const project = await Project.create();
  await project.write('src/app.ts', endless);
  const { exitCode, stderr } = await project.run('deploy', '--detach');
  expect([exitCode, stderr]).toEqual([0, '']);
  return project;
}

/** A proxy in a process of its own. */
async function proxy(project: Project, ...args: string[]) {
  const started = project.start(['proxy', 'demo', '--json', ...args]);
  let said = '';
  let warned = '';
  started.stdout.on('data', (chunk) => (said += String(chunk)));
  started.stderr.on('data', (chunk) => (warned += String(chunk)));
  await Promise.race([once(started.stdout, 'data'), started]);
  if (said === '') throw new Error(`no proxy: ${warned}`);
  const { data, ok } = JSON.parse(said) as {
    ok: boolean;
    data: { clusterId: string; url: string };
  };
  expect(ok).toBe(true);
  return {
    url: data.url,
    port: Number(new URL(data.url).port),
    said: () => said,
    warned: () => warned,
    end: async (signal: NodeJS.Signals = 'SIGINT') => {
      started.kill(signal);
      return started;
    },
  };
}

interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readable | string;
}

/** As it comes over the line: fetch() would resolve paths, decode bodies and refuse a body on GET. */
function ask(port: number, { body, headers = {}, method = 'GET', path }: Asked) {
  interface Answer {
    readonly status: number;
    readonly headers: IncomingHttpHeaders;
    readonly bytes: Buffer;
  }
  return new Promise<Answer>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      buffer(response).then((bytes) => {
        resolve({ status: response.statusCode!, headers: response.headers, bytes });
      }, reject);
    });
    sent.once('error', reject);
    if (body instanceof Readable) body.pipe(sent);
    else sent.end(body);
  });
}

const json = ({ bytes }: { readonly bytes: Buffer }) => JSON.parse(bytes.toString()) as unknown;

describe('a cluster that runs', () => {
  let project: Project;
  let through: Awaited<ReturnType<typeof proxy>>;
  const ui = () => join(project.folder, 'ui');

  beforeAll(async () => {
    project = await deployed();
    await project.write('ui/index.html', '<!doctype html><base href="./">');
    await project.write('ui/assets/main.js', 'run();');
    await project.write('ui/assets/a b ü.css', '');
    await project.write('ui/data.bin', 'x'.repeat(200_000));
    await project.write('secret.txt', 'secret');
    await symlink(join(project.folder, 'secret.txt'), join(ui(), 'link.txt'));
    await symlink(project.folder, join(ui(), 'folder'));
    through = await proxy(project, '--ui', ui());
  });
  afterAll(async () => {
    await through.end();
    await project.remove();
  });

  it('is asked without a token, with and without the prefix of a version', async () => {
    for (const path of ['/overview', '/v1/overview', '/overview?x=%20']) {
      const answer = await ask(through.port, { path });
      expect([answer.status, answer.headers['content-type']]).toEqual([
        200,
        'application/json; charset=UTF-8',
      ]);
      expect(json(answer)).toMatchObject({ 'jobs-running': 1 });
    }
    const unknown = await ask(through.port, { path: '/nonexistent' });
    expect([unknown.status, json(unknown)]).toEqual([404, { errors: ['Not found: /nonexistent'] }]);
  });

  it("is asked with what a client has of its own: a wrong token, cookies, Flink's body on GET", async () => {
    const answer = await ask(through.port, {
      path: '/v1/jobs/overview',
      headers: {
        authorization: 'Bearer wrong',
        cookie: 'other=1',
        'content-type': 'application/json; charset=UTF-8',
        'content-length': '2',
        connection: 'close',
        expect: '100-continue',
      },
      body: '{}',
    });
    expect(answer.status).toBe(200);
    expect(json(answer)).toMatchObject({ jobs: [{ name: 'demo', state: 'RUNNING' }] });
  });

  it('takes a body and gives it back, streamed, of known and unknown length', async () => {
    const content = randomBytes(5_000_000);
    const path = `/fctl/v1/blobs/${createHash('sha256').update(content).digest('hex')}`;
    const pieces = Array.from({ length: 50 }, (_, i) =>
      content.subarray(i * 100_000, (i + 1) * 100_000),
    );
    const put = await ask(through.port, { method: 'PUT', path, body: Readable.from(pieces) });
    expect(put.status).toBe(201);
    const got = await ask(through.port, { path });
    expect(got.headers['content-length']).toBe('5000000');
    expect(got.bytes.equals(content)).toBe(true);
    expect((await ask(through.port, { method: 'HEAD', path })).headers['content-length']).toBe(
      '5000000',
    );
  });

  it('may answer before it has all of a body, which then nobody waits for', async () => {
    const content = randomBytes(20_000_000);
    const hash = createHash('sha256').update('').digest('hex');
    const path = `/fctl/v1/blobs/${hash}`;
    expect((await ask(through.port, { method: 'PUT', path, body: '' })).status).toBe(201);
    const body = Readable.from([content]);
    const answer = await ask(through.port, { method: 'PUT', path, body });
    expect(answer.status).toBe(200); // it has that one
    const wrong = { method: 'PUT', path: path.replace(/.$/, '0'), body: 'abc' };
    expect((await ask(through.port, wrong)).status).toBe(400);
  });

  it('gets to hear of a coding that the client understands, and nobody changes it', async () => {
    const { jobs } = json(await ask(through.port, { path: '/jobs' })) as {
      jobs: { id: string }[];
    };
    const path = `/jobs/${jobs[0]!.id}/config`;
    const large = `/jobs/${jobs[0]!.id}`;
    const zipped = await ask(through.port, { path: large, headers: { 'accept-encoding': 'gzip' } });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(JSON.parse(gunzipSync(zipped.bytes).toString())).toMatchObject({ jid: jobs[0]!.id });
    expect((await ask(through.port, { path: large })).headers['content-encoding']).toBeUndefined();
    const small = await ask(through.port, { path, headers: { 'accept-encoding': 'gzip' } });
    expect(small.headers['content-encoding']).toBeUndefined();
  });

  it('is not reached by pages of other sites, whatever they make a browser send', async () => {
    const own = `127.0.0.1:${through.port}`;
    const cancel = (headers: Record<string, string>, method = 'POST') =>
      ask(through.port, { method, path: '/fctl/v1/cancel', headers: { host: own, ...headers } });
    const refused = [
      { host: `evil.example:${through.port}` },
      { host: 'localhost' },
      { host: `127.0.0.1.evil.example:${through.port}` },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.1:${through.port + 1}` },
      { origin: `https://${own}` },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of refused) {
      const answer = await cancel(headers as Record<string, string>);
      expect([headers, answer.status]).toEqual([headers, 403]);
      expect(json(answer)).toEqual({ errors: [expect.stringMatching(/own pages/)] });
    }
    const image = { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' };
    expect((await cancel(image, 'GET')).status).toBe(403);
    const overview = (headers: Record<string, string>) =>
      ask(through.port, { path: '/overview', headers: { host: own, ...headers } });
    for (const headers of [
      { origin: `http://${own}` },
      { host: `LOCALHOST:${through.port}` },
      { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
    ]) {
      expect((await overview(headers as Record<string, string>)).status).toBe(200);
    }
    const { jobs } = json(await ask(through.port, { path: '/jobs' })) as { jobs: { id: string }[] };
    const byLink = await ask(through.port, {
      path: `/jobs/${jobs[0]!.id}/yarn%2Dcancel`,
      headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
    });
    expect(byLink.status).toBe(403);
    expect(json(await overview({}))).toMatchObject({ 'jobs-running': 1 });
  });

  it('has the files of a Web UI before it', async () => {
    const index = await ask(through.port, { path: '/' });
    expect(index.bytes.toString()).toBe('<!doctype html><base href="./">');
    const types = {
      '/': 'text/html; charset=UTF-8',
      '/index.html?v=1': 'text/html; charset=UTF-8',
      '/assets/main.js': 'text/javascript; charset=UTF-8',
      '/assets/a%20b%20%C3%BC.css': 'text/css; charset=UTF-8',
      '/data.bin': 'application/octet-stream',
      '/config': 'application/json; charset=UTF-8',
    };
    for (const [path, type] of Object.entries(types)) {
      const { headers, status } = await ask(through.port, { path });
      expect([path, status, headers['content-type']]).toEqual([path, 200, type]);
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
    const head = await ask(through.port, { method: 'HEAD', path: '/data.bin' });
    expect([head.headers['content-length'], head.bytes.length]).toEqual(['200000', 0]);
    expect((await ask(through.port, { path: '/data.bin' })).bytes.length).toBe(200_000);
    // Files are for reading: this is a request to the cluster.
    expect((await ask(through.port, { method: 'POST', path: '/index.html' })).status).toBe(404);
  });

  it('has none of the files around that folder before it', async () => {
    for (const path of [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/assets/../../secret.txt',
      '/assets/..%5c..%5csecret.txt',
      '/link.txt',
      '/folder/secret.txt',
      '/./index.html',
      '//index.html',
      '/index.html%00',
      '/assets',
      '/%ff',
    ]) {
      const answer = await ask(through.port, { path });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(json(answer)).toEqual({ errors: [expect.any(String)] });
    }
  });

  it('lets a browser keep a file that has not changed', async () => {
    const path = '/assets/main.js';
    const { headers } = await ask(through.port, { path });
    expect(headers['cache-control']).toBe('no-cache');
    const again = await ask(through.port, { path, headers: { 'if-none-match': headers.etag! } });
    expect([again.status, again.bytes.length, again.headers.etag]).toEqual([304, 0, headers.etag]);
    await utimes(join(ui(), path), 1, 1);
    const changed = await ask(through.port, { path, headers: { 'if-none-match': headers.etag! } });
    expect([changed.status, changed.bytes.toString()]).toEqual([200, 'run();']);
    expect(changed.headers.etag).not.toBe(headers.etag);
  });

  it('is served on when a client goes in the middle of a request', async () => {
    const jobs = json(await ask(through.port, { path: '/jobs' })) as { jobs: { id: string }[] };
    const path = `/fctl/v1/jobs/${jobs.jobs[0]!.id}/result?wait=60000`;
    const waiting = request({ host: '127.0.0.1', port: through.port, path }).end();
    const [socket] = (await once(waiting, 'socket')) as [import('node:net').Socket];
    if (socket.connecting) await once(socket, 'connect');
    const closed = once(waiting, 'error');
    waiting.destroy(new Error('gone'));
    await closed;
    expect((await ask(through.port, { path: '/overview' })).status).toBe(200);
  });

  it('goes on when the proxy ends, which it does at once', async () => {
    const another = await proxy(project);
    const { exitCode, stderr, stdout } = await another.end();
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      command: 'proxy',
      data: { clusterId: 'demo', url: another.url },
      errors: [],
    });
    expect(stderr).toMatch(/the cluster goes on/);
    await expect(ask(another.port, { path: '/overview' })).rejects.toThrow('ECONNREFUSED');
    expect((await ask(through.port, { path: '/overview' })).status).toBe(200);
  });

  it('goes on when the proxy was told to end by itself', async () => {
    const answer = await project.run('proxy', 'demo', '--timeout', '1s');
    expect([answer.exitCode, answer.json.ok]).toEqual([124, true]);
    expect(answer.stderr).toContain('not finished within --timeout 1s');
  });

  it('keeps its token to itself', async () => {
    const said = through.said() + through.warned();
    expect(said).toContain('127.0.0.1');
    expect(said).not.toMatch(/[0-9a-f]{64}/);
  });

  it.each([
    ['no-such-cluster', 7, ['nope']],
    ['not-a-port', 2, ['demo', '--port', 'http']],
    ['not-a-port', 2, ['demo', '--port', '65536']],
    ['no-ui', 2, ['demo', '--ui', '.']],
    ['no-ui', 2, ['demo', '--ui', './nonexistent']],
  ])('is not served where it cannot be: %s', async (code, exitCode, args) => {
    const answer = await project.run('proxy', ...args);
    expect([answer.exitCode, answer.json.errors]).toEqual([
      exitCode,
      [expect.objectContaining({ code })],
    ]);
  });

  it('is not served at a port that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const answer = await project.run('proxy', 'demo', '--port', String(port));
    expect(answer.json.errors).toMatchObject([
      { code: 'port-taken', message: `port ${port} is taken` },
    ]);
    expect(answer.exitCode).toBe(4);
  });
});

describe('a cluster that goes', () => {
  it('is told as gone, once, to the clients too; and is served again when it comes back', async () => {
    const project = await deployed();
    onTestFinished(() => project.remove());
    const through = await proxy(project);
    onTestFinished(async () => void (await through.end()));
    const overview = () => ask(through.port, { path: '/v1/overview' });
    expect((await overview()).status).toBe(200);
    await project.run('cancel', 'demo');
    await eventually(() => project.running().length === 0);
    for (let i = 0; i < 3; i++) {
      const answer = await overview();
      expect([answer.status, answer.headers['content-type']]).toEqual([
        502,
        'application/json; charset=UTF-8',
      ]);
      expect(json(answer)).toEqual({ errors: [expect.stringMatching(/demo is CANCELED/)] });
    }
    await eventually(() => /serves the cluster when/.test(through.warned()));
    expect(through.warned().match(/demo is CANCELED/g)).toHaveLength(1);

    expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
    const back = await ask(through.port, { method: 'PATCH', path: '/jobs/x', body: '{}' });
    expect(back.status).toBe(400); // of the JobManager that runs now
    expect((await overview()).status).toBe(200);
    await eventually(() => /demo is back/.test(through.warned()));

    // Where it is elsewhere before anybody missed it, nobody notices.
    await project.run('cancel', 'demo');
    await eventually(() => project.running().length === 0);
    expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
    const change = { method: 'POST', path: '/fctl/v1/cancel', body: '{}' };
    expect((await ask(through.port, change)).status).toBe(202);
    expect(through.warned().match(/demo is CANCELED/g)).toHaveLength(1);

    await project.run('destroy', 'demo', '--yes');
    expect(json(await overview())).toEqual({
      errors: [expect.stringMatching(/no cluster 'demo'/)],
    });
    expect((await through.end('SIGTERM')).exitCode).toBe(0);
  });

  it('is not served when it is gone already', async () => {
    const project = await deployed();
    onTestFinished(() => project.remove());
    await project.run('cancel', 'demo');
    const answer = await project.run('proxy', 'demo');
    expect(answer.exitCode).toBe(8);
    expect(answer.json.errors).toMatchObject([
      { code: 'not-running', message: expect.stringMatching(/CANCELED/) as unknown },
    ]);
  });
});
