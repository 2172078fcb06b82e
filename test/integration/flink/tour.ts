/** A tour through Flink's Web UI: every page and every tab, by what a person would click. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DashboardConfig } from '../../../src/contract/rest.ts';
import type { WatchedPage } from '../../rigs/chromium/browser.ts';

export interface Stop {
  /** `Job Manager / Logs` */
  readonly name: string;
  /** What went wrong there; addresses without host, ids as `:id`. */
  readonly problems: readonly string[];
  /** What is to be read there. */
  readonly text: string;
}

export interface TourOptions {
  /** Where the UI is served. */
  readonly url: string;
  /** Jobs by name, with the ids of their vertices: `running` is one that runs, `failed` one that failed. */
  readonly running: { readonly jobId: string; readonly vertexId: string };
  readonly failed: { readonly jobId: string };
  readonly taskManagerId: string;
  /** Where screenshots go; `null`: none are made. */
  readonly screenshots: string | null;
}

const refreshMs = 800;

export async function takeTour(watched: WatchedPage, options: TourOptions): Promise<Stop[]> {
  const { page } = watched;
  const stops: Stop[] = [];
  const stop = async (name: string) => {
    await watched.settled(refreshMs * 1.5);
    const problems = new Set(watched.takeProblems().map((problem) => neutral(problem, options)));
    // The editor that shows texts makes its spaces wide.
    const text = (await page.locator('body').innerText()).replaceAll('\u00a0', ' ');
    stops.push({ name, problems: [...problems].sort(), text });
    if (options.screenshots !== null) {
      mkdirSync(options.screenshots, { recursive: true });
      const file = `${String(stops.length).padStart(2, '0')} ${name}.png`.replace(/[^\w.-]+/g, '-');
      await page.screenshot({ path: join(options.screenshots, file) });
    }
  };
  const open = async (hash: string) => {
    // Another hash alone would not load the page again.
    await page.goto('about:blank');
    await page.goto(`${options.url}/${hash}`);
  };
  const tabs = async (of: string, within: string) => {
    const all = page.locator(`${within} .ant-tabs-tab`);
    await all.first().waitFor();
    for (const name of await all.allInnerTexts()) {
      await all.getByText(name, { exact: true }).click();
      await stop(`${of} / ${name.trim()}`);
    }
  };

  // Pages ask again every 3 s, and some show only then what has changed: this is about all that a tour waits for.
  await page.route(`${options.url}/config`, async (route) => {
    const response = await route.fetch();
    const config = (await response.json()) as DashboardConfig;
    await route.fulfill({ response, json: { ...config, 'refresh-interval': refreshMs } });
  });
  await open('');
  const menu = page.locator('li.ant-menu-item');
  await menu.first().waitFor();
  for (const name of await menu.allInnerTexts()) {
    await menu.getByText(name, { exact: true }).click();
    await stop(name.trim());
  }
  await open('#/job-manager/metrics');
  await tabs('Job Manager', 'flink-job-manager');
  await open(`#/task-manager/${options.taskManagerId}/metrics`);
  await tabs('Task Manager', 'flink-task-manager-status');
  await open(`#/job/completed/${options.failed.jobId}/overview`);
  await tabs('Failed Job', 'flink-job-status');
  await open(`#/job/running/${options.running.jobId}/overview`);
  await tabs('Running Job', 'flink-job-status');
  await open(`#/job/running/${options.running.jobId}/overview/${options.running.vertexId}/detail`);
  await tabs('Vertex', 'flink-job-overview-drawer');
  return stops;
}

/** The same problem of two clusters reads the same. */
function neutral(problem: string, { url, taskManagerId }: TourOptions): string {
  return problem
    .replaceAll(url, '')
    .replaceAll(encodeURIComponent(taskManagerId), ':id')
    .replaceAll(taskManagerId, ':id')
    .replaceAll(/\b[0-9a-f]{32}\b/g, ':id');
}
