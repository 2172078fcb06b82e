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
import { flinkRig, testJar, unpackWebUi } from '../../rigs/flink/installation.ts';
import { describeWith } from '../../rigs/rig.ts';
import { type BundledCluster, bundleOf, startBundled, startProxy } from './bundled.ts';
import { type Stop, Tour } from './tour.ts';

/** One is free for the job that is submitted by clicking. */
const slots = 2;
const startTimeoutMs = 600_000;
const tourTimeoutMs = 900_000;

/** To be read at stops of both tours. */
const texts: Readonly<Record<string, RegExp>> = {
  Overview: /Available Task Slots[\s\S]*contract/,
  'Running Jobs': /contract[\s\S]*RUNNING/,
  'Completed Jobs': /doomed[\s\S]*FAILED/,
  'Submit New Job': /Uploaded Jars[\s\S]*Add New/,
  'Job Manager / Logs': /jobmanager|JobManager/i,
  'Task Manager / Metrics': /JVM Heap/,
  'Application / Overview': /contract[\s\S]*RUNNING/,
  'Failed Job / Exceptions': /doomed[\s\S]*FAILED/,
  // Figures, and none that is loading.
  'Running Job / Overview':
    /HASH[\s\S]*Source: numbers\s+RUNNING\s+0 B\s+[\d,]+\s+[\d.]+ \w?B\s+\d/,
  'Running Job / Data Skew': /Source: numbers\s+\d+%/,
  'Checkpoints / Overview': /Latest Savepoint\s+None/,
  'Vertex / SubTasks': /(?:127\.0\.0\.1|localhost)[\s\S]*RUNNING/,
  'Vertex / Watermarks': /No Watermark/,
  'Vertex / Accumulators': /records\s+LongCounter/,
  'Vertex / BackPressure': /Back Pressure Status:\s+OK/,
  'Vertex / FlameGraph': /feature is currently disabled/,
  'Submit / Deleted': /Uploaded Jars/,
};

describeWith([flinkRig, chromiumRig], 'the Web UI', () => {
  let folder: string;
  let browser: Browser;
  let flink: FlinkCluster;
  let bundled: BundledCluster;
  let proxy: Awaited<ReturnType<typeof startProxy>>;
  let bundle: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fctl-web-ui-'));
    const ui = await unpackWebUi(folder);
    browser = await launchBrowser();
    flink = await FlinkCluster.start({ slots });
    await flink.submit('name', 'contract');
    await flink.submit('name', 'doomed', 'failAt', '5');
    const jobs = [{ name: 'contract' }, { name: 'doomed', failAt: 5 }];
    bundled = await startBundled(jobs, { slots, mode: 'session' });
    bundle = await bundleOf(bundled.project, 'uploaded');
    proxy = await startProxy(bundled.project, '--ui', ui);
  }, startTimeoutMs);
  afterAll(async () => {
    await browser?.close();
    await proxy?.close();
    await bundled?.project.remove();
    await flink?.stop();
    await rm(folder, { recursive: true, force: true });
  }, startTimeoutMs);

  interface Subject {
    readonly name: string;
    readonly url: string;
    readonly client: FlinkRestClient;
    readonly upload: string;
  }

  async function tour({ client, name, upload, url }: Subject): Promise<readonly Stop[]> {
    const failed = await jobIn(client, 'doomed', 'FAILED');
    const running = await jobIn(client, 'contract', 'RUNNING');
    const details = await client.job(running);
    const screenshots = process.env['FCTL_SCREENSHOTS'];
    const there = new Tour(await WatchedPage.open(browser), {
      url,
      running: { jobId: running, vertexId: details.vertices[1]!.id },
      failed: { jobId: failed },
      applicationId: details['application-id']!,
      taskManagerId: (await client.taskManagers()).taskmanagers[0]!.id,
      upload,
      texts,
      screenshots: screenshots === undefined ? null : join(screenshots, name),
    });
    await there.look();
    const submitted = await there.submitAndCancel();
    expect(await client.jobStatus(submitted)).toBe('CANCELED');
    return there.stops;
  }

  it(
    'has every page and tab that it has before a real Flink, submits and cancels, and has no other error',
    async () => {
      const { client, url } = flink;
      const [theirs, ours] = await Promise.all([
        tour({ name: 'flink', url, client, upload: testJar }),
        tour({ name: 'fctl', url: proxy.url, client: bundled.client, upload: bundle }),
      ]);
      const names = (stops: readonly Stop[]) => stops.map(({ name }) => name);
      expect(names(ours)).toEqual(names(theirs));
      const problems = (stops: readonly Stop[]) => new Set(stops.flatMap((stop) => stop.problems));
      const known = problems(theirs);
      expect([...problems(ours)].filter((problem) => !known.has(problem))).toEqual([]);
    },
    tourTimeoutMs,
  );
});

/** @returns its id, once it is in that state */
async function jobIn(client: FlinkRestClient, name: string, state: string): Promise<string> {
  const find = async () =>
    (await client.jobsOverview()).jobs.find((job) => job.name === name && job.state === state);
  return (await vi.waitUntil(find, { timeout: 120_000, interval: 100 })).jid;
}
