import { gunzipSync, inflateSync } from 'node:zlib';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { chooseCoding } from '../../../src/runtime/rest/encoding.ts';
import { fakeView } from './fake-view.ts';
import { serve } from './server.ts';

/** Bytes and headers as they come: fetch() would decode them. */
async function ask(port: number, path: string, acceptEncoding: string | null, method = 'GET') {
  return new Promise<{ headers: Record<string, unknown>; bytes: Buffer }>((resolve, reject) => {
    const headers = acceptEncoding === null ? {} : { 'accept-encoding': acceptEncoding };
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () =>
        resolve({ headers: response.headers, bytes: Buffer.concat(chunks) }),
      );
    });
    sent.once('error', reject).end();
  });
}

const large = () => {
  const effectiveConfig = Object.fromEntries(
    Array.from({ length: 500 }, (_, i) => [`key.${i}`, 'ä value']),
  );
  return fakeView('running', { effectiveConfig });
};

describe('a large answer', () => {
  it('comes in the coding that is asked for', async () => {
    const { port } = await serve({ view: large() });
    const plain = await ask(port, '/jobmanager/config', null);
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.headers['vary']).toBe('Accept-Encoding');
    for (const [coding, decode] of [
      ['gzip', gunzipSync],
      ['deflate', inflateSync],
    ] as const) {
      const { bytes, headers } = await ask(port, '/jobmanager/config', coding);
      expect(headers['content-encoding']).toBe(coding);
      expect(headers['vary']).toBe('Accept-Encoding');
      expect(headers['content-length']).toBe(String(bytes.length));
      expect(bytes.length).toBeLessThan(plain.bytes.length / 4);
      expect(decode(bytes).equals(plain.bytes)).toBe(true);
    }
  });

  it('has its length told by HEAD', async () => {
    const { port } = await serve({ view: large() });
    const { bytes } = await ask(port, '/jobmanager/config', 'gzip');
    const head = await ask(port, '/jobmanager/config', 'gzip', 'HEAD');
    expect(head.headers['content-length']).toBe(String(bytes.length));
    expect(head.bytes.length).toBe(0);
  });

  it('varies by origin, too, where origins are allowed', async () => {
    const { port } = await serve({ view: large(), allowedOrigins: ['https://ui.example'] });
    const { headers } = await ask(port, '/jobmanager/config', 'gzip');
    expect(headers['vary']).toBe('Accept-Encoding, Origin');
  });
});

describe('a small answer', () => {
  it('comes as it is', async () => {
    const { port } = await serve();
    const { bytes, headers } = await ask(port, '/overview', 'gzip');
    expect(headers['content-encoding']).toBeUndefined();
    expect(JSON.parse(bytes.toString())).toHaveProperty('taskmanagers');
  });
});

describe('Accept-Encoding', () => {
  it.each([
    ['gzip, deflate, br, zstd', 'gzip'],
    ['deflate', 'deflate'],
    ['GZIP', 'gzip'],
    ['deflate;q=1, gzip;q=0.5', 'deflate'],
    ['*', 'gzip'],
    ['gzip;q=0, *', 'deflate'],
    ['gzip;q=0', null],
    ['*;q=0', null],
    ['br', null],
    ['identity', null],
    ['gzip;q=0.5, identity', null],
    ['gzip;q=x', 'gzip'],
    ['', null],
    [undefined, null],
  ])('%j means %s', (header, coding) => {
    expect(chooseCoding(header)).toBe(coding);
  });
});
