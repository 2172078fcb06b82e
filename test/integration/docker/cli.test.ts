/** The built CLI with clusters on a real Docker engine: all modes, bad inputs, faults. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, Project, imports } from '../../cli/project.ts';
import { smallCluster } from '../../providers/cluster-specs.ts';
import { DockerEngine, dockerRig } from '../../rigs/docker/engine.ts';
import { describeWith } from '../../rigs/rig.ts';
import { openProvider } from './engine-provider.ts';

const waiting = { timeout: 60_000, interval: 200 };
const wordCount = join(import.meta.dirname, '../../../examples/word-count/app.ts');

const endless = `${imports}
export const endless = defineJob('endless', (env) => {
  env.fromSource(GeneratorSource.of({ count: 1e9, create: (i) => i, ratePerSecond: 100 })).sinkTo(DiscardSink.create());
});`;

let engine: DockerEngine;
let caches: string;
let project: Project;

async function docker(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await engine.docker(...args);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}

/** Lines of YAML that put the cluster on the engine. */
const onEngine = (...docker: readonly string[]) => [
  'provider: docker',
  'jobmanager: { rest: { port: 0 }, resources: { memory: 384MiB } }',
  'taskmanager: { replicas: 2, resources: { memory: 384MiB } }',
  'providers:',
  '  docker:',
  `    host: ${engine.host}`,
  '    pull: never',
  ...(docker.some((line) => line.startsWith('baseImage'))
    ? []
    : [`    baseImage: ${engine.baseImage}`]),
  ...docker.map((line) => `    ${line}`),
];

const state = async (id = 'demo'): Promise<string> =>
  (await project.run('status', id)).json.data.state as string;
const codes = ({ json }: Answer) => json.errors.map(({ code }) => code).sort();

/** Everything that fctl has on the engine, images apart. */
async function leftovers(): Promise<string[]> {
  const kinds = [
    ['ps', '--all', '--format', '{{.Names}}'],
    ['volume', 'ls', '--format', '{{.Name}}'],
    ['network', 'ls', '--format', '{{.Name}}'],
  ] as const;
  const all = await Promise.all(kinds.map((args) => docker(...args)));
  return all.flatMap((text) => text.split('\n')).filter((name) => name.startsWith('fctl-'));
}

