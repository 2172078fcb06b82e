/** A tour through Flink's Web UI: every page and every tab, by what a person would click. */
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { vi } from 'vitest';
import type { DashboardConfig } from '../../../src/contract/rest.ts';
import type { WatchedPage } from '../../rigs/chromium/browser.ts';

export interface Stop {
  /** `Job Manager / Logs` */
  readonly name: string;
  /** What went wrong there; addresses without host, ids as `:id`. */
  readonly problems: readonly string[];
}

export interface TourOptions {
  /** Where the UI is served. */
  readonly url: string;
  /** A job that runs, with the id of its last vertex, and one that failed. */
  readonly running: { readonly jobId: string; readonly vertexId: string };
  readonly failed: { readonly jobId: string };
  readonly applicationId: string;
  readonly taskManagerId: string;
  /** An application with one job without end, to be uploaded. */
  readonly upload: string;
  /** What has to be read at stops, by their names. */
  readonly texts: Readonly<Record<string, RegExp>>;
  /** Where screenshots go; `null`: none are made. */
  readonly screenshots: string | null;
}

const refreshMs = 800;
/** For what a page shows some time after it was opened. */
const textTimeoutMs = 90_000;

export class Tour {
  readonly stops: Stop[] = [];
  readonly #watched: WatchedPage;
  readonly #options: TourOptions;

  constructor(watched: WatchedPage, options: TourOptions) {
    this.#watched = watched;
    this.#options = options;
  }

  /** Looks at everything. */
  async look(): Promise<void> {
    const { applicationId, failed, running, taskManagerId } = this.#options;
    await this.#hurry();
    await this.#open('');
    const menu = this.#page.locator('li.ant-menu-item');
    await menu.first().waitFor();
    for (const name of await menu.allInnerTexts()) {
      await menu.getByText(name, { exact: true }).click();
      await this.#stop(name.trim());
    }
    await this.#open('#/job-manager/metrics');
    await this.#tabs('Job Manager', 'flink-job-manager');
    await this.#open(`#/task-manager/${taskManagerId}/metrics`);
    await this.#tabs('Task Manager', 'flink-task-manager-status');
    await this.#open(`#/application/running/${applicationId}/overview`);
    await this.#tabs('Application', 'flink-application-status');
    await this.#open(`#/job/completed/${failed.jobId}/overview`);
    await this.#tabs('Failed Job', 'flink-job-status');
    await this.#open(`#/job/running/${running.jobId}/overview`);
    await this.#tabs('Running Job', 'flink-job-status');
    await this.#open(`#/job/running/${running.jobId}/checkpoints`);
    await this.#tabs('Checkpoints', 'flink-job-checkpoints');
    await this.#open(`#/job/running/${running.jobId}/overview/${running.vertexId}/detail`);
    await this.#tabs('Vertex', 'flink-job-overview-drawer');
    for (const of of ['Job Manager', 'Task Manager'] as const) await this.#logFile(of);
    await this.#metric();
  }

  /** Uploads an application, looks at its plan, submits it and cancels its job. @returns the job's id */
  async submitAndCancel(): Promise<string> {
    const page = this.#page;
    const { upload } = this.#options;
    await this.#open('#/submit');
    await page.locator('#upload-file').setInputFiles(upload);
    const row = page.locator('tr', { hasText: basename(upload) });
    await row.waitFor();
    await this.#stop('Submit / Uploaded');

    await row.click();
    await page.getByPlaceholder('Parallelism').fill('1');
    await page.getByRole('button', { name: 'Show Plan' }).click();
    await page.locator('.ant-drawer flink-dagre', { hasText: 'HASH' }).waitFor();
    await this.#stop('Submit / Plan');
    await page.locator('.ant-drawer-open .ant-drawer-close').click();
    await page.locator('.ant-drawer-open').waitFor({ state: 'hidden' });

    await page.getByRole('button', { name: 'Submit', exact: true }).click();
    await page.waitForURL(/#\/job\/running\/[\da-f]{32}/);
    const jobId = /[\da-f]{32}/.exec(page.url())![0];
    const badge = page.locator('flink-job-status flink-job-badge');
    await badge.filter({ hasText: 'RUNNING' }).first().waitFor();
    await this.#stop('Submit / Job');

    await page.getByText('Cancel Job', { exact: true }).click();
    await page.getByRole('button', { name: 'Yes' }).click();
    await badge.filter({ hasText: 'CANCELED' }).first().waitFor();
    await this.#stop('Cancel / Job');

    await this.#open('#/submit');
    await row.getByText('Delete').click();
    await page.locator('.ant-popover').getByRole('button', { name: 'OK' }).click();
    await row.waitFor({ state: 'hidden' });
    await this.#stop('Submit / Deleted');
    return jobId;
  }

  get #page() {
    return this.#watched.page;
  }

