/** Session mode through the built CLI, on real processes. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/contract/json.ts';
import { DocumentName } from '../../src/record/documents.ts';
import { createFileStore } from '../../src/record/drivers/file.ts';
import { readDocument } from '../../src/record/record.ts';
import { type Answer, Project, eventually, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
  await project.write('src/app.ts', app);
});
afterEach(() => project.remove());

const app = `${imports}
export const small = defineJob('small', (env) => {
  env.fromSource(CollectionSource.of([1, 2, 3])).map((x) => x * 2).sinkTo(CollectSink.named('out'));
});
export const endless = defineJob('endless', (env) => {
  env.fromSource(GeneratorSource.of({ count: 1e6, create: (i) => i, ratePerSecond: 100 })).sinkTo(DiscardSink.create());
});
export const broken = defineJob('broken', (env) => {
  env.fromSource(CollectionSource.of([1])).map(() => { throw new Error('boom'); }).sinkTo(DiscardSink.create());
});
export async function main(ctx) {
  const result = await ctx.execute(small);
  console.log('collected ' + JSON.stringify(result.collected('out')));
  const handle = await ctx.executeAsync(endless);
  console.log('status ' + (await handle.status()));
  await handle.cancel();
  await handle.result().catch((error) => console.log('ended: ' + error.outcome.state));
}`;

const jobsOf = (answer: { json: { data: { jobs: unknown } } }) =>
  answer.json.data.jobs as { name: string; state: string; jid: string }[];

async function states(): Promise<string[]> {
  const status = await project.run('session', 'status', 'demo');
  return jobsOf(status).map((job) => `${job.name} ${job.state}`);
}

describe('a session', () => {
  it('gets no application where the config has none, and says so', async () => {
    await project.write('fctl.config.yaml', 'cluster: demo\n');
    await project.run('session', 'start');
    const { exitCode, json } = await project.run('session', 'submit');
    expect(exitCode).toBe(3);
    expect(json.errors).toMatchObject([{ code: 'missing', path: '/application' }]);
  });

  it('that another version of fctl recorded is scaled all the same, or refused', async () => {
    await project.run('session', 'start');
    await changeConfig((config) => ({ ...config, later: { a: 1 }, retired: true }));
    const scaled = await project.run('scale', '--taskmanagers', '2');
    expect(scaled.exitCode).toBe(0);
    expect(scaled.stderr).toContain('/later');
    expect(scaled.stderr).toContain('/retired');
    await changeConfig((config) => ({ ...config, retention: { hours: 1 } }));
    for (const line of ['scale --taskmanagers 1', 'restart']) {
      const { exitCode, json } = await project.run(...line.split(' '));
      expect([line, exitCode]).toEqual([line, 8]);
      expect(json.errors[0]).toMatchObject({
        code: 'recorded-by-another-version',
        path: '/retention',
      });
    }
    const back = await project.run('rollback', '1');
    expect([back.exitCode, back.stderr.includes('/later')]).toEqual([0, true]);
    expect((await project.run('status')).json.data.state).toBe('RUNNING');
  });

  it('is started once, runs main() here and jobs there, and ends when it is told to', async () => {
    const start = await project.run('session', 'start', '--slots', '2');
    expect(start.json.data).toMatchObject({ clusterId: 'demo', changed: true, slots: 2 });
    const again = await project.run('session', 'start', '--slots', '2');
    expect(again.json.data.changed).toBe(false);

    const first = await project.run('session', 'submit');
    expect(first.exitCode).toBe(0);
    expect(first.stderr).toContain('collected [2,4,6]');
    expect(first.stderr).toMatch(/status (CREATED|RUNNING|INITIALIZING)/);
    expect(first.stderr).toContain('ended: CANCELED');
    expect(first.json.data.uploadedBytes).toBeGreaterThan(0);
    const second = await project.run('session', 'submit');
    expect(second.json.data.uploadedBytes).toBe(0);

    const list = await project.run('session', 'list');
    expect(list.json.data.clusters).toMatchObject([{ clusterId: 'demo', mode: 'session' }]);
    const stop = await project.run('session', 'stop');
    expect(stop.exitCode).toBe(0);
    expect(stop.json.data.outcome.jobs).toEqual([]); // those that its end cancelled
    await eventually(() => project.running().length === 0);
    expect((await project.run('session', 'status')).json.data.state).toBe('SUCCEEDED');
  });

  it('is not stopped while jobs run, unless they are to be cancelled', async () => {
    await project.run('session', 'start');
    const submit = await project.run('session', 'submit', '--job', 'endless', '--detach');
    expect(submit.json.data).toMatchObject({ detached: true, result: 'succeeded' });
    await eventually(async () => (await states()).includes('endless RUNNING'));
    const refused = await project.run('session', 'stop');
    expect(refused.exitCode).toBe(8);
    expect(refused.json.errors[0]).toMatchObject({ code: 'jobs-running' });
    expect(refused.json.errors[0]!.message).toContain('endless');
    expect((await project.run('cancel', 'demo')).exitCode).toBe(8); // a session is not cancelled
    expect(await states()).toEqual(['endless RUNNING']);
    const stop = await project.run('session', 'stop', '--cancel');
    expect(stop.json.data.outcome.jobs).toMatchObject([{ name: 'endless', state: 'CANCELED' }]);
    await eventually(() => project.running().length === 0);
  });

  it('survives a job that fails, and says what failed', async () => {
    await project.run('session', 'start');
    const failed = await project.run('session', 'submit', '--job', 'broken');
    expect(failed.exitCode).toBe(6);
    expect(failed.json.errors[0]!.message).toContain('boom');
    expect(failed.json.errors[0]!.message).toContain('src/app.ts:9');
    expect((await project.run('session', 'submit', '--job', 'small')).exitCode).toBe(0);
  });

  it('is scaled without touching what runs, also where the config file is not', async () => {
    await project.run('session', 'start', '--slots', '1');
    await project.run('session', 'submit', '--job', 'endless', '--detach');
    const pid = project.pid('taskmanager-0');
    await project.write('fctl.config.yaml', 'cluster: demo\n');
    const grown = await project.run('session', 'scale', '--taskmanagers', '3');
    expect(grown.exitCode).toBe(0);
    expect(grown.json.data).toMatchObject({ changed: true, taskManagers: 3 });
    const shrunk = await project.run('session', 'scale', '--taskmanagers', '2');
    expect(shrunk.json.data.plan.actions.map((a: { kind: string }) => a.kind).sort()).toEqual([
      'none',
      'none',
      'none',
      'scale',
    ]);
    expect(project.pid('taskmanager-0')).toBe(pid);
    expect(await states()).toEqual(['endless RUNNING']);
  });

  it('queues a job that finds no slot, and runs it when one is free', async () => {
    await project.run('session', 'start');
    const first = await project.run('session', 'submit', '--job', 'endless', '--detach');
    const waiting = project.start(['session', 'submit', '--job', 'small', '--json']);
    await eventually(async () => (await states()).length === 2);
    expect((await states()).filter((s) => s.endsWith('RUNNING'))).toContain('endless RUNNING');
    await project.run('cancel', 'demo', '--job', first.json.data.jobs[0].jobId);
    const { exitCode } = await waiting;
    expect(exitCode).toBe(0);
    expect((await states()).sort()).toEqual(['endless CANCELED', 'small FINISHED']);
  });

  it('keeps jobs of a client that was killed, and of one that was interrupted', async () => {
    await project.run('session', 'start', '--slots', '2');
    for (const signal of ['SIGKILL', 'SIGINT'] as const) {
      const client = project.start(['session', 'submit', '--job', 'endless']);
      const count = signal === 'SIGKILL' ? 1 : 2;
      await eventually(async () => (await states()).length === count);
      client.kill(signal);
      const { exitCode, stderr } = await client;
      if (signal === 'SIGINT') {
        expect(exitCode).toBe(130);
        expect(stderr).toContain('fctl cancel demo --job');
      }
    }
    expect(await states()).toHaveLength(2);
    await project.run('session', 'stop', '--cancel');
    await eventually(() => project.running().length === 0);
  });

  it('takes an application without fctl, as the file that fctl made of it', async () => {
    await project.run('session', 'start', '--slots', '2');
    const bundle = await project.run('bundle', 'out.mjs');
    expect([bundle.exitCode, bundle.stderr]).toEqual([0, '']);
    const file = join(project.folder, 'out.mjs');
    expect(bundle.json.data).toMatchObject({ file, hash: expect.stringMatching(/^[\da-f]{64}$/) });

    const proxy = project.start(['proxy', 'demo', '--json']);
    const [said] = (await once(proxy.stdout, 'data')) as [Buffer];
    const { url } = (JSON.parse(said.toString()) as Answer['json']).data as { url: string };
    const form = new FormData();
    form.set('jarfile', new File([await readFile(file)], 'out.mjs'));
    const post = async (path: string, body: FormData | string) => {
      const answer = await fetch(url + path, { method: 'POST', body });
      return (await answer.json()) as { filename: string; jobid: string };
    };
    const { filename } = await post('/jars/upload', form);
    const run = JSON.stringify({ entryClass: 'main' });
    const { jobid } = await post(`/jars/${filename.split('/').at(-1)}/run`, run);
    await eventually(async () => (await states()).includes('endless CANCELED'));
    const status = await project.run('session', 'status', 'demo');
    expect(jobsOf(status).find((job) => job.jid === jobid)).toMatchObject({
      name: 'small',
      state: 'FINISHED',
    });
    const out = project.start(['logs', 'demo', 'jobmanager-0', '--out']);
    expect((await out).stdout).toContain('collected [2,4,6]');
    proxy.kill('SIGINT');
    await proxy;
  });

  it('resolves relative paths in the folder of whoever submits', async () => {
    await project.run('session', 'start');
    await project.write('elsewhere/in.csv', 'a,b\n1,2\n');
    await project.write(
      'elsewhere/app.ts',
      `${imports}
export const copy = defineJob('copy', (env) => {
  env.fromSource(FileSource.text('in.csv')).sinkTo(FileSink.text('out'));
});`,
    );
    const { exitCode, json } = await project.run('session', 'submit', 'elsewhere/app.ts');
    expect(json.errors).toEqual([]);
    expect(exitCode).toBe(0);
    const file = join(project.folder, 'elsewhere/out/part-0.txt');
    await expect(readFile(file, 'utf8')).resolves.toBe('a,b\n1,2\n');
  });
});

describe('what is no session', () => {
  it.each([
    [['session', 'submit'], 7],
    [['session', 'stop'], 7],
    [['session', 'scale', '--taskmanagers', '2'], 7],
    [['session', 'start', '--slots', 'many'], 2],
    [['session', 'scale'], 2],
    [['deploy', '--mode', 'session'], 2],
  ])('%j is answered with exit code %i', async (args, code) => {
    const { exitCode, json } = await project.run(...args);
    expect(exitCode).toBe(code);
    expect(json.errors[0]!.hint).not.toBe(null);
  });

  it('is not submitted to: an application cluster', async () => {
    await project.write(
      'src/app.ts',
      app
        .replace(/export async function main[^]*/, '')
        .replace(/export const (small|broken)[^]*?\n\}\);/g, ''),
    );
    await project.run('deploy', '--detach');
    const { exitCode, json } = await project.run('session', 'submit');
    expect(exitCode).toBe(8);
    expect(json.errors[0]).toMatchObject({ code: 'no-session' });
  });
});

/** As another version might have recorded the configuration of the newest release. */
async function changeConfig(change: (config: JsonObject) => JsonObject): Promise<void> {
  const store = createFileStore(join(project.home, 'clusters/demo/record'));
  const { value, version } = await readDocument(store, DocumentName.releases);
  const releases = value!.releases.map((entry, index, all) =>
    index < all.length - 1 ? entry : { ...entry, config: change(entry.config) },
  );
  await store.write(DocumentName.releases, { ...value, releases }, version);
}
