import { describe, expect, it } from 'vitest';
import { Redactor } from '../../../src/contract/secrets.ts';
import type { RestServerOptions } from '../../../src/runtime/rest/server.ts';
import { ManualClock } from '../rpc/manual-clock.ts';
import { silentLogger } from '../jobmanager/silent-logger.ts';
import { fakeView, jobId } from './fake-view.ts';
import { parseRaw, sendRaw, serve, type Served, token } from './server.ts';

const html = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' };
const pageType = 'text/html; charset=UTF-8';
const errors = (text: RegExp) => ({ errors: [expect.stringMatching(text)] });

const open = (options: Partial<RestServerOptions> = {}) => serve({ token, ...options });

/** As the form of the page does. */
const submit = (rest: Served, fields: Record<string, string>) =>
  fetch(`${rest.url}/login`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { origin: rest.url },
    redirect: 'manual',
  });

/** @returns the header `Cookie` of a browser that has logged in. */
async function logIn(rest: Served): Promise<{ readonly cookie: string }> {
  const answer = await submit(rest, { token });
  expect(answer.status).toBe(303);
  return { cookie: answer.headers.get('set-cookie')!.split(';')[0]! };
}

const overview = async (rest: Served, headers: Record<string, string>) =>
  (await fetch(`${rest.url}/overview`, { headers })).status;