  /** Pages ask again every 3 s, and some show only then what has changed: this is all that a tour waits for. */
  async #hurry(): Promise<void> {
    await this.#page.route(`${this.#options.url}/config`, async (route) => {
      const response = await route.fetch();
      const config = (await response.json()) as DashboardConfig;
      await route.fulfill({ response, json: { ...config, 'refresh-interval': refreshMs } });
    });
  }

  async #stop(name: string): Promise<void> {
    const { screenshots, texts } = this.#options;
    const page = this.#page;
    await this.#watched.settled(refreshMs * 1.5);
    // The editor that shows texts makes its spaces wide.
    const text = async () => (await page.locator('body').innerText()).replaceAll('\u00a0', ' ');
    const expected = texts[name];
    const isThere = async () => {
      const read = await text();
      if (expected?.test(read) === false) throw new Error(`${name} has no ${expected}:\n${read}`);
    };
    await vi.waitFor(isThere, { timeout: textTimeoutMs, interval: 200 });
    const problems = new Set(
      this.#watched.takeProblems().map((problem) => neutral(problem, this.#options)),
    );
    this.stops.push({ name, problems: [...problems].sort() });
    if (screenshots === null) return;
    mkdirSync(screenshots, { recursive: true });
    const number = String(this.stops.length).padStart(2, '0');
    const file = `${number} ${name}.png`.replace(/[^\w.-]+/g, '-');
    await page.screenshot({ path: join(screenshots, file) });
  }

  async #open(hash: string): Promise<void> {
    // Another hash alone would not load the page again.
    await this.#page.goto('about:blank');
    await this.#page.goto(`${this.#options.url}/${hash}`);
  }

  async #tabs(of: string, within: string): Promise<void> {
    // Tabs within a tab are no tabs of the page.
    const all = this.#page.locator(`${within} .ant-tabs-nav`).first().locator('.ant-tabs-tab');
    await all.first().waitFor();
    for (const name of await all.allInnerTexts()) {
      await all.getByText(name, { exact: true }).click();
      await this.#stop(`${of} / ${name.trim()}`);
    }
  }

  /** Opens the first file of a list of logs. */
  async #logFile(of: 'Job Manager' | 'Task Manager'): Promise<void> {
    const { taskManagerId } = this.#options;
    const page = of === 'Job Manager' ? 'job-manager' : `task-manager/${taskManagerId}`;
    await this.#open(`#/${page}/metrics`);
    await this.#page.locator('.ant-tabs-tab').getByText('Log List', { exact: true }).click();
    const links = this.#page.locator('td a', { hasText: /\.log\s*$/ });
    await links.first().click();
    await this.#page.locator('.monaco-editor').first().waitFor();
    await this.#stop(`${of} / Log File`);
  }

  /** Draws one of the metrics of a vertex. */
  async #metric(): Promise<void> {
    const { jobId, vertexId } = this.#options.running;
    await this.#open(`#/job/running/${jobId}/overview/${vertexId}/metrics`);
    await this.#page.locator('nz-select').first().click();
    await this.#page.locator('.ant-select-item-option').first().click();
    await this.#page.locator('flink-job-chart').first().waitFor();
    await this.#stop('Vertex / Chart');
  }
}

/** The same problem of two clusters reads the same. */
function neutral(problem: string, { url, taskManagerId }: TourOptions): string {
  return problem
    .replaceAll(url, '')
    .replaceAll(encodeURIComponent(taskManagerId), ':id')
    .replaceAll(taskManagerId, ':id')
    .replaceAll(/\b[0-9a-f]{32}\b/g, ':id');
}
