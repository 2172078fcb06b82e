/**
 * A client that is killed at each step of `deploy --mode per-job`: `main()` goes with it, what was submitted
 * goes on, what was not ends by itself, and fctl finds all of it.
 */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project, eventually, imports } from '../../cli/project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
  await project.configure('mode: per-job', 'jobmanager: { submissionTimeout: 2s }');
  await project.write('words.txt', 'hello');
  await project.write('src/app.ts', app);
});
afterEach(async () => {
  for (const { clusterId } of await clusters()) await project.run('destroy', clusterId, '--yes');
  await project.remove();
});

const app = `${imports}
export const first = defineJob('first', (env) => {
  env.registerCachedFile('words.txt', 'words');
  env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create());
});
export const second = defineJob('second', (env) => {
  env.fromSource(GeneratorSource.of({ count: 1e6, create: (i) => i, ratePerSecond: 100 })).sinkTo(DiscardSink.create());
});
export async function main(ctx) {
  await ctx.execute(first);
  await ctx.execute(second);
}`;

interface Cluster {
  readonly clusterId: string;
  readonly state: string;
}

const clusters = async () => (await project.run('list')).json.data.clusters as readonly Cluster[];

/** Processes of `main()` that work in the project's folder. */
const mains = () =>
  readdirSync('/proc').filter((pid) => {
    try {
      return (
        readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('application.js') &&
        readlinkSync(`/proc/${pid}/cwd`) === project.folder
      );
    } catch {
      return false;
    }
  });

/** Kills a client when its progress shows `step` for the n-th time. */
async function killAt(step: string, n: number): Promise<void> {
  const client = project.start(['deploy']);
  let seen = '';
  await new Promise<void>((resolve, reject) => {
    client.stderr!.on('data', (chunk: Buffer) => {
      seen += String(chunk);
      if (seen.split(step).length > n) resolve();
    });
    client.stderr!.on('end', () => reject(new Error(`'${step}' was never shown:\n${seen}`)));
  });
  client.kill('SIGKILL');
  await client;
}

it.each([
  ['Bundling', 1],
  ['Cluster demo-', 1],
  ['Uploaded application bundle', 1],
  ['create jobmanager-0', 1],
  ['create taskmanager-0', 1],
  ['Waiting for the JobManager', 1],
  ['The cluster is up', 1],
  ['Uploaded words.txt', 1],
  ['Submitted first', 1],
  ['Cluster demo-', 2],
  ['create taskmanager-0', 2],
  ['The cluster is up', 2],
])(
  "at '%s' (%i): leaves nothing that does not end by itself",
  async (step, n) => {
    await killAt(step, n);
    await eventually(() => mains().length === 0);
    for (const { clusterId, state } of await clusters()) {
      if (state === 'RUNNING') await eventually(() => hasEndedOrRunsJob(clusterId));
      // Whether its job had been submitted is a matter of milliseconds.
      await project.run('cancel', clusterId);
    }
    await eventually(() => project.running().length === 0);
    for (const { clusterId, state } of await clusters()) {
      const { explanation } = (await project.run('status', clusterId)).json.data;
      if (state === 'INCOMPLETE') {
        expect(explanation).toContain("'fctl destroy' removes it");
        continue;
      }
      if (state === 'FAILED') expect(explanation).toContain('the client ended too early');
      else expect(['SUCCEEDED', 'CANCELED']).toContain(state);
      const left = readdirSync(join(project.folder, 'home/clusters', clusterId));
      expect(left).toEqual(['logs', 'record']);
    }
    expect((await project.run('doctor')).json.data.orphans).toEqual([]);
  },
  60_000,
);

const hasEndedOrRunsJob = async (clusterId: string) => {
  const { data } = (await project.run('status', clusterId)).json;
  return data.state !== 'RUNNING' || data.jobs.length === 1;
};

it("after 'Submitted second': the job goes on, and is found and ended by its cluster's name", async () => {
  await killAt('Submitted second', 1);
  await eventually(() => mains().length === 0);
  const [done, goesOn] = await clusters();
  expect(done!.state).toBe('SUCCEEDED');
  expect(goesOn!.state).toBe('RUNNING');
  expect((await project.run('status', goesOn!.clusterId)).json.data.jobs).toMatchObject([
    { name: 'second', state: 'RUNNING' },
  ]);
  expect((await project.run('cancel', goesOn!.clusterId)).exitCode).toBe(0);
  await eventually(() => project.running().length === 0);
}, 60_000);
