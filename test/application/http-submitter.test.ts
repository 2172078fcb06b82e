import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createHttpSubmitter } from '../../src/application/http-submitter.ts';

/** A JobManager that answers these, in turn, to whatever it is asked. */
async function submitterTo(answers: readonly [number, object, Record<string, string>?][]) {
  const left = [...answers];
  const server = createServer((_request, response) => {
    const [status, body, headers] = left.shift()!;
    response.writeHead(status, headers);
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const restUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const submitter = createHttpSubmitter({ restUrl, token: null, epoch: 1, secrets: [] });
  onTestFinished(async () => {
    submitter.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { submitter, left };
}

it('asks a JobManager again that does not lead yet', async () => {
  const { submitter, left } = await submitterTo([
    [503, { errors: ['no leader'] }, { 'retry-after': '0' }],
    [200, { state: 'RUNNING' }],
  ]);
  expect(await submitter.status('0')).toBe('RUNNING');
  expect(left).toEqual([]);
});

it.each<[string, Record<string, string>]>([
  ['without a time', {}],
  ['with a time that is too far', { 'retry-after': '3600' }],
  ['with a date', { 'retry-after': 'Wed, 21 Oct 2037 07:28:00 GMT' }],
])('takes no for an answer %s', async (_, headers) => {
  const { submitter } = await submitterTo([[503, { errors: ['it ends'] }, headers]]);
  await expect(submitter.status('0')).rejects.toThrow('it ends');
});
