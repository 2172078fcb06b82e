import { hostname } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkOrigin, createHostCheck } from '../../../src/runtime/rest/guard.ts';
import { fakeView } from './fake-view.ts';
import { parseRaw, sendRaw, serve, token } from './server.ts';

const refused = {
  status: 403,
  body: { errors: [expect.stringMatching(/jobmanager\.rest\.hosts/)] },
};

async function ask(rest: Awaited<ReturnType<typeof serve>>, host: string) {
  const head = `GET /overview HTTP/1.1\r\nConnection: close\r\nHost: ${host}\r\n\r\n`;
  return parseRaw(await sendRaw(rest, head));
}

describe('a host', () => {
  it('is an address, a loopback name or the name of the machine, where others reach the server', async () => {
    const rest = await serve({ bind: '0.0.0.0' });
    const own = ['localhost', '127.0.0.1:8081', '10.0.0.7:8081', '[fe80::1]:80', hostname()];
    for (const host of own) expect(await ask(rest, host)).toMatchObject({ status: 200 });
    const others = ['evil.example', '10.0.0.7.evil.example', 'evil.example:8081', '', 'a@10.0.0.7'];
    for (const host of others) expect(await ask(rest, host)).toEqual(refused);
  });

  it('is one of the names that the configuration adds', async () => {
    for (const bind of ['0.0.0.0', '127.0.0.1']) {
      const rest = await serve({ bind, hosts: ['Flink.example'] });
      for (const host of ['flink.example', 'FLINK.example:443', 'flink.example.']) {
        expect(await ask(rest, host)).toMatchObject({ status: 200 });
      }
      expect(await ask(rest, 'xflink.example')).toEqual(refused);
    }
  });

  it('on loopback is no address of elsewhere', async () => {
    const rest = await serve();
    for (const host of ['10.0.0.7', '[fe80::1]:80', hostname()]) {
      expect(await ask(rest, host)).toEqual(refused);
    }
  });

  it('is the one that is listened on', () => {
    const check = createHostCheck('Jobmanager.example', []);
    expect(() => check('jobmanager.example:8081')).not.toThrow();
  });

  it('of no form is refused in the words for any other', () => {
    const check = createHostCheck('0.0.0.0', []);
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), (prefix) => {
        expect(() => check(`${prefix}.evil.example`)).toThrow(/jobmanager\.rest\.hosts/);
      }),
    );
  });
});

describe('an origin', () => {
  const host = 'localhost:8081';
  const allowed = ['https://ui.example'];
  const from = (headers: Record<string, string>, method = 'POST') =>
    checkOrigin(method, headers, host, allowed);

  it('is of this server, or one that is allowed', () => {
    expect(from({})).toEqual({ type: 'own' });
    expect(from({ origin: 'http://localhost:8081' })).toEqual({ type: 'own' });
    const origin = 'https://ui.example';
    expect(from({ origin })).toEqual({ type: 'allowed', origin });
    for (const foreign of ['https://ui.example:444', 'http://ui.example', 'null', 'x', '', '*']) {
      expect(() => from({ origin: foreign })).toThrow(/other sites/);
    }
  });

  it('that a browser leaves out is told by how far the page is', () => {
    for (const site of ['none', 'same-origin']) {
      expect(from({ 'sec-fetch-site': site })).toEqual({ type: 'own' });
    }
    for (const site of ['same-site', 'cross-site']) {
      // An image, a script, a form
      expect(() => from({ 'sec-fetch-site': site }, 'GET')).toThrow(/other sites/);
      const link = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate' };
      expect(from(link, 'GET')).toEqual({ type: 'own' });
      expect(() => from(link, 'POST')).toThrow(/other sites/);
    }
  });
});

describe('pages of an allowed origin', () => {
  const origin = 'https://ui.example';
  const headers = { origin };

  it('may ask what they may ask', async () => {
    const { url } = await serve({ token, allowedOrigins: [origin] });
    const wish = { 'access-control-request-method': 'PATCH' };
    const answer = await fetch(`${url}/jobs`, {
      method: 'OPTIONS',
      headers: { ...headers, ...wish },
    });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe('');
    const said = answer.headers;
    expect(said.get('access-control-allow-origin')).toBe(origin);
    expect(said.get('access-control-allow-methods')).toContain('PATCH');
    expect(said.get('access-control-allow-headers')).toMatch(/authorization.*content-type/);
    expect(said.get('access-control-allow-credentials')).toBeNull();
  });

  it('may read answers and errors, and no other page may', async () => {
    const { url } = await serve({ token, allowedOrigins: [origin] });
    const bearer = { authorization: `Bearer ${token}` };
    for (const [given, status] of [
      [bearer, 200],
      [{}, 401],
    ] as const) {
      const answer = await fetch(`${url}/overview`, { headers: { ...headers, ...given } });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('vary')).toBe('Origin');
    }
    const evil = { ...bearer, origin: 'https://evil.example' };
    const answer = await fetch(`${url}/overview`, { headers: evil });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(answer.headers.get('vary')).toBe('Origin');
  });

  it('are refused where none is allowed, before anything is done', async () => {
    const view = fakeView('running');
    const { url } = await serve({ view });
    const preflight = { ...headers, 'access-control-request-method': 'POST' };
    const answer = await fetch(`${url}/fctl/v1/cancel`, { method: 'OPTIONS', headers: preflight });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(view.commands).toEqual([]);
  });
});
