import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { TaskManagerConfig } from '../../../src/contract/runtime-config.ts';
import { ProcessExit } from '../../../src/contract/process-exit.ts';
import { isAlive } from '../jobmanager/processes.ts';
import { TestCluster } from './cluster.ts';
import { endless, generating } from './jobs.ts';

let cluster: TestCluster;
afterEach(() => cluster.close());

async function startCluster(
  taskManagers: number,
  over: Partial<TaskManagerConfig> = {},
): Promise<void> {
  cluster = new TestCluster();
  await cluster.start();
  for (let i = 0; i < taskManagers; i++) cluster.taskManager(`taskmanager-${i}`, over);
}

describe('user code that fails', () => {
  it('fails the job with message, task and a stack in its own files', async () => {
    await startCluster(1);
    // A bundle with a source map, as packaging makes it: line 3 column 9 of the code is src/app.ts:12:5.
    const code = [
      "import { defineJob, CollectionSource, DiscardSink } from 'fctl';",
      'const explode = (n) => {',
      "  throw new TypeError('boom ' + n);",
      '};',
      "defineJob('failing', (env) => {",
      '  env.fromSource(CollectionSource.of([7])).map(explode).sinkTo(DiscardSink.create());',
      '});',
      '',
    ].join('\n');
    // Generated line 3, column 8 → source 0, line 12, column 5 (0-based 11, 4).
    const map = { version: 3, sources: ['src/app.ts'], names: [], mappings: ';;QAWI' };
    const inline = Buffer.from(JSON.stringify(map)).toString('base64');
    const bundle = `${code}//# sourceMappingURL=data:application/json;base64,${inline}\n`;
    const { outcome } = await (
      await cluster.submit(bundle, 'failing', { parallelism: 1 })
    ).result();
    expect(outcome.state).toBe('FAILED');
    expect(outcome.error?.message).toContain('TypeError: boom 7');
    expect(outcome.error?.task).toMatch(/^Source: .* -> Map.*\(1\/1\)$/);
    expect(outcome.error?.location).toBe('taskmanager-0');
    expect(outcome.error?.kind).toBe('user-code');
    const [first, second, ...rest] = (outcome.error?.stack ?? '').split('\n');
    expect(first).toBe('TypeError: boom 7');
    expect(second).toMatch(/at explode \(src\/app\.ts:12:5\)$/);
    expect(rest).toEqual([]);
  });

  it('of which the result is too large for a message fails its job', async () => {
    await startCluster(1);
    const bundle = `
import { CollectSink, defineJob, GeneratorSource } from 'fctl';
defineJob('large', (env) => {
  const text = '\u4e2d'.repeat(1024 * 1024);
  const stream = env.fromSource(GeneratorSource.of({ count: 12, create: (i) => i + text }));
  for (const name of ['a', 'b']) stream.sinkTo(CollectSink.named(name));
});`;
    const job = await cluster.submit(bundle, 'large', { parallelism: 1 });
    const { outcome } = await job.result();
    expect(outcome).toMatchObject({
      state: 'FAILED',
      error: {
        message: expect.stringMatching(/^the task ended as FINISHED, but what it reports is too/),
        task: expect.stringContaining('(1/1)'),
      },
    });
  });

  it('is told of the operator whose value is not of the type that it declares', async () => {
    await startCluster(1);
    const bundle = `
import { defineJob, types, CollectionSource, CollectSink } from 'fctl';
defineJob('wrong', (env) => {
  env.fromSource(CollectionSource.of([7]))
    .map((n) => ({ n: n / 2 }), { type: types.record({ n: types.int32 }), name: 'Half' })
    .filter(() => true)
    .sinkTo(CollectSink.named('all'));
});`;
    const job = await cluster.submit(bundle, 'wrong', { parallelism: 1 });
    const { outcome } = await job.result();
    expect(outcome.error?.message).toBe(
      "TypeError: /n: expected int32, got number 3.5 (in 'Half')",
    );
  });

  it('refuses a builder that makes another graph in each process', async () => {
    await startCluster(1);
    const bundle = `
import { defineJob, GeneratorSource, DiscardSink } from 'fctl';
defineJob('dice', (env) => {
  const stream = env.fromSource(GeneratorSource.of({ count: 1, create: (i) => i }));
  (process.title === 'submitter' ? stream : stream.filter(() => true)).sinkTo(DiscardSink.create());
});`;
    const { title } = process;
    process.title = 'submitter';
    const job = await cluster.submit(bundle, 'dice', { parallelism: 1 });
    process.title = title;
    const { outcome } = await job.result();
    expect(outcome.error?.message).toMatch(/builder of job 'dice' is not deterministic/);
  });

  it('that only makes garbage is left alone', async () => {
    await startCluster(1, { memoryBytes: 192 * 1024 * 1024 });
    const bundle = `
import { defineJob, GeneratorSource, CollectSink, EndOfStreamWindows } from 'fctl';
defineJob('garbage', (env) => {
  env.fromSource(GeneratorSource.of({ count: 3000, create: (i) => i }))
    .map((n) => { const a = []; for (let i = 0; i < 10000; i++) a.push({ n, i }); return a.length; })
    .windowAll(EndOfStreamWindows.get())
    .reduce((a, b) => a + b)
    .sinkTo(CollectSink.named('sum'));
});`;
    const { outcome, collected } = await (
      await cluster.submit(bundle, 'garbage', { parallelism: 1 })
    ).result();
    expect(outcome.error).toBeNull();
    expect(collected['sum']).toEqual([30_000_000]);
  });
});

