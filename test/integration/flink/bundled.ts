/** Our own cluster with the jobs of test/rigs/flink/jobs/TestJob.java, deployed by the built CLI. */
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { demo } from '../../demo.ts';
import { FlinkRestClient } from '../../../src/flink-rest/client.ts';
import { createLocalProvider, resolveLocalOptions } from '../../../src/providers/local/index.ts';
import type { ClusterConnection } from '../../../src/providers/provider.ts';
import { Project, imports } from '../../cli/project.ts';

const launcher = resolve(import.meta.dirname, '../../../bin/fctl.js');

interface Counted {
  readonly name: string;
  /** Default: without end. */
  readonly count?: number;
  /** The number that throws; default: none. */
  readonly failAt?: number;
}

export interface BundledCluster {
  readonly project: Project;
  readonly url: string;
  readonly token: string | null;
  readonly client: FlinkRestClient;
}

interface BundledOptions {
  /** Default: in application mode, as one application that waits for all jobs. */
  readonly mode?: 'application' | 'session';
  readonly slots: number;
  readonly auth?: 'token' | 'none';
}

export async function startBundled(
  jobs: readonly Counted[],
  { slots, auth = 'token', mode = 'application' }: BundledOptions,
): Promise<BundledCluster> {
  const project = await Project.create();
  const run = async (...args: string[]) => {
    const { exitCode, json } = await project.run(...args);
    if (exitCode !== 0) throw new Error(`fctl ${args.join(' ')}: ${JSON.stringify(json.errors)}`);
  };
  try {
    await project.write('src/app.ts', application(jobs));
    await project.configure(
      `  args: { waits: ${mode === 'application'} }`,
      `taskmanager: { slots: ${slots} }`,
      `security: { auth: ${auth} }`,
    );
    if (mode === 'application') await run('deploy', '--detach');
    else {
      await run('session', 'start');
      await run('session', 'submit', '--detach');
    }
    const { url, token } = await endpointOf(project);
    const client = new FlinkRestClient({ url, token, timeoutMs: 30_000 });
    return { project, url, token, client };
  } catch (error) {
    await project.remove();
    throw error;
  }
}

/** The file that a person uploads: an application with one job, without end. */
export async function bundleOf(project: Project, name: string): Promise<string> {
  await project.write('src/app.ts', application([{ name }]));
  const { exitCode, json } = await project.run('bundle');
  if (exitCode !== 0) throw new Error(JSON.stringify(json.errors));
  return (json.data as { readonly file: string }).file;
}

/** `fctl proxy` in a process of its own. */
export async function startProxy(project: Project, ...args: readonly string[]) {
  const proxy = execa(process.execPath, [launcher, 'proxy', 'demo', '--json', ...args], {
    cwd: project.folder,
    env: { FCTL_HOME: join(project.folder, 'home') },
    reject: false,
  });
  const [said] = (await Promise.race([once(proxy.stdout, 'data'), proxy.then(refused)])) as [
    Buffer,
  ];
  const { data } = JSON.parse(said.toString()) as { data: { url: string } };
  return {
    url: data.url,
    close: async () => {
      proxy.kill('SIGINT');
      await proxy;
    },
  };
}

function refused({ stderr }: { readonly stderr: string }): never {
  throw new Error(`fctl proxy ended: ${stderr}`);
}

/** The CLI tells nobody the token. */
async function endpointOf({ folder }: Project): Promise<ClusterConnection> {
  const runtime = { dir: folder, node: process.execPath };
  const provider = createLocalProvider(resolveLocalOptions(join(folder, 'home'), runtime, {}));
  const endpoint = await provider.connect(demo, { signal: new AbortController().signal });
  if (endpoint === null) throw new Error('the cluster has no endpoint');
  return endpoint;
}

const application = (jobs: readonly Counted[]) => `${imports}
const jobs = ${JSON.stringify(jobs)}.map(({ name, count, failAt }) =>
  defineJob(name, (env) => {
    const numbers = GeneratorSource.of({ count, create: (index) => index, ratePerSecond: 100 });
    env
      .fromSource(numbers, { name: 'numbers' })
      .keyBy((number) => number % 10)
      .reduce((_, number) => number, { name: 'latest' })
      .map((number, context) => {
        if (number === failAt) throw new RangeError('fails at ' + number + ', as told');
        context.counter('records').add();
        return number;
      }, { name: 'count' })
      .sinkTo(DiscardSink.create())
      .name('discard');
  }),
);

export async function main(ctx) {
  const handles = [];
  for (const job of jobs) handles.push(await ctx.executeAsync(job));
  if (ctx.args.waits) await Promise.allSettled(handles.map((handle) => handle.result()));
}
`;
