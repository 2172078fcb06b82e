/** A JobManager that needs its token, in a real browser: logging in and out, and what pages of others can do. */
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { chromiumRig, launchBrowser } from '../../rigs/chromium/browser.ts';
import { describeWith } from '../../rigs/rig.ts';
import { type BundledCluster, startBundled } from './bundled.ts';

describeWith([chromiumRig], 'a browser without the token', () => {
  let browser: Browser;
  let cluster: BundledCluster;
  let jobId: string;
  /** Serves a page on another port: the same site, another origin. */
  let other: Server;
  let otherPage = '';
  let page: Page;

  beforeAll(async () => {
    browser = await launchBrowser();
    cluster = await startBundled([{ name: 'contract' }], { slots: 1 });
    const findJob = async () => (await cluster.client.jobs()).jobs[0];
    jobId = (await vi.waitUntil(findJob, { timeout: 60_000, interval: 100 })).id;
    other = createServer((_, answer) => {
      answer.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html>${otherPage}`);
    });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
  });
  afterAll(async () => {
    await browser?.close();
    other?.close();
    await cluster?.project.remove();
  });
  beforeEach(async () => {
    page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    return () => page.close();
  });

  const text = () => page.locator('body').innerText();

  /** Comes from a page that needs a login. */
  async function logIn(): Promise<void> {
    await page.goto(`${cluster.url}/jobs/overview`);
    await page.getByLabel('Token').fill(` ${cluster.token} `);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.waitForURL(`${cluster.url}/jobs/overview`);
    expect(await text()).toContain('"name":"contract"');
  }

  it('logs in, is sent where it wanted to go, and logs out', async () => {
    await page.goto(`${cluster.url}/`);
    await page.getByLabel('Token').fill('wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await expect.poll(text).toContain('This is not the token');
    await logIn();
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    expect(cookie!.value).not.toContain(cluster.token);
    await page.goto(`${cluster.url}/`);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.goto(`${cluster.url}/overview`);
    expect(await text()).toContain('Token of the cluster');
  });

  it('may do what the token may, from a page of the JobManager', async () => {
    await logIn();
    const status = await page.evaluate(async () => (await fetch('/overview')).status);
    expect(status).toBe(200);
    const refused = await page.evaluate(
      async () => (await fetch(`/jobs/${'0'.repeat(32)}?mode=cancel`, { method: 'PATCH' })).status,
    );
    expect(refused).toBe(404); // of that job, not of the session
  });

  it('is made to do nothing by a page of another origin, though it is logged in', async () => {
    await logIn();
    const { port } = other.address() as AddressInfo;
    const cancel = `${cluster.url}/jobs/${jobId}/yarn-cancel`;
    otherPage = `<img src="${cancel}"><a href="${cancel}">cancel</a>`;
    // Also loads the image.
    await page.goto(`http://127.0.0.1:${port}/`);
    const tried = await page.evaluate(async (url) => {
      const outcome = (path: string, method: string) =>
        fetch(url + path, { method, credentials: 'include' }).then(
          ({ status, type }) => `${type} ${status}`,
          () => 'failed',
        );
      return [await outcome('/overview', 'GET'), await outcome('/fctl/v1/cancel', 'POST')];
    }, cluster.url);
    expect(tried).toEqual(['failed', 'failed']);
    await page.getByText('cancel').click();
    await page.waitForURL(cancel);
    expect(await text()).toContain('answers no requests from pages of other sites');
    expect(await cluster.client.jobStatus(jobId)).toBe('RUNNING');
  });
});