describe('a sink that prints', () => {
  it('holds its source back: what comes without end does not stay in memory', async () => {
    await startCluster(1, { memoryBytes: 192 * 1024 * 1024 });
    const bundle = `
import { defineJob, GeneratorSource, PrintSink } from 'fctl';
defineJob('flood', (env) => {
  env.fromSource(GeneratorSource.of({ create: (i) => 'line ' + i + ' ' + 'x'.repeat(1000) })).sinkTo(PrintSink.create());
});`;
    const job = await cluster.submit(bundle, 'flood', { parallelism: 1 });
    await job.running();
    const written = () => {
      const { vertices } = cluster.dispatcher.job(job.jobId)!.view();
      return vertices[0]!.subtasks[0]!.metrics?.recordsOut ?? 0;
    };
    // More than the slot's memory has room for.
    await cluster.until(
      () => cluster.dispatcher.job(job.jobId)!.view().state !== 'RUNNING' || written() > 400_000,
    );
    expect(cluster.dispatcher.job(job.jobId)!.view()).toMatchObject({
      state: 'RUNNING',
      exceptions: [],
    });
    cluster.dispatcher.cancel(job.jobId);
    expect((await job.result()).outcome.state).toBe('CANCELED');
  });

  it('has printed all when its job has finished', async () => {
    await startCluster(1);
    const bundle = `
import { defineJob, GeneratorSource, PrintSink } from 'fctl';
defineJob('many', (env) => {
  env.fromSource(GeneratorSource.of({ count: 20000, create: (i) => 'line ' + i })).sinkTo(PrintSink.create());
});`;
    const job = await cluster.submit(bundle, 'many', { parallelism: 1 });
    expect((await job.result()).outcome.error).toBeNull();
    expect(cluster.logOf('taskmanager-0', 'out').match(/^line /gm)).toHaveLength(20_000);
  });
});

describe('cancel', () => {
  it('reaches tasks that wait, and tasks under back pressure', async () => {
    await startCluster(2);
    const bundle = `
import { defineJob, GeneratorSource, DiscardSink } from 'fctl';
defineJob('pressed', (env) => {
  env.fromSource(GeneratorSource.of({ create: (i) => 'x'.repeat(1000) + i }))
    .rebalance()
    .map((text) => { const end = Date.now() + 5; while (Date.now() < end); return text; })
    .sinkTo(DiscardSink.create());
});`;
    const job = await cluster.submit(bundle, 'pressed', { parallelism: 2 });
    await job.running();
    await cluster.until(() =>
      cluster.dispatcher
        .job(job.jobId)!
        .view()
        .vertices.some((v) => v.subtasks.some((s) => (s.metrics?.backPressuredMs ?? 0) > 100)),
    );
    cluster.dispatcher.cancel(job.jobId);
    const { outcome } = await job.result();
    expect(outcome.state).toBe('CANCELED');
  });
});

