/** `fctl session start` on local processes; jobs are compiled and submitted as `main()` on a client does. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { parseClusterId } from '../../src/contract/cluster-id.ts';
import { FlinkRestClient } from '../../src/flink-rest/client.ts';
import { compileJob } from '../../src/graph/compile.ts';
import { createHttpSubmitter } from '../../src/application/http-submitter.ts';
import { loadBundle } from '../../src/application/load-bundle.ts';
import { bundleApplication } from '../../src/packaging/bundle.ts';
import { createLocalProvider, resolveLocalOptions } from '../../src/providers/local/index.ts';
import type { SessionSubject } from './subject.ts';

const launcher = join(import.meta.dirname, '../../bin/fctl.js');

const application = `
import { DiscardSink, GeneratorSource, defineJob, types } from 'fctl';
const args = types.record({ name: types.string, count: types.int32, rate: types.int32 });
defineJob('bench', { args }, (env, { count, rate }) => {
  const numbers = GeneratorSource.of({
    create: (index) => index,
    ...(count === 0 ? {} : { count }),
    ...(rate === 0 ? {} : { ratePerSecond: rate }),
  });
  env
    .fromSource(numbers, { name: 'numbers' })
    .keyBy((number) => number % 10)
    .reduce((_, number) => number, { name: 'latest' })
    .map((number, context) => (context.counter('records').add(), number), { name: 'count' })
    .sinkTo(DiscardSink.create());
});`;

/** A process and the shell that starts it again. */
interface Supervised {
  readonly pid: number;
  readonly supervisor: { readonly pid: number };
}

export const fctlSubject: SessionSubject = {
  name: 'fctl',
  async start(taskManagers, slots) {
    const home = mkdtempSync(join(tmpdir(), 'fctl-bench-session-'));
    writeFileSync(join(home, 'app.ts'), application);
    writeFileSync(
      join(home, 'fctl.config.json'),
      JSON.stringify({
        cluster: 'bench',
        taskmanager: { replicas: taskManagers, slots, resources: { memory: '8GiB' } },
      }),
    );
    const fctl = (...args: string[]) =>
      execFileSync(process.execPath, [launcher, ...args, '--quiet'], {
        cwd: home,
        env: { ...process.env, FCTL_HOME: home },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
    const remove = () => {
      fctl('destroy', 'bench', '--yes');
      rmSync(home, { recursive: true, force: true });
    };
    try {
      fctl('session', 'start');
      return { ...(await connect(home)), stop: async () => remove() };
    } catch (error) {
      remove();
      throw error;
    }
  },
};

async function connect(home: string) {
  const runtime = { dir: home, node: process.execPath };
  const provider = createLocalProvider(resolveLocalOptions(home, runtime, {}));
  const call = { signal: new AbortController().signal };
  const { epoch, token, url } = (await provider.connect(parseClusterId('bench'), call))!;
  const submitter = createHttpSubmitter({
    restUrl: url,
    token,
    epoch,
    secrets: [],
  });
  const { hash: bundleHash, file } = await bundleApplication({
    entry: join(home, 'app.ts'),
    projectDir: home,
    cacheDir: join(home, 'bundles'),
  });
  await submitter.upload(bundleHash, file);
  const { registry } = await loadBundle(file);
  const processes = join(home, 'clusters/bench/processes');
  const pidsOf = (role: string) =>
    readdirSync(processes)
      .filter((name) => name.startsWith(role))
      .flatMap((name) => {
        const text = readFileSync(join(processes, name, 'process.json'), 'utf8');
        const { pid, supervisor } = JSON.parse(text) as Supervised;
        return [pid, supervisor.pid];
      });
  let executeIndex = 0;
  return {
    client: new FlinkRestClient({ url, token, timeoutMs: 30_000 }),
    jobManager: pidsOf('jobmanager'),
    taskManagers: pidsOf('taskmanager'),
    submit: (job: object) => {
      const { graph } = compileJob(
        registry.jobs.get('bench')!,
        { ...job },
        { bundleHash, parallelism: 1 },
      );
      const jobId = randomBytes(16).toString('hex');
      return submitter.submit({ jobId, graph, executeIndex: executeIndex++ });
    },
  };
}
