/** The host agent and its protocol: the real script as a process, spoken to line by line. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type AgentMessage,
  LineReader,
  encodeMessage,
  parseAgentMessage,
  parseClientMessage,
  window,
} from '../../../src/providers/standalone/agent/protocol.ts';
import { eventually } from '../local/eventually.ts';

const root = resolve(import.meta.dirname, '../../..');
let folder: string;
let script: string;
let dir: string;
let agent: ChildProcessWithoutNullStreams;
let said: AgentMessage[];
let errors: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-agent-'));
  script = join(folder, 'host-agent.mjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['src/providers/standalone/agent/main.ts'],
    outfile: script,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'warning',
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  dir = await mkdtemp(join(folder, 'dir-'));
  agent = spawn(process.execPath, [script, dir]);
  said = [];
  errors = '';
  const lines = new LineReader();
  agent.stdout.on('data', (chunk: Buffer) => {
    for (const line of lines.push(chunk)) said.push(parseAgentMessage(line));
  });
  agent.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  await eventually(async () => said.length > 0);
});
afterEach(() => agent.kill('SIGKILL'));

const say = (message: object) => agent.stdin.write(`${JSON.stringify(message)}\n`);
const answerTo = (id: number) =>
  eventually(
    async () =>
      said.find(
        (message) =>
          'id' in message && message.id === id && !('chunk' in message) && !('credit' in message),
      ) ?? null,
  );
const chunksOf = (id: number) =>
  said.filter((message) => 'chunk' in message && message.id === id).length;

describe('the agent', () => {
  it.each(['', '.', '..', 'a/b', 'A', 'x'.repeat(41)])(
    'removes nothing for %j, which is no id of a cluster',
    async (clusterId) => {
      const kept = join(dir, 'clusters', 'demo', 'record');
      await mkdir(kept, { recursive: true });
      for (const [id, method] of ['destroy', 'stopAll', 'look', 'adoptRecord'].entries()) {
        say({ id, method, params: { clusterId, fence: null, files: {} } });
        expect(await answerTo(id)).toMatchObject({ error: { type: 'usage' } });
      }
      expect(existsSync(kept)).toBe(true);
    },
  );

  it('greets, answers at the same time, and ends with its input', async () => {
    expect(said[0]).toMatchObject({ hello: { protocol: 1, pid: agent.pid, dir } });
    say({ id: 1, method: 'list', params: {} });
    say({ id: 2, method: 'no-such', params: {} });
    say({ id: 3, method: 'constructor', params: {} });
    expect(await answerTo(1)).toEqual({ id: 1, result: [] });
    for (const id of [2, 3]) {
      expect(await answerTo(id)).toMatchObject({ error: { type: 'bug' } });
    }
    agent.stdin.end();
    const [code] = await once(agent, 'exit');
    expect(code).toBe(0);
  });

  it('ends at what is no message, and says so', async () => {
    agent.stdin.write('{"id":"one"}\n');
    const [code] = await once(agent, 'exit');
    expect(code).toBe(1);
    expect(errors).toContain('not a message');
  });

  it('drops what belongs to no open request', async () => {
    say({ id: 9, credit: 1 });
    say({ id: 9, cancel: true });
    say({ id: 9, input: 'AAAA' });
    say({ id: 9, end: true });
    agent.stdin.write('\n\n');
    say({ id: 10, method: 'list', params: {} });
    expect(await answerTo(10)).toEqual({ id: 10, result: [] });
  });

  it('G1: sends no more than was consumed, and goes on when it is', async () => {
    const logs = join(dir, 'clusters/demo/logs');
    await mkdir(logs, { recursive: true });
    const line = `${'x'.repeat(40_000)}\n`;
    await writeFile(join(logs, 'jobmanager-0.out'), line.repeat(window * 3));
    const options = { stream: 'out', follow: false, tail: null };
    say({ id: 1, method: 'logs', params: { clusterId: 'demo', process: 'jobmanager-0', options } });
    await eventually(async () => chunksOf(1) === window);
    // Whatever is asked for later is answered first: the other request stands still.
    for (let id = 2; id < 12; id++) {
      say({ id, method: 'list', params: {} });
      await answerTo(id);
    }
    expect(chunksOf(1)).toBe(window);
    say({ id: 1, credit: 3 });
    await eventually(async () => chunksOf(1) === window + 3);
    for (let at = 0; at < window * 3; at++) say({ id: 1, credit: 1 });
    // The agent keeps no more credit than a window.
    await eventually(async () => {
      say({ id: 1, credit: 1 });
      return said.some((message) => 'result' in message && message.id === 1);
    });
    const sent = said.flatMap((message) =>
      'chunk' in message && message.id === 1 ? [Buffer.from(message.chunk, 'base64')] : [],
    );
    expect(Buffer.concat(sent).toString()).toBe(line.repeat(window * 3));
  });

  it('cancels a request that waits for credit, and what runs when the client goes', async () => {
    const logs = join(dir, 'clusters/demo/logs');
    await mkdir(logs, { recursive: true });
    await writeFile(join(logs, 'jobmanager-0.out'), 'x\n');
    const options = { stream: 'out', follow: true, tail: null };
    const params = { clusterId: 'demo', process: 'jobmanager-0', options };
    say({ id: 1, method: 'logs', params });
    say({ id: 2, method: 'logs', params });
    await eventually(async () => chunksOf(1) === 1 && chunksOf(2) === 1);
    say({ id: 1, cancel: true });
    expect(await answerTo(1)).toMatchObject({ id: 1 });
    agent.stdin.end();
    const [code] = await once(agent, 'exit');
    expect(code).toBe(0);
  });
});

describe('lines and messages', () => {
  it('are the same however they are cut', () => {
    const messages = fc.array(fc.record({ id: fc.nat(), result: fc.jsonValue() }), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(messages, fc.array(fc.nat()), (sent, cuts) => {
        const bytes = Buffer.from(sent.map((message) => encodeMessage(message)).join(''));
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
        const sorted = at.sort((a, b) => a - b);
        const reader = new LineReader();
        const lines = sorted
          .slice(1)
          .flatMap((end, index) => reader.push(bytes.subarray(sorted[index], end)));
        expect(lines.map((line) => parseAgentMessage(line))).toEqual(
          JSON.parse(JSON.stringify(sent)),
        );
      }),
    );
  });

  it('G2: end at a line that is too long, whole or in parts', () => {
    expect(() => new LineReader(10).push(Buffer.from('x'.repeat(11)))).toThrow('longer than 10');
    const reader = new LineReader(10);
    reader.push(Buffer.from('xxxxxx\nyyyyyy'));
    expect(() => reader.push(Buffer.from('yyyyyy'))).toThrow('longer than 10');
  });

  it('are messages, or are refused', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        for (const parse of [parseClientMessage, parseAgentMessage]) {
          try {
            expect(parse(line)).toBeTypeOf('object');
          } catch (error) {
            expect((error as Error).message).toMatch(/^not a message: /);
          }
        }
      }),
    );
    for (const line of [
      '{"id":-1,"method":"list","params":{}}',
      '{"id":1,"method":"list"}',
      '{"id":1,"method":"list","params":[]}',
      '{"id":1,"cancel":false}',
      '{"hello":{"protocol":2}}',
    ])
      expect(() => [parseClientMessage(line), parseAgentMessage(line)]).toThrow('not a message');
  });
});
