import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/contract/clock.ts';
import { processMetricRows } from '../../../src/contract/metrics/process-metrics.ts';
import { Redactor } from '../../../src/contract/secrets.ts';
import type { Logger } from '../../../src/runtime/logging/logger.ts';
import { PrometheusReporter } from '../../../src/runtime/metrics/prometheus-reporter.ts';
import type { Measured } from '../../../src/runtime/metrics/samples.ts';
import { silentLogger } from '../jobmanager/silent-logger.ts';
import { readExposition } from './exposition.ts';
import { noFigures } from './no-figures.ts';

const measured = (cpuMs: number): Measured => ({
  scope: ['taskmanager'],
  labels: { tm_id: 'a "secret" b' },
  rows: processMetricRows,
  values: { ...noFigures, cpuMs },
});

/** Time passes when the test says so. */
class Time {
  now = 0;
  #timers: { at: number; action: () => void }[] = [];
  readonly clock = {
    ...systemClock,
    monotonic: () => this.now,
    after: (ms: number, action: () => void) => {
      const timer = { at: this.now + ms, action };
      this.#timers.push(timer);
      return () => (this.#timers = this.#timers.filter((each) => each !== timer));
    },
  };
  pass(ms: number): void {
    this.now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.now);
    this.#timers = this.#timers.filter(({ at }) => at > this.now);
    for (const { action } of due) action();
  }
  get waits(): boolean {
    return this.#timers.length > 0;
  }
}

let time: Time;
let warnings: string[];
let measure: () => readonly Measured[];
beforeEach(() => {
  time = new Time();
  warnings = [];
  measure = () => [measured(3)];
});

const logger: Logger = { ...silentLogger, warn: (message) => warnings.push(message) };

function report(from: number, to = from): PrometheusReporter {
  const context = {
    bind: '127.0.0.1',
    clock: time.clock,
    logger,
    redactor: new Redactor(['secret']),
    measure: () => measure(),
  };
  const reporter = new PrometheusReporter({ type: 'prometheus', from, to }, context);
  onTestFinished(() => reporter.close());
  return reporter;
}

const listening = (reporter: PrometheusReporter) =>
  expect.poll(() => reporter.port, { timeout: 10_000 }).toBeTypeOf('number');

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Something else has it. */
async function take(port: number): Promise<{ port: number; server: Server }> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return { port: (server.address() as AddressInfo).port, server };
}

const ask = (port: number, headers: Record<string, string> = {}, path = '/metrics') =>
  fetch(`http://127.0.0.1:${port}${path}`, { headers });

it.each([
  ['*/*', 'text', 'text/plain; version=0.0.4; charset=utf-8'],
  [
    'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5',
    'openmetrics',
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
  ],
] as const)('answers in the format that is asked for: %s', async (accept, format, type) => {
  const reporter = report(0);
  await listening(reporter);
  const answer = await ask(reporter.port!, { accept });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
  expect(readExposition(await answer.text(), format)).toContainEqual({
    name: 'flink_taskmanager_Status_JVM_CPU_Time',
    labels: { tm_id: 'a "******" b' },
    value: 3_000_000,
  });
});

it('answers nothing else, and takes nothing', async () => {
  const reporter = report(0);
  await listening(reporter);
  const url = `http://127.0.0.1:${reporter.port}`;
  expect((await fetch(`${url}/metrics?x=1`)).status).toBe(200);
  expect((await fetch(`${url}/jobs`)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status).toBe(405);
  const head = await fetch(`${url}/metrics`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
  // Not one that fetch would ask for.
  const socket = connect(reporter.port!, '127.0.0.1');
  socket.write('GET // HTTP/1.1\r\nhost: a\r\n\r\n');
  const [first] = await new Promise<[Buffer]>((resolve) =>
    socket.once('data', (d) => resolve([d])),
  );
  expect(first.toString()).toMatch(/^HTTP\/1\.1 404 /);
  socket.destroy();
  expect((await ask(reporter.port!)).status).toBe(200);
});

it('takes the first port of its range that is free', async () => {
  const { port } = await take(0);
  const reporter = report(port, port + 20);
  await listening(reporter);
  expect(reporter.port).toBeGreaterThan(port);
  expect(warnings).toEqual([]);
});

it('runs without a port, says so once, and takes it when it is free', async () => {
  const { port, server } = await take(0);
  const reporter = report(port);
  await expect.poll(() => time.waits).toBe(true);
  time.pass(30_000);
  await expect.poll(() => time.waits).toBe(true);
  expect(warnings).toEqual([expect.stringContaining(`port ${port} on 127.0.0.1 cannot be had`)]);
  expect(reporter.port).toBeNull();
  await new Promise((resolve) => server.close(resolve));
  time.pass(30_000);
  await listening(reporter);
  expect((await ask(port)).status).toBe(200);
});

it('says once that metrics cannot be told, and tells them again when they can', async () => {
  const reporter = report(0);
  await listening(reporter);
  measure = () => {
    throw new Error('no figures');
  };
  for (let i = 0; i < 3; i++) expect((await ask(reporter.port!)).status).toBe(500);
  expect(warnings).toEqual(['the metrics for Prometheus cannot be told: no figures']);
  measure = () => [measured(4)];
  expect(await (await ask(reporter.port!)).text()).toContain(' 4000000\n');
});

it('makes one text for all who ask at the same time', async () => {
  const reporter = report(0);
  await listening(reporter);
  let made = 0;
  measure = () => [measured(++made)];
  const texts = await Promise.all(
    Array.from({ length: 8 }, async () => (await ask(reporter.port!)).text()),
  );
  expect(new Set(texts).size).toBe(1);
  time.pass(250);
  await ask(reporter.port!);
  expect(made).toBe(2);
});

it('has few connections at a time, whoever does not read', async () => {
  const reporter = report(0);
  await listening(reporter);
  const sockets: Socket[] = [];
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  let closed = 0;
  for (let i = 0; i < 40; i++) {
    const socket = connect(reporter.port!, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => closed++);
    sockets.push(socket);
  }
  await expect.poll(() => closed).toBe(24);
  sockets.forEach((socket) => socket.destroy());
  await expect.poll(async () => (await ask(reporter.port!).catch(() => null))?.status).toBe(200);
});

it('ends with everything that is under way', async () => {
  const reporter = report(0);
  await listening(reporter);
  const port = reporter.port!;
  await ask(port);
  reporter.close();
  await expect(ask(port)).rejects.toThrow();
});
