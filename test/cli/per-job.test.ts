/** Per-job mode through the built CLI: a cluster for each job, which leaves only outcome and logs. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project, eventually, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
  await project.configure('mode: per-job');
});
afterEach(async () => {
  for (const { clusterId } of await clusters()) {
    await project.start(['destroy', clusterId, '--yes']);
  }
  await project.remove();
});

const app = (main: string) => `${imports}
export const small = defineJob('small', { args: types.record({ n: types.int32 }) }, (env, { n }) => {
  env.fromSource(CollectionSource.of([n])).map((x) => x * 2).sinkTo(CollectSink.named('out'));
});
export const endless = defineJob('endless', (env) => {
  env.fromSource(GeneratorSource.of({ count: 1e6, create: (i) => i, ratePerSecond: 100 })).sinkTo(DiscardSink.create());
});
export async function main(ctx) {
${main}
}`;

interface Cluster {
  readonly clusterId: string;
  readonly state: string;
  readonly mode: string;
}

/** Of all clusters, and each only as far as it says what it is: `demo-ab12-1/record`. */
const leftovers = () =>
  readdirSync(join(project.folder, 'home/clusters')).flatMap((clusterId) =>
    readdirSync(join(project.folder, 'home/clusters', clusterId)).map(
      (name) => `${clusterId}/${name}`,
    ),
  );

const clusters = async () => (await project.run('list')).json.data.clusters as readonly Cluster[];

