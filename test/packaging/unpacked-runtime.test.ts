/**
 * The real archive, unpacked by tar into a folder of its own, runs a cluster in an empty environment, and
 * nothing of this repository or of the machine's Node.js.
 */
import { systemClock } from '../../src/contract/clock.ts';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { demo } from '../demo.ts';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Redactor } from '../../src/contract/secrets.ts';
import type { LoadedConfig } from '../../src/config/load.ts';
import type { OutcomeDocument } from '../../src/record/documents.ts';
import { deploy } from '../../src/deployment/deploy.ts';
import { followApplication } from '../../src/deployment/follow.ts';
import { engines, loadEngine } from '../../src/engines/registry.ts';
import { bundleApplication } from '../../src/packaging/bundle.ts';
import { runtimeFor } from '../../src/packaging/runtime.ts';
import { createLocalProvider } from '../../src/providers/local/index.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { eventually } from '../cli/project.ts';
import { Project } from '../config/project.ts';

const repository = resolve(import.meta.dirname, '../..');
const signal = new AbortController().signal;

/** Counts words; waits at the first one until a file is there, and fails at another. */
const application = `import { existsSync, writeFileSync } from 'node:fs';
import { EndOfStreamWindows, FileSink, FileSource, defineJob, types } from 'fctl';

const count = types.record({ word: types.string, count: types.int32 });
const paths = types.record({ input: types.string, output: types.string });

function check(word: string): string {
  if (word === 'broken') throw new Error('a broken word');
  if (word !== 'wait') return word;
  writeFileSync('waiting', '');
  while (!existsSync('go')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  return word;
}

export const words = defineJob('words', { args: paths }, (env, { input, output }) => {
  env
    .fromSource(FileSource.text(input))
    .flatMap<string>((line, out) => line.split(' ').forEach((word) => out.collect(check(word))))
    .map((word) => ({ word, count: 1 }), { type: count })
    .keyBy('word')
    .window(EndOfStreamWindows.get())
    .reduce((a, b) => ({ word: a.word, count: a.count + b.count }))
    .sinkTo(FileSink.csv(output, { type: count }));
});
`;

let runtime: string;
let project: Project;
let home: string;
let provider: Provider;

beforeAll(async () => {
  runtime = await realpath(await mkdtemp(join(tmpdir(), 'fctl-runtime-')));
  const { arch } = process as { arch: 'x64' | 'arm64' };
  const archive = await runtimeFor(
    { platform: 'linux', arch },
    {
      node: null,
      runtimeDir: join(repository, 'dist'),
      templatesDir: join(repository, 'templates'),
      cacheDir: join(runtime, 'cache'),
      environment: process.env,
      signal,
      onProgress: () => {},
    },
  );
  await mkdir(join(runtime, 'unpacked'));
  await execa('tar', ['-xzf', archive.file, '-C', join(runtime, 'unpacked')]);
  await rm(join(runtime, 'cache'), { recursive: true });
}, 60_000);
afterAll(() => rm(runtime, { recursive: true }));

beforeEach(async () => {
  project = await Project.with({
    'fctl.config.yaml': `cluster: demo
application: { entry: src/app.ts, args: { input: ./data, output: ./out } }
`,
    'src/app.ts': application,
  });
  home = await realpath(await mkdtemp(join(tmpdir(), 'fctl-unpacked-')));
  provider = createLocalProvider({
    home,
    runtimeDir: join(runtime, 'unpacked/dist'),
    supervisor: join(runtime, 'unpacked/templates/supervise.sh'),
    node: join(runtime, 'unpacked/bin/node'),
    environment: {},
  });
});
afterEach(async () => {
  await provider.destroy(demo, { fence: null, deleteState: true, signal });
  await rm(home, { recursive: true });
  await project[Symbol.asyncDispose]();
});

