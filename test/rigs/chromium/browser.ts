/** A headless Chromium, and pages that remember what went wrong in them. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type Page, type Request, chromium } from 'playwright-core';

const executable = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'chromium'))
  .find(isExecutable);

export const chromiumRig = {
  name: 'chromium',
  install: 'test/rigs/chromium/install',
  isInstalled: () => executable !== undefined,
};

export function launchBrowser(): Promise<Browser> {
  // Root may not use the sandbox.
  return chromium.launch({ executablePath: executable!, args: ['--no-sandbox'] });
}

/** On a machine that does much else. */
const settleLimitMs = 60_000;
const actionLimitMs = 90_000;

/** A page, and what went wrong in it since it was last asked. */
export class WatchedPage {
  readonly page: Page;
  readonly #open = new Set<Request>();
  #problems: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('request', (request) => this.#open.add(request));
    page.on('requestfinished', (request) => this.#open.delete(request));
    page.on('requestfailed', (request) => {
      this.#open.delete(request);
      const why = request.failure()?.errorText ?? '';
      // Pages that are left do not wait for their answers.
      if (why !== 'net::ERR_ABORTED') this.#add(`${request.method()} ${request.url()}: ${why}`);
    });
    page.on('response', (response) => {
      const request = response.request();
      if (response.status() >= 400)
        this.#add(`${request.method()} ${response.url()}: ${response.status()}`);
    });
    page.on('pageerror', (error) => this.#add(`uncaught: ${error.message}`));
    page.on('console', (message) => {
      // Chromium tells of every answer from 400 on too; those are noted above, with their address.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        this.#add(`console: ${message.text()}`);
    });
  }

  static async open(browser: Browser): Promise<WatchedPage> {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    page.setDefaultTimeout(actionLimitMs);
    return new WatchedPage(page);
  }

  /**
   * Waits until a page that asks again and again has done so: for `cycleMs`, and then for a moment in which
   * no request is under way.
   */
  async settled(cycleMs: number): Promise<void> {
    const end = performance.now() + settleLimitMs;
    await this.page.waitForTimeout(cycleMs);
    while (this.#open.size > 0) {
      if (performance.now() > end) {
        throw new Error(`no answer: ${[...this.#open].map((request) => request.url()).join(', ')}`);
      }
      await this.page.waitForTimeout(20);
    }
  }

  takeProblems(): string[] {
    const problems = this.#problems;
    this.#problems = [];
    return problems;
  }

  #add(problem: string): void {
    this.#problems.push(problem);
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