describe('per-job mode', () => {
  it('gives every job a cluster of its own, which leaves its outcome and its logs', async () => {
    await project.write(
      'src/app.ts',
      app(`  const first = await ctx.execute(small, { n: 1 });
  const handles = [await ctx.executeAsync(small, { n: 2 }), await ctx.executeAsync(small, { n: 3 })];
  const all = [first, ...(await Promise.all(handles.map((h) => h.result())))];
  console.log('collected ' + JSON.stringify(all.map((r) => r.collected('out'))));`),
    );
    const { exitCode, json, stderr } = await project.run('deploy');
    expect(json.errors).toEqual([]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('collected [[2],[4],[6]]');
    const jobs = json.data.jobs as { clusterId: string; outcome: { state: string } }[];
    expect(jobs.map((job) => job.outcome.state)).toEqual(['FINISHED', 'FINISHED', 'FINISHED']);
    expect(new Set(jobs.map((job) => job.clusterId)).size).toBe(3);

    await eventually(() => project.running().length === 0);
    // No bundles, blobs, secrets, working files, or what processes were started with.
    expect(leftovers()).toEqual(
      jobs.flatMap(({ clusterId }) => [`${clusterId}/logs`, `${clusterId}/record`]).sort(),
    );
    const { clusterId } = jobs[0]!;
    const status = await project.run('status', clusterId);
    expect(status.json.data).toMatchObject({ state: 'SUCCEEDED', cluster: { mode: 'per-job' } });
    const { stdout: logs } = await project.start(['logs', clusterId]);
    expect(logs).toContain('jobmanager-0 ');
    expect(logs).toContain('taskmanager-0 ');
  });

  it('brings cached files from here to each cluster, and takes nothing else with its retention', async () => {
    await project.configure('mode: per-job', 'retention: 1s');
    await project.write('words.txt', 'hello');
    await project.write(
      'src/app.ts',
      `${imports}
import { readFileSync } from 'node:fs';
export const reading = defineJob('reading', (env) => {
  env.registerCachedFile('words.txt', 'words');
  env.fromSource(CollectionSource.of([1]))
    .map((_, context) => readFileSync(context.distributedCache.getFile('words'), 'utf8'))
    .sinkTo(CollectSink.named('out'));
});
export async function main(ctx) {
  for (let i = 0; i < 2; i++) console.log('read ' + (await ctx.execute(reading)).collected('out'));
}`,
    );
    const { json, stderr } = await project.run('deploy');
    expect(json.errors).toEqual([]);
    expect(stderr.match(/read hello/g)).toHaveLength(2);
    expect(json.data.uploadedBytes).toBe(2 * 'hello'.length);
    await eventually(() => project.running().length === 0);
    await eventually(async () => {
      await project.run('prune', '--yes');
      return (await clusters()).length === 0;
    });
    await expect(readdir(join(project.folder, 'home/clusters'))).resolves.toEqual([]);
  });

  it('fails the submission for a cached file that is missing here', async () => {
    await project.write(
      'src/app.ts',
      `${imports}
export const reading = defineJob('reading', (env) => {
  env.registerCachedFile('gone.txt', 'words');
  env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create());
});`,
    );
    const { exitCode, json } = await project.run('deploy');
    expect(exitCode).toBe(6);
    expect(json.errors[0]!.message).toContain(join(project.folder, 'gone.txt'));
    expect(json.errors[0]!.message).toContain('in per-job mode it is looked for on this machine');
    expect(await clusters()).toEqual([]);
  });

  it('tells the failure of a job as that of the application, with the place in the file', async () => {
    await project.write(
      'src/app.ts',
      `${imports}
export const broken = defineJob('broken', (env) => {
  env.fromSource(CollectionSource.of([1])).map(() => { throw new Error('boom'); }).sinkTo(DiscardSink.create());
});`,
    );
    const { exitCode, json } = await project.run('deploy');
    expect(exitCode).toBe(6);
    expect(json.errors[0]!.message).toContain('boom');
    expect(json.errors[0]!.message).toContain('src/app.ts:3');
    const [cluster] = await clusters();
    expect(cluster).toMatchObject({ state: 'FAILED', mode: 'per-job' });
  });

  it('overlaps the clusters of executeAsync and ends them with --detach in nobody’s presence', async () => {
    await project.write(
      'src/app.ts',
      app('  await ctx.executeAsync(endless); await ctx.executeAsync(endless);'),
    );
    const { exitCode, json } = await project.run('deploy', '--detach');
    expect(exitCode).toBe(0);
    expect(json.data.jobs).toHaveLength(2);
    const running = await clusters();
    expect(running.map((c) => c.state)).toEqual(['RUNNING', 'RUNNING']);
    for (const { clusterId } of running) {
      expect((await project.run('cancel', clusterId)).exitCode).toBe(0);
    }
    await eventually(() => project.running().length === 0);
    expect((await clusters()).map((c) => c.state)).toEqual(['CANCELED', 'CANCELED']);
  });

  it('leaves the job of a client that was killed running, for fctl to find', async () => {
    await project.write('src/app.ts', app('  await ctx.execute(endless);'));
    const client = project.start(['deploy']);
    await eventually(
      async () => (await clusters())[0]?.state === 'RUNNING' && (await jobCount()) === 1,
    );
    client.kill('SIGKILL');
    await client;
    const [cluster] = await clusters();
    expect(cluster).toMatchObject({ state: 'RUNNING', mode: 'per-job' });
    expect((await project.run('cancel', cluster!.clusterId)).exitCode).toBe(0);
    await eventually(() => project.running().length === 0);
  });

  it('detaches on Ctrl-C and says how to go on', async () => {
    await project.write('src/app.ts', app('  await ctx.execute(endless);'));
    const client = project.start(['deploy', '--json']);
    await eventually(async () => (await jobCount()) === 1);
    client.kill('SIGINT');
    const { exitCode, stdout } = await client;
    expect(exitCode).toBe(130);
    const [cluster] = await clusters();
    const [error] = (JSON.parse(stdout) as { errors: { code: string; hint: string }[] }).errors;
    expect(error).toMatchObject({ code: 'detached' });
    expect(error!.hint).toContain(`fctl cancel ${cluster!.clusterId}`);
    expect(cluster!.state).toBe('RUNNING');
  });
});

const hasScript = spawnSync('script', ['--version']).stdout?.includes('util-linux') ?? false;

describe.skipIf(!hasScript)('Ctrl-C on a terminal', () => {
  it.each([
    ['y', 'CANCELED', / cancelled/],
    ['n', 'RUNNING', /goes on; main\(\) ended/],
  ])('asks whether to cancel the job: %s', async (answer, state, says) => {
    await project.write('src/app.ts', app('  await ctx.execute(endless);'));
    const client = project.terminal('deploy');
    await eventually(async () => (await jobCount()) === 1);
    client.stdin.write('\x03');
    await client.shows(/Cancel demo-\w+-1\? .*\[y\/N\]/);
    client.stdin.write(`${answer}\n`);
    expect(await client.ended).toBe(130);
    await client.shows(says);
    expect((await clusters())[0]!.state).toBe(state);
    if (state === 'CANCELED') await eventually(() => project.running().length === 0);
  });
});

async function jobCount(): Promise<number> {
  const [cluster] = await clusters();
  if (cluster === undefined) return 0;
  const status = await project.run('status', cluster.clusterId);
  return ((status.json.data?.jobs ?? []) as unknown[]).length;
}
