/** Logs and thread dumps of the JobManager and of TaskManagers. */
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../../src/contract/secrets.ts';
import type { ClusterView, LogFiles } from '../../../src/runtime/jobmanager/views/cluster-view.ts';
import { RpcError } from '../../../src/runtime/rpc/rpc-error.ts';
import { fakeView } from './fake-view.ts';
import { serve } from './server.ts';

const taskManager = '/taskmanagers/taskmanager-0-3f2a';

/** One file that is read as it would be from disk. */
function logsOf(bytes: Uint8Array): LogFiles & { readonly ranges: number[] } {
  const ranges: number[] = [];
  return {
    ranges,
    current: { log: 'x.log', out: 'x.out' },
    list: async () => [{ name: 'x.log', sizeBytes: bytes.length, modified: 5 }],
    read: async ({ length, name, offset }) => {
      ranges.push(length);
      return name === 'x.log' ? bytes.subarray(offset, offset + length) : null;
    },
  };
}

async function ask(path: string, changes: Partial<ClusterView> = {}, redactor = new Redactor()) {
  const { url } = await serve({ view: fakeView('running', changes), redactor });
  const answer = await fetch(url + path);
  const type = answer.headers.get('content-type');
  return { status: answer.status, type, text: await answer.text() };
}

describe('logs', () => {
  it.each(['/jobmanager', taskManager])('are text, as they are: %s', async (path) => {
    const log = await ask(`${path}/log`);
    expect(log).toMatchObject({ status: 200, type: 'text/plain', text: '{"message":"starts"}\n' });
    const name = path === '/jobmanager' ? 'jobmanager-0' : 'taskmanager-0';
    expect((await ask(`${path}/logs/${name}.log`)).text).toBe(log.text);
    // What is no UTF-8 does not end the answer.
    expect((await ask(`${path}/stdout`)).text).toBe('hi\ufffd');
  });

  it('have their secrets masked', async () => {
    const changes = { logs: logsOf(Buffer.from('the password is hunter2-hunter2')) };
    const { text } = await ask('/jobmanager/log', changes, new Redactor(['hunter2-hunter2']));
    expect(text).not.toContain('hunter2');
  });

  it.each(['/jobmanager', taskManager])('of other names are not there: %s', async (path) => {
    for (const name of ['none.log', '..%2Ftoken', '%2Fetc%2Fpasswd', 'constructor']) {
      const { status, text } = await ask(`${path}/logs/${name}`);
      expect(status).toBe(404);
      expect(JSON.parse(text)).toHaveProperty('errors');
    }
  });

  it('that are empty, or not there yet, are empty', async () => {
    const none = { ...logsOf(Buffer.alloc(0)), list: async () => [] };
    expect(await ask('/jobmanager/stdout', { logs: none })).toMatchObject({
      status: 200,
      text: '',
    });
    expect((await ask('/jobmanager/log', { logs: logsOf(Buffer.alloc(0)) })).text).toBe('');
  });

  it('are read range by range, and of large ones the end, from a line on', async () => {
    const line = `${'x'.repeat(98)}\n`; // divides no range evenly
    const small = logsOf(Buffer.from(line.repeat(30_000)));
    const whole = await ask(`${taskManager}/log`, { taskManagerLogs: () => small });
    expect(whole.text).toBe(line.repeat(30_000));
    expect(Math.max(...small.ranges)).toBe(1024 * 1024);

    const large = logsOf(Buffer.from(line.repeat(400_000)));
    const { text } = await ask('/jobmanager/log', { logs: large });
    expect(text.length).toBeGreaterThan(16 * 1024 * 1024 - line.length);
    expect(text.length).toBeLessThanOrEqual(16 * 1024 * 1024);
    expect(text.startsWith(line)).toBe(true);
    expect(text.endsWith(line)).toBe(true);
  });

  it('that shrink while they are read end there', async () => {
    const logs = logsOf(Buffer.from('short'));
    const shrunk = { ...logs, list: async () => [{ name: 'x.log', sizeBytes: 5e6, modified: 5 }] };
    expect((await ask('/jobmanager/log', { logs: shrunk })).text).toBe('short');
  });
});

describe('a TaskManager that does not answer', () => {
  const gone = async () => {
    throw new RpcError('closed', 'the connection is closed');
  };
  const changes: Partial<ClusterView> = {
    taskManagerLogs: () => ({ current: { log: 'a', out: 'b' }, list: gone, read: gone }),
    taskManagerThreads: gone,
  };

  it.each(['log', 'stdout', 'logs', 'logs/taskmanager-0.log', 'thread-dump'])(
    'is said to be gone: %s',
    async (what) => {
      const { status, text } = await ask(`${taskManager}/${what}`, changes);
      expect(status).toBe(404);
      expect(JSON.parse(text)).toEqual({
        errors: [expect.stringMatching(/did not answer: .*closed/)],
      });
    },
  );
});
