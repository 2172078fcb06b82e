/** One TaskManager process with two slots: what a job does in one is no matter of the other's. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { TestCluster, type TestClusterOptions } from '../../runtime/taskmanager/cluster.ts';
import {
  endless,
  expectUsable,
  generating,
  type Neighbour,
  startNeighbour,
} from '../../runtime/taskmanager/jobs.ts';

let cluster: TestCluster;
let neighbour: Neighbour;
afterEach(() => cluster.close());

const shortPatience = { cancellationTimeoutMs: 300 };

async function start(options: TestClusterOptions = {}, slots = 2): Promise<void> {
  cluster = new TestCluster(options);
  await cluster.start();
  cluster.taskManager('taskmanager-0', { slots, memoryBytes: 256 * 1024 * 1024 * slots });
  neighbour = await startNeighbour(cluster);
}

const run = (bundle: string, job: string) => cluster.submit(bundle, job, { parallelism: 1 });

/** What ends a job that runs `code`. */
async function failureOf(code: string) {
  const { outcome } = await (await run(endless(code), 'endless')).result();
  expect(outcome.state).toBe('FAILED');
  expect(outcome.error).toMatchObject({
    location: 'taskmanager-0',
    task: expect.stringMatching(/^Source: .* -> Trouble -> .*\(1\/1\)$/),
  });
  return outcome.error!;
}

describe('beside a job that runs out of memory', () => {
  it.each([
    ['a growing Map', 'globalThis.m ??= new Map(); for (;;) m.set(m.size, { n })'],
    ['a growing Set', 'const s = new Set(); for (;;) s.add({ n })'],
    ['a growing array', 'const a = []; for (;;) a.push({ n })'],
    ['one growing string', "let s = ''; for (let i = 0; ; i++) s += i"],
    ['many strings', "const a = []; for (;;) a.push('x'.repeat(1000) + a.length)"],
    ['Buffers', 'for (;;) kept.push(Buffer.alloc(1024 * 1024, 1))'],
    ['one growing Buffer', 'let b = Buffer.alloc(1); for (;;) b = Buffer.concat([b, b])'],
    ['promises', 'for (;;) kept.push(Promise.resolve({ n }))'],
    ['records kept over turns', 'for (let i = 0; i < 2000; i++) kept.push({ n, text: "t" + i })'],
    ['a timer', 'setInterval(() => { for (let i = 0; i < 1e5; i++) kept.push({ i }) }, 1)'],
  ])('by %s a job goes on', async (_name, code) => {
    await start();
    const { message } = await failureOf(code);
    expect(message).toMatch(/^out of memory: slot [01] of job 'endless' used \d+\.\d [MG]iB, /);
    expect(message).toContain('its limit is 208.0 MiB');
    expect(message).toContain('taskmanager.resources.memory');
    await expectUsable(cluster);
    await neighbour.expectUnharmed();
  });
});

