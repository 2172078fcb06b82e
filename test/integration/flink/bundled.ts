/** Our own cluster with the jobs of test/rigs/flink/jobs/TestJob.java, deployed by the built CLI. */
import { join } from 'node:path';
import { FlinkRestClient } from '../../../src/flink-rest/client.ts';
import { createLocalProvider } from '../../../src/providers/local/index.ts';
import type { ReachableEndpoint } from '../../../src/providers/provider.ts';
import { Project, imports } from '../../cli/project.ts';

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

export async function startBundled(
  jobs: readonly Counted[],
  { slots, auth = 'token' }: { readonly slots: number; readonly auth?: 'token' | 'none' },
): Promise<BundledCluster> {
  const project = await Project.create();
  try {
    await project.write('src/app.ts', application(jobs));
    await project.configure(`taskmanager: { slots: ${slots} }`, `security: { auth: ${auth} }`);
    const deployed = await project.run('deploy', '--detach');
    if (deployed.exitCode !== 0) throw new Error(JSON.stringify(deployed.json.errors));
    const { url, token } = await endpointOf(project);
    const client = new FlinkRestClient({ url, token, timeoutMs: 5000 });
    return { project, url, token, client };
  } catch (error) {
    await project.remove();
    throw error;
  }
}

/** The CLI tells nobody the token. */
async function endpointOf({ folder }: Project): Promise<ReachableEndpoint> {
  const provider = createLocalProvider({
    home: join(folder, 'home'),
    runtimeDir: folder,
    node: process.execPath,
    environment: {},
  });
  const endpoint = await provider.endpoint('demo');
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
  await Promise.allSettled(handles.map((handle) => handle.result()));
}
`;
