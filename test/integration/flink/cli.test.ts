/**
 * Flink's own command-line client against our JobManager: directly, where no token is needed, and through
 * `fctl proxy`, which adds it.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { flinkCli, flinkRig, testJar } from '../../rigs/flink/installation.ts';
import { describeWith } from '../../rigs/rig.ts';
import { type BundledCluster, startBundled, startProxy } from './bundled.ts';

const jobs = [{ name: 'contract' }, { name: 'spare' }, { name: 'brief', count: 10 }];
const unknownId = '0123456789abcdef0123456789abcdef';

interface Way {
  readonly name: string;
  readonly auth: 'none' | 'token';
  /** @returns HOST:PORT to be asked, and what ends the way there. */
  readonly open: (cluster: BundledCluster) => Promise<{
    readonly address: string;
    readonly close: () => Promise<unknown>;
  }>;
}

const ways: readonly Way[] = [
  {
    name: 'directly',
    auth: 'none',
    open: async ({ url }) => ({ address: new URL(url).host, close: async () => {} }),
  },
  {
    name: 'through fctl proxy',
    auth: 'token',
    open: async ({ project }) => {
      const { url, close } = await startProxy(project);
      return { address: new URL(url).host, close };
    },
  },
];

describeWith([flinkRig], "Flink's own CLI", () => {
  describe.each(ways)('$name', ({ auth, open }) => {
    let cluster: BundledCluster;
    let way: Awaited<ReturnType<Way['open']>>;
    const ids = new Map<string, string>();
    const flink = (verb: string, ...args: string[]) =>
      flinkCli(verb, '-m', way.address, ...args.map((arg) => ids.get(arg) ?? arg));

    beforeAll(async () => {
      cluster = await startBundled(jobs, { slots: 3, auth });
      way = await open(cluster);
      const finished = async () => (await cluster.client.overview())['jobs-finished'] === 1;
      await vi.waitUntil(finished, { timeout: 120_000, interval: 100 });
      for (const { jid, name } of (await cluster.client.jobsOverview()).jobs) ids.set(name, jid);
    });
    afterAll(async () => {
      await way?.close();
      await cluster?.project.remove();
    });

    it('lists running and ended jobs', async () => {
      const { exitCode, stdout, stderr } = await flink('list', '-a');
      expect([exitCode, stderr]).toEqual([0, '']);
      const [running, ended] = stdout.split('No scheduled jobs.') as [string, string];
      expect(running).toContain(`${ids.get('contract')} : contract (RUNNING)`);
      expect(running).toContain(`${ids.get('spare')} : spare (RUNNING)`);
      expect(ended).toContain(`${ids.get('brief')} : brief (FINISHED)`);
      const onlyRunning = await flink('list', '-r');
      expect([onlyRunning.exitCode, onlyRunning.stderr]).toEqual([0, '']);
      expect(onlyRunning.stdout).toContain('contract (RUNNING)');
      expect(onlyRunning.stdout).not.toContain('brief');
      expect((await flink('list', '-s')).stdout).toContain('No scheduled jobs.');
    });

    it.each([
      ['savepoint', ['contract'], 'cannot take a savepoint: this JobManager has no checkpointing'],
      ['stop', ['contract'], 'cannot stop with a savepoint: this JobManager has no checkpointing'],
      ['stop', ['-p', '/none', 'contract'], 'cannot stop with a savepoint'],
      [
        'checkpoint',
        ['contract'],
        'cannot take a checkpoint: this JobManager has no checkpointing',
      ],
      [
        'savepoint',
        ['-dispose', '/none'],
        'Could not dispose savepoint /none: this JobManager has',
      ],
    ])('is told by %s %j that there is no checkpointing', async (verb, args, why) => {
      const { exitCode, stderr } = await flink(verb, ...args);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(why);
      expect(await cluster.client.jobStatus(ids.get('contract')!)).toBe('RUNNING');
    });

    it.each([
      ['detached', ['-d']],
      ['attached', []],
    ])('is told what to do with a job in Java, %s', async (_, how) => {
      const { exitCode, stderr } = await flink('run', ...how, testJar, 'name', 'java');
      expect(exitCode).toBe(1);
      expect(stderr).toContain('This JobManager cannot run Java job graphs');
      expect(stderr).toContain("Deploy one with 'fctl deploy', or run this job on an Apache Flink");
      const { jobs: all } = await cluster.client.jobsOverview();
      expect(all.map(({ name }) => name).toSorted()).toEqual(['brief', 'contract', 'spare']);
    });

    it('cancels a job', async () => {
      const { exitCode, stdout, stderr } = await flink('cancel', 'spare');
      expect([exitCode, stderr]).toEqual([0, '']);
      expect(stdout).toContain(`Cancelled job ${ids.get('spare')}.`);
      const status = () => cluster.client.jobStatus(ids.get('spare')!);
      await expect.poll(status, { timeout: 60_000 }).toBe('CANCELED');
    });

    it.each([
      ['a job that has finished', 'brief', 'has already reached FINISHED]'],
      ['a job that there is not', unknownId, `[there is no job ${unknownId}]`],
    ])('does not cancel %s, and says why', async (_, job, why) => {
      const { exitCode, stderr } = await flink('cancel', job);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`Could not cancel job ${ids.get(job) ?? job}.`);
      expect(stderr).toContain(why);
    });
  });
});
