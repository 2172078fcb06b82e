/**
 * Flink's Web UI before our JobManager: its files are taken from the distribution and served by
 * `fctl proxy --ui`. With FCTL_SCREENSHOTS=FOLDER every stop of the tours is also a picture.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { FlinkRestClient } from '../../../src/flink-rest/client.ts';
import { WatchedPage, chromiumRig, launchBrowser } from '../../rigs/chromium/browser.ts';
import { FlinkCluster } from '../../rigs/flink/cluster.ts';
import { flinkRig, unpackWebUi } from '../../rigs/flink/installation.ts';
import { describeWith } from '../../rigs/rig.ts';
import { type BundledCluster, startBundled, startProxy } from './bundled.ts';
import { type Stop, takeTour } from './tour.ts';

const slots = 2;

/** Uploading applications: not there yet. */
const submitPage = 'Submit New Job';

describeWith([flinkRig, chromiumRig], 'the Web UI', () => {
  let folder: string;
  let browser: Browser;
  let flink: FlinkCluster;
  let bundled: BundledCluster;
  let proxy: Awaited<ReturnType<typeof startProxy>>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fctl-web-ui-'));
    const ui = await unpackWebUi(folder);
    browser = await launchBrowser();
    flink = await FlinkCluster.start({ slots });
    await flink.submit('name', 'contract');
    await flink.submit('name', 'doomed', 'failAt', '5');
    const jobs = [{ name: 'contract' }, { name: 'doomed', failAt: 5 }];
    bundled = await startBundled(jobs, { slots });
    proxy = await startProxy(bundled.project, '--ui', ui);
  });
  afterAll(async () => {
    await browser?.close();
    await proxy?.close();
    await bundled?.project.remove();
    await flink?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const tour = async (name: string, url: string, client: FlinkRestClient): Promise<Stop[]> => {
    const failed = await jobIn(client, 'doomed', 'FAILED');
    const running = await jobIn(client, 'contract', 'RUNNING');
    const screenshots = process.env['FCTL_SCREENSHOTS'];
    return takeTour(await WatchedPage.open(browser), {
      url,
      running: { jobId: running, vertexId: (await client.job(running)).vertices[1]!.id },
      failed: { jobId: failed },
      taskManagerId: (await client.taskManagers()).taskmanagers[0]!.id,
      screenshots: screenshots === undefined ? null : join(screenshots, name),
    });
  };

  it('has every page and tab that it has before a real Flink, and no other error', async () => {
    const [theirs, ours] = await Promise.all([
      tour('flink', flink.url, flink.client),
      tour('fctl', proxy.url, bundled.client),
    ]);
    const names = (stops: readonly Stop[]) => stops.map(({ name }) => name);
    const expected = names(theirs).filter((name) => name !== submitPage);
    expect(names(ours).filter((name) => name !== submitPage)).toEqual(expected);
    const problems = (stops: readonly Stop[]) => new Set(stops.flatMap((stop) => stop.problems));
    const known = problems(theirs);
    const newProblems = [...problems(ours)].filter((problem) => !known.has(problem));
    expect(newProblems).toEqual([]);

    const textOf = (name: string) => ours.find((stop) => stop.name === name)!.text;
    expect(textOf('Running Jobs')).toMatch(/contract[\s\S]*RUNNING/);
    expect(textOf('Completed Jobs')).toMatch(/doomed[\s\S]*FAILED/);
    expect(textOf('Task Managers')).toContain('taskmanager-0');
    expect(textOf('Failed Job / Exceptions')).toContain('fails at 5, as told');
    expect(textOf('Running Job / Overview')).toContain('Source: numbers');
    expect(textOf('Running Job / Overview')).toContain('HASH');
    expect(textOf('Vertex / SubTasks')).toContain('127.0.0.1');
    expect(textOf('Vertex / Watermarks')).toContain('No Watermark');
  }, 300_000);
});

/** @returns its id, once it is in that state */
async function jobIn(client: FlinkRestClient, name: string, state: string): Promise<string> {
  const find = async () =>
    (await client.jobsOverview()).jobs.find((job) => job.name === name && job.state === state);
  return (await vi.waitUntil(find, { timeout: 20_000, interval: 100 })).jid;
}