describe('the page', () => {
  it('is what a browser without a token sees, wherever it goes', async () => {
    const rest = await open();
    for (const path of ['/', '/jobs/overview?a=1&b="<x>', '/nonexistent']) {
      const answer = await fetch(rest.url + path, { headers: html });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([401, pageType]);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      const text = await answer.text();
      expect(text).toContain('<form method="post" action="/login">');
      expect(text).not.toContain('<x>');
      expect(text).not.toMatch(/<script|https?:\/\//);
      expect(text).not.toContain(token);
    }
    expect((await fetch(`${rest.url}/`)).headers.get('content-type')).toBe(pageType);
    expect((await fetch(`${rest.url}/login`, { headers: html })).status).toBe(200);
  });

  it('works also where a word of it is a secret', async () => {
    const plain = await (await fetch(`${(await open()).url}/login`, { headers: html })).text();
    const rest = await open({ redactor: new Redactor(['form', 'token', 'Cluster', 'charset']) });
    expect(await (await fetch(`${rest.url}/login`, { headers: html })).text()).toBe(plain);
    await logIn(rest);
  });

  it('is for no program, and for no change', async () => {
    const rest = await open();
    const program = await fetch(`${rest.url}/overview`, {
      headers: { accept: 'application/json' },
    });
    expect([program.status, await program.json()]).toEqual([401, errors(/needs its token/)]);
    const change = await fetch(`${rest.url}/`, { method: 'POST', headers: html });
    expect([change.status, await change.json()]).toEqual([401, errors(/needs its token/)]);
  });

  it('cannot be framed, kept, or made to load or send anything elsewhere', async () => {
    const { headers } = await fetch(`${(await open()).url}/`, { headers: html });
    expect(headers.get('content-security-policy')).toMatch(
      /default-src 'none'.*form-action 'self'.*frame-ancestors 'none'/,
    );
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('is not there where no token is needed', async () => {
    const rest = await serve();
    expect((await fetch(`${rest.url}/login`)).status).toBe(404);
    expect((await submit(rest, { token })).status).toBe(404);
    const home = await (await fetch(`${rest.url}/`, { headers: html })).text();
    expect(home).toContain('/jobs/overview');
    expect(home).not.toContain('/logout');
  });
});

describe('logging in', () => {
  it('gives a cookie that is not the token, and goes back to where one came from', async () => {
    const rest = await open();
    const answer = await submit(rest, { token: ` ${token}\n`, next: '/jobs/overview?a=1' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/jobs/overview?a=1']);
    const cookie = answer.headers.get('set-cookie')!;
    expect(cookie).toMatch(/^fctl-\w+=[\w.-]+; HttpOnly; SameSite=Strict; Path=\/; Max-Age=\d+$/);
    expect(cookie).not.toContain(token);
  });

  it.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/a\r\nx: y',
    'javascript:1',
  ])('goes nowhere else: %j', async (next) => {
    const answer = await submit(await open(), { token, next });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
  });

  it('needs the right token, and says so on the page', async () => {
    const rest = await open();
    for (const wrong of ['', 'x', token.slice(1), `${token}x`]) {
      const answer = await submit(rest, { token: wrong, next: '/jobs/"x' });
      expect([answer.status, answer.headers.get('set-cookie')]).toEqual([401, null]);
      const text = await answer.text();
      expect(text).toMatch(/role="alert">This is not the token/);
      expect(text).toContain('value="/jobs/&quot;x"');
    }
  });

  it('takes forms of a moderate size only', async () => {
    const rest = await open();
    const post = (body: string, type: string) =>
      fetch(`${rest.url}/login`, { method: 'POST', body, headers: { 'content-type': type } });
    expect((await post(JSON.stringify({ token }), 'application/json')).status).toBe(415);
    const large = await post(`token=${'x'.repeat(20_000)}`, 'application/x-www-form-urlencoded');
    expect([large.status, await large.json()]).toEqual([413, errors(/larger/)]);
  });

  it('is refused to forms of other sites', async () => {
    const { url } = await open();
    const headers = { origin: 'https://evil.example' };
    const body = new URLSearchParams({ token });
    expect((await fetch(`${url}/login`, { method: 'POST', headers, body })).status).toBe(403);
  });
});

describe('a session', () => {
  it('stands for the token', async () => {
    const view = fakeView('running');
    const rest = await open({ view });
    const session = await logIn(rest);
    expect(await overview(rest, session)).toBe(200);
    expect(await overview(rest, { cookie: `a=b; ${session.cookie}; c=d` })).toBe(200);
    const headers = { ...session, origin: rest.url };
    expect((await fetch(`${rest.url}/fctl/v1/cancel`, { method: 'POST', headers })).status).toBe(
      202,
    );
    expect(view.commands).toEqual(['cancel application']);
    const home = await fetch(`${rest.url}/`, { headers: { ...session, ...html } });
    expect(await home.text()).toContain('action="/logout"');
  });

  it('changes nothing where the browser does not say that the page is ours', async () => {
    const view = fakeView('running');
    const rest = await open({ view, allowedOrigins: ['https://ui.example'] });
    const session = await logIn(rest);
    const cancel = (headers: Record<string, string>) =>
      sendRaw(
        rest,
        `POST /fctl/v1/cancel HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${Object.entries({
          ...session,
          ...headers,
        })
          .map(([name, value]) => `${name}: ${value}\r\n`)
          .join('')}Content-Length: 0\r\n\r\n`,
      ).then(parseRaw);
    expect(await cancel({})).toEqual({ status: 403, body: errors(/page of this server/) });
    expect(await cancel({ 'sec-fetch-site': 'same-site' })).toMatchObject({ status: 403 });
    expect(await cancel({ origin: 'http://localhost:1' })).toMatchObject({ status: 403 });
    // An allowed origin needs the token itself.
    expect(await cancel({ origin: 'https://ui.example' })).toMatchObject({ status: 401 });
    // A GET that cancels is no reading.
    const byGet = await fetch(`${rest.url}/jobs/${jobId}/yarn-cancel`, { headers: session });
    expect(byGet.status).toBe(403);
    expect(view.commands).toEqual([]);
    expect(await cancel({ 'sec-fetch-site': 'same-origin' })).toMatchObject({ status: 202 });
  });

  it('is not to be made or changed by hand', async () => {
    const clock = new ManualClock();
    const rest = await open({ clock });
    const { cookie } = await logIn(rest);
    const [name, value] = cookie.split('=') as [string, string];
    const [until, random, signature] = value.split('.') as [string, string, string];
    const later = `${name}=${Number(until) + 1}.${random}.${signature}`;
    const flipped = signature.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    const forged = [later, `${name}=${until}.${random}.${flipped}`, `${name}=${token}`, `${name}=`];
    for (const wrong of [...forged, `${name}=x; ${later}`, `other=${value}`]) {
      expect(await overview(rest, { cookie: wrong })).toBe(401);
    }
    expect(await overview(rest, { cookie })).toBe(200);
  });

  it('ends after twelve hours', async () => {
    const clock = new ManualClock();
    const rest = await open({ clock });
    const session = await logIn(rest);
    clock.advance(12 * 3600_000 - 2000);
    expect(await overview(rest, session)).toBe(200);
    clock.advance(3000);
    expect(await overview(rest, session)).toBe(401);
  });

  it('ends with logging out, no other does', async () => {
    const rest = await open();
    const [session, other] = [await logIn(rest), await logIn(rest)];
    expect(session).not.toEqual(other);
    const answer = await fetch(`${rest.url}/logout`, {
      method: 'POST',
      headers: { ...session, origin: rest.url },
      redirect: 'manual',
    });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/login']);
    expect(answer.headers.get('set-cookie')).toMatch(/^fctl-\w+=; .*Max-Age=0$/);
    expect(await overview(rest, session)).toBe(401);
    expect(await overview(rest, other)).toBe(200);
  });

  it('goes on at the next JobManager of the cluster, and means nothing to another cluster', async () => {
    const session = await logIn(await open());
    expect(await overview(await open(), session)).toBe(200);
    const another = await open({ token: 'another' });
    expect(await overview(another, session)).toBe(401);
  });
});

describe('wrong tokens', () => {
  const bearer = (value: string) => ({ authorization: `Bearer ${value}` });
  const guess = (rest: Served) => overview(rest, bearer('wrong'));

  it('are refused for a while when there are too many, and the right one is not', async () => {
    const clock = new ManualClock();
    const rest = await open({ clock });
    const statuses = [];
    for (let i = 0; i < 25; i++) statuses.push(await guess(rest));
    expect(statuses).toEqual([...Array(20).fill(401), ...Array(5).fill(429)]);
    const answer = await fetch(`${rest.url}/overview`, { headers: bearer('wrong') });
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.headers.get('connection')).toBe('close');
    expect(await answer.json()).toEqual(errors(/too many/));
    expect((await submit(rest, { token: 'wrong' })).status).toBe(429);
    expect(await overview(rest, bearer(token))).toBe(200);
    expect(await overview(rest, await logIn(rest))).toBe(200);
    clock.advance(2000);
    expect([await guess(rest), await guess(rest), await guess(rest)]).toEqual([401, 401, 429]);
  });

  it('are in the log, but do not fill it', async () => {
    const clock = new ManualClock();
    const warnings: unknown[] = [];
    const logger = {
      ...silentLogger,
      warn: (...said: unknown[]) => void warnings.push(said),
    };
    const rest = await open({ clock, logger });
    for (let i = 0; i < 30; i++) await guess(rest);
    expect(warnings).toEqual([[expect.stringMatching(/wrong tokens/), { client: '127.0.0.1' }]]);
    clock.advance(60_000);
    for (let i = 0; i < 30; i++) await guess(rest);
    expect(warnings).toHaveLength(2);
  });

  it('are no matter of those who send none', async () => {
    const rest = await open({ clock: new ManualClock() });
    for (let i = 0; i < 30; i++) expect(await overview(rest, {})).toBe(401);
    expect(await guess(rest)).toBe(401);
  });
});
