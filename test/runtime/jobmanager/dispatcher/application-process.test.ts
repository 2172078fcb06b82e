import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as late } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { JsonObject } from '../../../../src/contract/json.ts';
import { bundleApplication } from '../../../../src/packaging/bundle.ts';
import type { ApplicationResult } from '../../../../src/contract/application-messages.ts';
import {
  type ApplicationProcess,
  startApplicationProcess,
} from '../../../../src/runtime/jobmanager/dispatcher/application-process.ts';
import { applicationScript, isAlive } from '../processes.ts';
import { silentLogger } from '../silent-logger.ts';

let directory: string;
let server: Server;
let printed: string;
const started: ApplicationProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fctl-main-'));
  await mkdir(join(directory, 'src'));
  printed = '';
});

afterEach(async () => {
  for (const application of started.splice(0)) {
    application.kill();
    await application.ended;
  }
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
  await rm(directory, { recursive: true });
});

interface Answers {
  /** How the n-th job ends; waits for it. */
  readonly outcome?: (job: {
    jobId: string;
    name: string;
  }) => Promise<{ state: string; error?: unknown }>;
  readonly epoch?: number;
}

/** A JobManager as far as `main()` needs one. */
async function serve({
  outcome = async () => ({ state: 'FINISHED' }),
  epoch = 4,
}: Answers = {}): Promise<string> {
  const jobs = new Map<string, { jobId: string; name: string }>();
  server = createServer((request, response) => {
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.headers.authorization !== 'Bearer t') return answer(401, { errors: ['no token'] });
    if (request.headers['fctl-epoch'] !== String(epoch))
      return answer(409, { errors: ['another JobManager leads'] });
    const { pathname } = new URL(request.url!, 'http://x');
    if (request.method === 'POST') {
      let text = '';
      request.on('data', (chunk) => (text += chunk));
      request.on('end', () => {
        const { graph, jobId } = JSON.parse(text);
        jobs.set(jobId, { jobId, name: graph.name });
        answer(202, { jobId });
      });
      return;
    }
    const job = jobs.get(pathname.split('/')[4]!)!;
    void outcome(job).then(({ state, error = null }) => {
      const times = { startTime: 1, endTime: 2 };
      const ended = {
        id: job.jobId,
        name: job.name,
        state,
        ...times,
        error,
        accumulators: {},
        vertices: [],
      };
      answer(200, { jobId: job.jobId, outcome: ended, collected: {} });
    });
  });
  server.keepAliveTimeout = 1;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const job = (name: string) => `
const ${name} = defineJob('${name}', (env) => {
  env.fromSource(CollectionSource.of([1, 2])).sinkTo(DiscardSink.create());
});`;

interface StartOptions {
  readonly workingDirectory?: string;
  readonly args?: JsonObject;
}

async function start(
  main: string,
  restUrl: string,
  options: StartOptions = {},
): Promise<ApplicationProcess> {
  const entry = join(directory, 'src', 'app.ts');
  await writeFile(entry, main);
  const bundle = await bundleApplication({
    entry,
    projectDir: directory,
    cacheDir: join(directory, 'bundles'),
  });
  const application = await startApplicationProcess({
    script: applicationScript,
    workingDirectory: options.workingDirectory ?? directory,
    start: {
      bundleFile: bundle.file,
      bundleHash: bundle.hash,
      args: options.args ?? {},
      parallelism: 1,
      mode: 'application',
      job: null,
      secrets: [],
      detached: false,
      jobManager: { restUrl, token: 't', epoch: 4 },
    },
    output: {
      write: (text) => {
        printed += String(text);
      },
      close: () => {},
    },
    logger: silentLogger,
  });
  started.push(application);
  return application;
}

async function run(
  main: string,
  answers?: Answers,
  args: JsonObject = {},
): Promise<ApplicationResult> {
  return (await start(main, await serve(answers), { args })).ended;
}