describe('beside a job that breaks its thread', () => {
  it.each([
    [
      'calls process.exit',
      'if (n === 10) process.exit(3)',
      /^slot [01] of job 'endless' ended by itself with code 3: .*process\.exit\(\)/,
    ],
    [
      'throws in a timer',
      "if (n === 10) setTimeout(() => { throw new Error('too late') })",
      /^too late \(thrown in a timer, .*: it ended slot [01] of job 'endless'\)$/,
    ],
    [
      'lets a promise reject',
      "if (n === 10) void Promise.reject(new TypeError('unheard'))",
      /^TypeError: unheard \(thrown in .* a promise that nobody awaited: it ended slot/,
    ],
  ])('because it %s, a job goes on', async (_name, code, expected) => {
    await start();
    expect((await failureOf(code)).message).toMatch(expected);
    await expectUsable(cluster);
    await neighbour.expectUnharmed();
  });
});

describe('slots of one TaskManager that are peers', () => {
  it.each([
    ['process.exit', 'if (n === 10) process.exit(3)', 'slot-lost', /process\.exit\(\)/],
    ['memory', 'if (n === 10) for (;;) kept.push({ n })', 'out-of-memory', /^out of memory: slot/],
  ])(
    'tell that one of them ended by %s, and not what the other saw',
    async (_n, code, kind, why) => {
      await start({}, 3);
      const source = endless(code).replace('.map(', '.rebalance().map(');
      const job = await cluster.submit(source, 'endless', { parallelism: 2 });
      const { outcome } = await job.result();
      expect(outcome).toMatchObject({ state: 'FAILED', error: { kind } });
      expect(outcome.error!.message).toMatch(why);
      await neighbour.expectUnharmed();
    },
  );
});

describe('beside a job that spins', () => {
  it.each([
    ['a user function', endless('if (n === 10) for (;;);')],
    ['a source', generating('create: (i) => { if (i === 10) for (;;); return i; }')],
    ['a regular expression', endless("if (n === 10) /^(a+)+$/.test('a'.repeat(50) + 'b')")],
    ['promises', endless('if (n === 10) (function again() { Promise.resolve().then(again) })()')],
  ])('in %s a job goes on, and so do heartbeats', async (_name, bundle) => {
    const heartbeat = { intervalMs: 100, timeoutMs: 1000 };
    await start({ ...shortPatience, heartbeat });
    const bad = await run(bundle, /defineJob\('(\w+)'/.exec(bundle)![1]!);
    await bad.running();
    await neighbour.records(2000); // twice the heartbeat timeout
    cluster.dispatcher.cancel(bad.jobId);
    expect((await bad.result()).outcome.state).toBe('CANCELED');
    await expectUsable(cluster);
    await neighbour.expectUnharmed();
    expect(cluster.logOf('taskmanager-0')).toMatch(
      /"warn".*"slot freed before its tasks ended: user code spins .*"slot":1.*"tasks":"Source/,
    );
  });
});

describe('cancelling', () => {
  const busy = 'const until = performance.now() + 20; while (performance.now() < until);';
  const job = (pipeline: string) => `
import { defineJob, types, DiscardSink, EndOfStreamWindows, GeneratorSource } from 'fctl';
defineJob('busy', (env) => {
  const from = (create, count) => env.fromSource(GeneratorSource.of({ create, count }));
  ${pipeline}.sinkTo(DiscardSink.create());
});`;

  it.each([
    ['a source that never waits', job('from((i) => i).filter(() => false)')],
    ['a source that takes long for each record', job(`from((i) => { ${busy} return i; })`)],
    [
      'a function that takes long for each record',
      job(`from((i) => i).rebalance().map((n) => { ${busy} return n; })`),
    ],
    [
      'windows that take long to fire',
      job(`from((i) => i, 10_000).keyBy((n) => n, types.double).window(EndOfStreamWindows.get())
        .apply((key, window, values, out) => { ${busy} out.collect(key); })`),
    ],
  ])('reaches %s at once', async (_name, bundle) => {
    await start({ cancellationTimeoutMs: 20_000 });
    const bad = await run(bundle, 'busy');
    await bad.running();
    const last = () => cluster.dispatcher.job(bad.jobId)!.view().vertices.at(-1)!.subtasks[0]!;
    await cluster.until(() => last().metrics.busyMs > 300);
    cluster.dispatcher.cancel(bad.jobId);
    expect((await bad.result()).outcome.state).toBe('CANCELED');
    expect(cluster.logOf('taskmanager-0')).not.toMatch(/before its tasks ended/);
    await neighbour.expectUnharmed();
  });
});

describe('a job that has ended', () => {
  it.each([
    ['by itself', 'count: 2000,'],
    ['because it was cancelled', ''],
  ])('%s leaves no timer and no socket behind', async (_name, count) => {
    await start();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const { port } = server.address() as AddressInfo;
    const leaking = `${count} create: (i) => { if (i === 0) leak(); return i; }`;
    const bundle = `
import { connect, createServer } from 'node:net';
function leak() {
  const talk = connect(${port}, '127.0.0.1');
  setInterval(() => talk.write('still here'), 1);
  const idle = createServer((socket) => setInterval(() => socket.write('here too'), 1));
  idle.listen(0, '127.0.0.1', () => connect(idle.address().port, '127.0.0.1'));
}
${generating(leaking)}`;
    const job = await run(bundle, 'generating');
    const [peer] = await connected;
    let received = 0;
    peer.on('data', () => received++);
    peer.on('error', () => {});
    await cluster.until(() => received > 3);
    const closed = once(peer, 'close');
    if (count === '') cluster.dispatcher.cancel(job.jobId);
    expect((await job.result()).outcome.state).toBe(count === '' ? 'CANCELED' : 'FINISHED');
    await closed;
    await expectUsable(cluster);
    await neighbour.expectUnharmed();
    server.close();
  });
});

describe.skipIf(process.platform === 'win32')('native code', () => {
  /** Job `endless`, which does something at its first record, and when it has come so far. */
  const native = (code: string) => {
    const begun = join(cluster.folder, 'begun');
    const bundle = `
import * as fs from 'node:fs';
import { spawnSync } from 'node:child_process';
${endless(`if (n === 0) { ${code.replace('BEGUN', `'${begun}'`)} }`)}`;
    return { bundle, begun: () => cluster.until(() => existsSync(begun)) };
  };
  /** A pipe that nobody writes to: reading it takes for ever. */
  const pipe = () => {
    const file = join(cluster.folder, 'pipe');
    execFileSync('/usr/bin/env', ['mkfifo', file]);
    return file;
  };

  it.each([
    ['a read', () => `fs.readFileSync('${pipe()}')`],
    ['a child process', () => "spawnSync('sleep', ['60'])"],
  ])('that blocks in %s costs the process, in bounded time', async (_name, blocking) => {
    await start(shortPatience);
    const { begun, bundle } = native(`fs.writeFileSync(BEGUN, ''); ${blocking()}`);
    const bad = await run(bundle, 'endless');
    await begun();
    cluster.dispatcher.cancel(bad.jobId);
    expect(await cluster.exits[0]).toBe(239);
    expect(cluster.logOf('taskmanager-0')).toMatch(
      /"TaskManager ends with code 239: slot [01] of job 'endless' hangs in native code/,
    );
    expect((await bad.result()).outcome.state).toBe('CANCELED');
    const lost = await cluster.dispatcher.result(neighbour.jobId, 10_000);
    expect(lost?.outcome?.error?.message).toMatch(
      /^TaskManager taskmanager-0 was lost: .*slot [01] of job 'endless' hangs in native code/,
    );
  });

  it('that waits in the thread pool leaves something of it to others', async () => {
    await start({}, 3);
    const code = `for (let i = 0; i < 6; i++) fs.readFile('${pipe()}', () => {});`;
    const { begun, bundle } = native(`${code} fs.writeFile(BEGUN, '', () => {})`);
    await run(bundle, 'endless');
    await begun();
    await expectUsable(cluster); // loading its bundle needs the pool
    await neighbour.expectUnharmed();
  });

  it('that goes on in the background after its job has ended harms nobody', async () => {
    await start(shortPatience);
    // The thread pool begins in the order in which it was asked.
    const code = `fs.readFile('${pipe()}', () => {}); fs.writeFile(BEGUN, '', () => {})`;
    const { begun, bundle } = native(code);
    const bad = await run(bundle, 'endless');
    await begun();
    cluster.dispatcher.cancel(bad.jobId);
    expect((await bad.result()).outcome.state).toBe('CANCELED');
    await expectUsable(cluster);
    await neighbour.expectUnharmed();
    // The thread is still there: an ordinary exit would wait for it.
    cluster.processes[0]!.kill('SIGTERM');
    expect(await cluster.exits[0]).toBe(143);
  });
});