describeWith([dockerRig], 'clusters on a Docker engine', () => {
  beforeAll(async () => {
    caches = await mkdtemp(join(tmpdir(), 'fctl-docker-'));
    process.env['XDG_CACHE_HOME'] = caches;
    engine = await DockerEngine.start({ tls: true });
    const provider = await openProvider(engine, { cacheDir: join(caches, 'fctl') });
    const spec = smallCluster({ clusterId: 'none', clientDir: caches });
    const signal = AbortSignal.timeout(120_000);
    await provider.install(spec, { signal, onProgress: () => {} });
    await provider.close();
  });
  afterAll(async () => {
    await engine?.stop();
    await rm(caches, { recursive: true, force: true });
  });
  beforeEach(async () => {
    project = await Project.create();
  });
  afterEach(async () => {
    for (const { clusterId } of (await project.run('list')).json.data?.clusters ?? [])
      await project.run('destroy', clusterId, '--yes');
    await docker('volume', 'rm', '--force', 'texts');
    await project.remove();
  });

  describe('word count', () => {
    /** A volume with a text in it, as users have them: somebody else's files, and a folder to write to. */
    beforeEach(async () => {
      await docker('volume', 'create', 'texts');
      const script = 'mkdir /data/in; echo "the elbe the rhine" > /data/in/a.txt; chmod 777 /data';
      await docker('run', '--rm', '--volume', 'texts:/data', engine.baseImage, 'sh', '-c', script);
      await project.write('src/app.ts', await readFile(wordCount, 'utf8'));
    });

    const configure = (mode: string) =>
      project.configure(
        '  parallelism: 2',
        '  args: { input: /data/in, output: /data/out }',
        `mode: ${mode}`,
        'storage: { shared: [/data] }',
        ...onEngine('volumes: { /data: texts }'),
      );
    const counted = async () => {
      const read = ['--volume', 'texts:/data', engine.baseImage, 'sh', '-c', 'cat /data/out/*.csv'];
      const lines = (await docker('run', '--rm', ...read)).split(/\r?\n/);
      return lines.filter((line) => !line.startsWith('word')).sort();
    };
    const wanted = ['elbe,1', 'rhine,1', 'the,2'];

    it('as an application: it ends by itself, and its containers are not started again', async () => {
      await configure('application');
      const { exitCode, json } = await project.run('deploy');
      expect(json.errors).toEqual([]);
      expect(exitCode).toBe(0);
      expect(await counted()).toEqual(wanted);
      expect(await state()).toBe('SUCCEEDED');
      const running = async () => docker('ps', '--quiet');
      await expect.poll(running, waiting).toBe('');
      const destroyed = await project.run('destroy', 'demo', '--yes');
      expect(destroyed.exitCode).toBe(0);
      expect(await leftovers()).toEqual([]);
      expect(await docker('volume', 'ls', '--quiet')).toBe('texts');
    });

    it('per job: a cluster of its own', async () => {
      await configure('per-job');
      const { json } = await project.run('deploy');
      expect(json.errors).toEqual([]);
      expect(await counted()).toEqual(wanted);
    });

    it('in a session', async () => {
      await configure('session');
      expect((await project.run('session', 'start')).json.errors).toEqual([]);
      expect((await project.run('session', 'submit')).json.errors).toEqual([]);
      expect(await counted()).toEqual(wanted);
      expect((await project.run('session', 'start')).json.data.changed).toBe(false);
      expect((await project.run('session', 'stop')).exitCode).toBe(0);
      expect(await state()).toBe('SUCCEEDED');
    });
  });

  it('takes a new volume over, so that processes may write to it', async () => {
    await docker('volume', 'create', 'fresh');
    const script = `const fs = require('fs'); fs.writeFileSync('/results/it', 'x'); console.log('written');
      setInterval(() => {}, 1000)`;
    const provider = await openProvider(engine, {
      cacheDir: join(caches, 'fctl'),
      docker: { volumes: { '/results': 'fresh' } },
    });
    const spec = smallCluster({ clusterId: 'demo', script, clientDir: caches });
    const [process] = spec.processes;
    const signal = AbortSignal.timeout(60_000);
    await provider.apply(
      {
        kind: 'create',
        process: 'jobmanager-0',
        role: 'jobmanager',
        index: 0,
        reason: '',
        causes: [],
        spec: process!,
      },
      spec,
      { fence: 1, signal },
    );
    await expect.poll(() => docker('logs', 'fctl-demo-jobmanager-0'), waiting).toBe('written');
    const kept = await provider.destroy('demo', { fence: null, deleteState: true, signal });
    expect(kept).toEqual(['volume fresh (/results)']);
    await provider.close();
    await docker('volume', 'rm', 'fresh');
  });

  describe('secrets', () => {
    it('are in no environment, no command and nothing that the engine shows', async () => {
      const secret = 'a-secret-that-nobody-sees';
      await project.write(
        'src/app.ts',
        endless.replace(
          "'endless', (env)",
          "'endless', { args: types.record({ password: types.string }) }, (env)",
        ),
      );
      await project.write('secret.txt', secret);
      await project.configure('  args: { password: "${file:secret.txt}" }', ...onEngine());
      expect((await project.run('deploy', '--detach')).json.errors).toEqual([]);
      const names = (await docker('ps', '--format', '{{.Names}}')).split('\n');
      const token = await docker('exec', 'fctl-demo-jobmanager-0', 'cat', '/fctl/secrets/token');
      const shown = await docker('inspect', ...names, 'fctl-demo');
      expect(token).toMatch(/^[0-9a-f]{64}$/);
      expect(shown).toContain('/fctl/secrets/token');
      expect(shown).not.toContain(token);
      expect(shown).not.toContain(secret);
      const args = await docker(
        'exec',
        'fctl-demo-jobmanager-0',
        'cat',
        '/fctl/secrets/application-args',
      );
      expect(args).toContain(secret);
      const modes = await docker(
        'exec',
        'fctl-demo-jobmanager-0',
        'stat',
        '-c',
        '%a %u',
        '/fctl/secrets/token',
      );
      expect(modes).toBe('400 1000');
      const { HostConfig } = JSON.parse(shown)[0] as { HostConfig: Record<string, unknown> };
      expect(HostConfig).toMatchObject({ Init: true, Memory: 384 * 1024 * 1024, NanoCpus: 1e9 });
    });
  });

  describe('bad inputs', () => {
    beforeEach(() => project.write('src/app.ts', endless));
    const deploy = (...args: string[]) => project.run('deploy', '--detach', ...args);

    it('finds everything that is wrong at once, and changes nothing', async () => {
      const holder = createServer().listen(0, '127.0.0.1');
      await once(holder, 'listening');
      const { port } = holder.address() as AddressInfo;
      await project.configure(
        ...onEngine(
          'baseImage: no-such-image:1',
          'network: no-such-network',
          'volumes: { /data: no-such-volume }',
        ),
      );
      const answer = await deploy(
        '--set',
        `jobmanager.rest.port=${port}`,
        '--set',
        'taskmanager.resources.memory=999GiB',
        '--set',
        'taskmanager.resources.cpu=999',
      );
      holder.close();
      expect(answer.exitCode).toBe(4);
      expect(codes(answer)).toEqual([
        'base-image-missing',
        'network-missing',
        'not-enough-cpus',
        'not-enough-memory',
        'port-taken',
        'volume-missing',
      ]);
      expect(await leftovers()).toEqual([]);
    });

    it('names the container that has the port', async () => {
      const program = [engine.baseImage, 'node', '-e', 'setInterval(() => {}, 1000)'];
      await docker(
        'run',
        '--detach',
        '--init',
        '--name',
        'holder',
        '--publish',
        '127.0.0.1:9123:80',
        ...program,
      );
      await project.configure(...onEngine());
      const answer = await deploy('--set', 'jobmanager.rest.port=9123');
      await docker('rm', '--force', 'holder');
      expect(answer.exitCode).toBe(4);
      expect(answer.json.errors).toMatchObject([
        {
          code: 'port-taken',
          path: '/jobmanager/rest/port',
          message: expect.stringContaining('container holder'),
        },
      ]);
    });

    it('says that no engine answers', async () => {
      await project.configure(
        ...onEngine().map((l) => l.replace(engine.host, 'unix:///no/such.sock')),
      );
      const answer = await deploy();
      expect(answer.exitCode).toBe(4);
      expect(codes(answer)).toEqual(['engine-unreachable']);
    });

    it('touches no container, volume or network that only looks like its own', async () => {
      const label = ['--label', 'fctl.dev/cluster=demo'];
      const program = [engine.baseImage, 'node', '-e', 'setInterval(() => {}, 1000)'];
      await docker(
        'run',
        '--detach',
        '--init',
        '--name',
        'fctl-demo-jobmanager-0',
        ...label,
        ...program,
      );
      await docker('volume', 'create', ...label, 'fctl-demo');
      await docker('network', 'create', ...label, 'fctl-demo');
      await project.configure(...onEngine());
      const answer = await deploy();
      expect(answer.exitCode).toBe(4);
      expect(codes(answer)).toEqual(['foreign-resource', 'foreign-resource', 'foreign-resource']);
      const destroyed = await project.run('destroy', 'demo', '--yes');
      expect(destroyed.exitCode).toBe(7);
      expect(await docker('inspect', '-f', '{{.State.Running}}', 'fctl-demo-jobmanager-0')).toBe(
        'true',
      );
      expect(await leftovers()).toEqual(['fctl-demo-jobmanager-0', 'fctl-demo', 'fctl-demo']);
      await docker('rm', '--force', 'fctl-demo-jobmanager-0');
      await docker('volume', 'rm', 'fctl-demo');
      await docker('network', 'rm', 'fctl-demo');
    });
  });

  async function startEndless(): Promise<void> {
    const { errors } = (await project.run('deploy', '--detach')).json;
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'));
  }

  describe('faults', () => {
    beforeEach(async () => {
      await project.write('src/app.ts', endless);
      await project.configure('  parallelism: 1', ...onEngine());
      await startEndless();
    });
    const destroyAll = async () => {
      expect((await project.run('destroy', 'demo', '--yes')).exitCode).toBe(0);
      expect(await leftovers()).toEqual([]);
    };

    it('a JobManager that the engine was told to kill is lost, and another deployment starts it', async () => {
      await docker('kill', 'fctl-demo-jobmanager-0');
      expect(await state()).toBe('LOST');
      expect((await project.run('deploy', '--detach')).json.errors).toEqual([]);
      expect(await state()).toBe('RUNNING');
      await destroyAll();
    });

    it('a JobManager that crashed is started again by the engine, and found at its new port', async () => {
      const pid = await docker('inspect', '-f', '{{.State.Pid}}', 'fctl-demo-jobmanager-0');
      process.kill(Number(pid), 'SIGKILL');
      await expect
        .poll(async () => {
          const { data } = (await project.run('status', 'demo')).json;
          const master = data.processes.find((p: { name: string }) => p.name === 'jobmanager-0');
          return [data.state, master.restarts, master.exitCode];
        }, waiting)
        .toEqual(['RUNNING', 1, 137]);
      await destroyAll();
    });

    it('an engine that is restarted ends what ran, as by SIGTERM; it is said so, and nothing is left', async () => {
      await engine.restart();
      expect(await state()).toBe('CANCELED');
      await destroyAll();
    });

    it('an engine that was killed is said to be away, and afterwards the truth is told', async () => {
      await engine.kill();
      const away = await project.run('status', 'demo');
      expect(away.exitCode).toBe(4);
      expect(codes(away)).toEqual(['engine-unreachable']);
      await engine.restart();
      expect(await state()).toBe('CANCELED');
      await destroyAll();
    });
  });

  it('reaches an engine by TCP with TLS, and says what is wrong with certificates', async () => {
    const { caDir, host } = engine.tls!;
    await project.write('src/app.ts', endless);
    const over = (certPath: string) =>
      onEngine(`certPath: ${certPath}`).map((line) => line.replace(engine.host, host));
    await project.configure(...over(project.folder));
    const refused = await project.run('deploy', '--detach');
    expect(refused.exitCode).toBe(4);
    expect(codes(refused)).toEqual(['engine-tls']);
    await project.configure(...over(caDir));
    expect((await project.run('deploy', '--detach')).json.errors).toEqual([]);
    expect(await state()).toBe('RUNNING');
    expect((await project.run('cancel', 'demo')).exitCode).toBe(0);
  });
});