/** Deploys as the CLI does. @returns how the application ended. */
async function run(): Promise<OutcomeDocument> {
  const loaded: LoadedConfig = await project.load({ requireApplication: true });
  const { config } = loaded;
  const bundle = await bundleApplication({
    entry: config.application!.entry,
    projectDir: config.projectDir,
    cacheDir: join(home, 'bundles'),
  });
  const engine = await loadEngine(engines, 'bundled');
  const { previousEpoch } = await deploy(
    {
      config,
      maskedConfig: {},
      today: null,
      onUnknownKeys: () => {},
      bundle,
      bundlesDir: home,
      provider,
      engines,
      clock: systemClock,
      signal,
      engine,
      problems: [],
      hooks: null,
    },
    {
      signal,
      redactor: new Redactor(),
      onEvent: () => {},
      healthTimeoutMs: 30_000,
      lockWaitMs: 0,
      allowStateLoss: false,
      rollbackOnFailure: false,
    },
  );
  const follow = { previousEpoch, signal, onSnapshot: () => {} };
  return (await followApplication(
    { provider, engines, clock: systemClock, signal },
    demo,
    follow,
  ))!;
}

interface RunningProcess {
  readonly command: string;
  readonly files: ReadonlySet<string>;
}

/** Node.js processes of the cluster, each with the files that it maps or has open. */
function running(): RunningProcess[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const marked = readFileSync(`/proc/${pid}/environ`, 'latin1').includes(home);
      const [executable = '', ...command] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split(
        '\0',
      );
      if (!marked || !executable.endsWith('node')) return [];
      const maps = readFileSync(`/proc/${pid}/maps`, 'utf8').match(/\/.*$/gm) ?? [];
      const open = readdirSync(`/proc/${pid}/fd`).map((fd) =>
        readlinkSync(`/proc/${pid}/fd/${fd}`),
      );
      const files = [...maps, ...open, readlinkSync(`/proc/${pid}/exe`)];
      return [
        { command: command.join(' '), files: new Set(files.filter((f) => f.startsWith('/'))) },
      ];
    } catch {
      return []; // it has ended, or is somebody else's
    }
  });
}

it('runs a word count to its end, with nothing but what was unpacked', async () => {
  await project.write('data/a.txt', 'to be or not to be wait\n');
  const outcome = run();
  await eventually(() => readdirSync(project.folder).includes('waiting'));
  const processes = running();
  await project.write('go', '');
  expect((await outcome).status).toBe('SUCCEEDED');

  const scripts = processes.map(({ command }) => /(\w+)\.js/.exec(command)?.[1]);
  expect(new Set(scripts)).toEqual(new Set(['application', 'jobmanager', 'taskmanager']));
  expect(processes).toHaveLength(3);
  const own = [join(runtime, 'unpacked'), home, await realpath(project.folder)];
  const isAllowed = (file: string) =>
    own.some((folder) => file.startsWith(`${folder}/`)) ||
    /^\/(dev|proc)\/|^(\/usr)?\/lib.*\.so[.\d]*$/.test(file);
  for (const { files } of processes) {
    expect(files).toContain(join(runtime, 'unpacked/bin/node'));
    expect([...files].filter((file) => !isAllowed(file))).toEqual([]);
  }

  const parts = await readdir(join(project.folder, 'out'));
  const texts = parts.map((name) => readFile(join(project.folder, 'out', name), 'utf8'));
  const lines = (await Promise.all(texts)).flatMap((text) => text.trimEnd().split('\n').slice(1));
  expect(lines.sort()).toEqual(['be,2', 'not,1', 'or,1', 'to,2', 'wait,1']);
});

it('names the place in the user’s file where a job failed, without source maps of its own', async () => {
  await project.write('data/a.txt', 'a broken day\n');
  const { error, status } = await run();
  expect(status).toBe('FAILED');
  const line = application.split('\n').findIndex((text) => text.includes('a broken word')) + 1;
  expect(error!.message).toContain('a broken word');
  expect(JSON.stringify(error)).toContain(`src/app.ts:${line}`);
  const output = readFileSync(join(home, 'clusters/demo/logs/taskmanager-0.out'), 'utf8');
  expect(output).toBe('');
});

it('is complete: whatever is built for processes of a cluster can be imported', async () => {
  const node = join(runtime, 'unpacked/bin/node');
  const dist = join(runtime, 'unpacked/dist');
  const modules = ['index', 'config', 'testing', ...readdirSync(join(dist, 'connectors'))];
  const script = join(home, 'import.mjs');
  const paths = modules.map((name) =>
    name.endsWith('.js') ? join(dist, 'connectors', name) : join(dist, `${name}.js`),
  );
  await writeFile(script, paths.map((path) => `import '${path}';\n`).join(''));
  const { stdout } = await execa(node, [script], { env: {}, extendEnv: false, cwd: home });
  expect(stdout).toBe('');
});
