import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { findLostResult } from '../../../src/deployment/modes/lost-result.ts';

const jobId = 'a'.repeat(32);
const wanted = { type: 'result-wanted', executeIndex: 3, jobId } as const;

/** The JobManager that was started again. */
async function next(outcome: object) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://x');
    const isRight =
      pathname === `/fctl/v1/jobs/${jobId}/result` && request.headers['fctl-epoch'] === '2';
    response.writeHead(isRight ? 200 : 404);
    response.end(JSON.stringify({ jobId, outcome, collected: {} }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, token: null, epoch: 2 };
}

it('waits for the next JobManager, which knows what became of the job', async () => {
  const outcome = {
    id: jobId,
    name: 'endless',
    state: 'LOST',
    error: { message: 'submit it again' },
  };
  const there = await next(outcome);
  const gone = { url: 'http://127.0.0.1:1', token: null, epoch: 1 };
  const places = [null, gone, there];
  const locate = async () => {
    const place = places.shift();
    if (place === undefined) throw new Error('asked too often');
    return place;
  };
  const { signal } = new AbortController();
  expect(await findLostResult(wanted, { locate, signal })).toEqual({
    type: 'result',
    executeIndex: 3,
    result: { jobId, outcome, collected: {} },
  });
  expect(places).toEqual([]);
});

it('says so when none comes, and ends with its client', async () => {
  const stop = new AbortController();
  const locate = async () => {
    stop.abort();
    return null;
  };
  expect(await findLostResult(wanted, { locate, signal: stop.signal })).toEqual({
    type: 'no-cluster',
    executeIndex: 3,
    message: expect.stringMatching(/^the JobManager of the session was lost.*no other one came$/),
  });
});