const failed = (message: unknown) => ({
  type: 'failed',
  failure: expect.objectContaining({ message }),
});
const head = `import { CollectionSource, defineJob, DiscardSink } from 'fctl';`;

describe('main()', () => {
  it('runs jobs, sees its arguments, prints to the output, and succeeds', async () => {
    const main = `${head} ${job('a')}
      export async function main(ctx) {
        console.log(ctx.args.greeting, process.cwd());
        const result = await ctx.execute(a);
        console.error('took', result.runtimeMs);
      }`;
    const result = await run(main, {}, { greeting: 'hello' });
    expect(result).toEqual({ type: 'succeeded' });
    expect(printed).toContain(`hello ${directory}`);
    expect(printed).toContain('took 1');
  });

  it('may be left out: the only job runs', async () => {
    const names: string[] = [];
    const result = await run(`${head} ${job('only')}`, {
      outcome: async ({ name }) => {
        names.push(name);
        return { state: 'FINISHED' };
      },
    });
    expect(result).toEqual({ type: 'succeeded' });
    expect(names).toEqual(['only']);
  });

  it('that throws fails with its message and the place in the source', async () => {
    const result = await run(`${head} ${job('a')}
      interface Unused { readonly x: number }
      export async function main(ctx: unknown) {
        throw new Error('no such airport');
      }`);
    expect(result).toEqual(failed('no such airport'));
    const { stack } = (result as { failure: { stack: string } }).failure;
    expect(stack).toContain(join('src', 'app.ts:7:'));
  });

  it('that throws something that is no Error fails too', async () => {
    const result = await run(`${head} ${job('a')} export async function main() { throw 'text'; }`);
    expect(result).toEqual(failed('threw text'));
  });

  it('that calls process.exit fails, naming the place', async () => {
    const result = await run(`${head} ${job('a')}
      export async function main() {
        process.exit(3);
      }`);
    expect(result).toEqual(failed(expect.stringContaining('main() called process.exit(3)')));
    expect((result as { failure: { stack: string } }).failure.stack).toContain(
      join('src', 'app.ts:6:'),
    );
  });

  it('whose promise is rejected where nobody waits fails', async () => {
    const result = await run(`${head} ${job('a')}
      export async function main() {
        void Promise.reject(new Error('forgotten'));
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      }`);
    expect(result).toEqual(failed('forgotten'));
  });

  it('that waits for what can never happen fails', async () => {
    const result = await run(
      `${head} ${job('a')} export const main = () => new Promise(() => {});`,
    );
    expect(result).toEqual(
      failed(expect.stringContaining('it waits for something that can never happen')),
    );
  });

  it('that leaves timers behind ends all the same', async () => {
    const result = await run(`${head} ${job('a')}
      export async function main() {
        setInterval(() => {}, 1000);
      }`);
    expect(result).toEqual({ type: 'succeeded' });
  });

  it('that returns early ends when its jobs have', async () => {
    let end!: () => void;
    const gate = new Promise<void>((resolve) => (end = resolve));
    let asked!: () => void;
    const waiting = new Promise<void>((resolve) => (asked = resolve));
    const url = await serve({
      outcome: async () => {
        asked();
        await gate;
        return { state: 'FINISHED' };
      },
    });
    const main = `${head} ${job('a')} export async function main(ctx) { await ctx.executeAsync(a); }`;
    const application = await start(main, url);
    await waiting;
    let ended = false;
    void application.ended.then(() => (ended = true));
    expect(ended).toBe(false);
    expect(isAlive(application.pid!)).toBe(true);
    end();
    expect(await application.ended).toEqual({ type: 'succeeded' });
  });

  it('fails with a job that failed, telling of its task and stack', async () => {
    const error = {
      message: 'boom',
      stack: 'at user.ts:1',
      task: 'Map (1/1)',
      location: 'taskmanager-0',
    };
    const result = await run(`${head} ${job('a')}`, {
      outcome: async () => ({ state: 'FAILED', error }),
    });
    expect(result).toMatchObject({
      type: 'failed',
      failure: { stack: 'at user.ts:1', task: 'Map (1/1)', location: 'taskmanager-0' },
    });
    expect((result as { failure: { message: string } }).failure.message).toMatch(
      /job 'a' failed.*boom/,
    );
  });

  it('is cancelled with a job that was cancelled', async () => {
    const result = await run(`${head} ${job('a')}`, {
      outcome: async () => ({ state: 'CANCELED' }),
    });
    expect(result).toMatchObject({
      type: 'canceled',
      failure: { message: "job 'a' was cancelled" },
    });
  });

  it('cannot submit to a JobManager of another epoch', async () => {
    const result = await run(`${head} ${job('a')}`, { epoch: 5 });
    expect(result).toEqual(failed('another JobManager leads'));
  });

  it('needs a job', async () => {
    const result = await run(`export const x = 1;`);
    expect(result).toEqual(failed(expect.stringContaining('defines no job')));
  });

  it('needs its working directory', async () => {
    const url = await serve();
    const application = await start(`${head} ${job('a')}`, url, {
      workingDirectory: join(directory, 'gone'),
    });
    expect(await application.ended).toEqual(
      failed(expect.stringContaining('gone of the application does not exist')),
    );
  });
});