describe('the process', () => {
  it('gives what user code prints to its .out file', async () => {
    await startCluster(1);
    const bundle = `
import { defineJob, CollectionSource, PrintSink } from 'fctl';
defineJob('printing', (env) => {
  env.fromSource(CollectionSource.of(['one'])).map((t) => { console.log('logged', t); return t; }).sinkTo(PrintSink.create());
});`;
    const { outcome } = await (
      await cluster.submit(bundle, 'printing', { parallelism: 1 })
    ).result();
    expect(outcome.error).toBeNull();
    await cluster.until(() => /logged one/.test(cluster.logOf('taskmanager-0', 'out')));
    expect(cluster.logOf('taskmanager-0', 'out')).toMatch(/^one$/m);
  });

  it('ends by itself without a JobManager, while user code spins', async () => {
    await startCluster(1, { registrationTimeoutMs: 500 });
    const job = await cluster.submit(endless('if (n === 10) for (;;);'), 'endless', {
      parallelism: 1,
    });
    await job.running();
    cluster.loseJobManager();
    expect(await cluster.exits[0]).toBe(ProcessExit.noJobManager);
    expect(cluster.logOf('taskmanager-0')).toMatch(/found no JobManager for 500 ms/);
  });

  it.each([
    ['ends at once when its cluster has ended', 0, 60_000, ProcessExit.over, /cluster has ended/],
    [
      'goes on searching when only an earlier run has ended',
      1,
      700,
      ProcessExit.noJobManager,
      /found no JobManager for 700/,
    ],
  ])('%s', async (_name, afterEpoch, registrationTimeoutMs, exit, log) => {
    await startCluster(0);
    cluster.loseJobManager();
    const hash = 'a'.repeat(64);
    const before = { release: hash, afterEpoch: -1 };
    await cluster.record('releases', { releases: [before, { release: hash, afterEpoch }] });
    await cluster.record('outcome', { status: 'SUCCEEDED', epoch: 1 });
    cluster.taskManager('taskmanager-0', { registrationTimeoutMs });
    expect(await cluster.exits[0]).toBe(exit);
    expect(cluster.logOf('taskmanager-0')).toMatch(log);
  });

  it('exits 0 when it is dismissed, and with 143 on SIGTERM: to be started again after a reboot, say', async () => {
    await startCluster(2);
    await cluster.until(() => cluster.resources.taskManagers.length === 2);
    const first = cluster.resources.taskManagers.find(({ name }) => name === 'taskmanager-0')!;
    await first.connection.call('dismiss');
    expect(await cluster.exits[0]).toBe(0);
    cluster.processes[1]!.kill('SIGTERM');
    expect(await cluster.exits[1]).toBe(143);
  });

  it('exits with 1 when it cannot start', async () => {
    await startCluster(0);
    rmSync(join(cluster.folder, 'token'));
    cluster.taskManager('taskmanager-0');
    expect(await cluster.exits[0]).toBe(ProcessExit.failed);
  });

  it('lets its JobManager go first where its platform ends both, for that would fail the job', async () => {
    await startCluster(1);
    const job = await cluster.submit(endless(''), 'endless', { parallelism: 1 });
    await job.running();
    cluster.processes[0]!.kill('SIGTERM');
    await cluster.until(() => cluster.logOf('taskmanager-0').includes('its JobManager goes first'));
    cluster.loseJobManager();
    expect(await cluster.exits[0]).toBe(143);
    expect(cluster.logOf('taskmanager-0')).toContain('lost the JobManager');
  });

  it('that is killed fails the tasks of its peers', async () => {
    await startCluster(2);
    const bundle = `
import { defineJob, GeneratorSource, DiscardSink } from 'fctl';
defineJob('peers', (env) => {
  env.fromSource(GeneratorSource.of({ create: (i) => i, ratePerSecond: 100 })).rebalance().map((n) => n).sinkTo(DiscardSink.create());
});`;
    const job = await cluster.submit(bundle, 'peers', { parallelism: 2 });
    await job.running();
    const killed = cluster.processes[0]!;
    killed.kill('SIGKILL');
    const { outcome } = await job.result();
    expect(outcome.state).toBe('FAILED');
    expect(outcome.error?.message).toMatch(/taskmanager-0/);
    expect(isAlive(killed.pid!)).toBe(false);
    await cluster.until(() => /data connection .* is lost/.test(cluster.logOf('taskmanager-1')));
  });

  it('refuses a bundle that was damaged on its way', async () => {
    await startCluster(1);
    cluster.damageBundles();
    const { outcome } = await (
      await cluster.submit(generating(''), 'generating', { parallelism: 1 })
    ).result();
    expect(outcome.error?.message).toMatch(/damaged on its way/);
  });
});