const spinning = `${head} ${job('a')}
  export function main() {
    console.log('spinning');
    for (;;) {}
  }`;

describe('the process of main()', () => {
  it('that is killed fails the application', async () => {
    const forever = new Promise<never>(() => {});
    const url = await serve({ outcome: () => forever });
    const application = await start(`${head} ${job('a')}`, url);
    process.kill(application.pid!, 'SIGKILL');
    expect(await application.ended).toEqual(failed('the process of main() was killed (SIGKILL)'));
    server.closeAllConnections();
  });

  it('that spins can be killed', async () => {
    const application = await start(spinning, await serve());
    await expect.poll(() => printed).toContain('spinning');
    application.kill();
    expect(await application.ended).toEqual(failed('the process of main() was killed (SIGKILL)'));
    expect(isAlive(application.pid!)).toBe(false);
  });

  it.each([
    ['returns', ''],
    ['is cancelled', 'for (;;) {}'],
  ])('does not wait for a process that main() started when it %s (P2)', async (how, rest) => {
    const main = `${head} ${job('a')}
      import { spawn } from 'node:child_process';
      export async function main() {
        const child = spawn('sleep', ['600'], { stdio: 'inherit' });
        await new Promise((resolve) => child.once('spawn', resolve));
        console.log('started', child.pid, '.');
        await new Promise((resolve) => setTimeout(resolve, 100));
        ${rest}
      }`;
    const application = await start(main, await serve());
    await expect.poll(() => printed).toMatch(/started \d+ \./);
    const child = Number(/started (\d+)/.exec(printed)![1]);
    onTestFinished(() => void process.kill(child, 'SIGKILL'));
    if (how === 'is cancelled') application.kill();
    const ended = await Promise.race([application.ended, late(30_000)]);
    expect(isAlive(child)).toBe(true);
    expect(ended).toMatchObject({ type: how === 'returns' ? 'succeeded' : 'failed' });
  });

  it('that spins ends with its JobManager', async () => {
    await writeFile(join(directory, 'src', 'app.ts'), spinning);
    const bundle = await bundleApplication({
      entry: join(directory, 'src', 'app.ts'),
      projectDir: directory,
      cacheDir: join(directory, 'bundles'),
    });
    const parentScript = fileURLToPath(new URL('./orphan-parent.ts', import.meta.url));
    const parent = spawn(
      process.execPath,
      [parentScript, applicationScript, directory, bundle.file],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const ended = new Promise((resolve) => parent.once('close', resolve));
    let text = '';
    parent.stdout.on('data', (chunk) => (text += chunk));
    await expect.poll(() => text).toContain('spinning');
    const pid = Number(/pid (\d+)/.exec(text)![1]);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await ended;
    await expect.poll(() => isAlive(pid)).toBe(false);
  });
});
