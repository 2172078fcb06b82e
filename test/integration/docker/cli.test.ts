/** The built CLI with clusters on a real Docker engine: all modes, secrets, bad inputs. */
import { chmod, readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { demo } from '../../demo.ts';
import type { Project } from '../../cli/project.ts';
import { convergeAll, smallCluster } from '../../../src/providers/testing/small-cluster.ts';
import { type DockerEngine, dockerRig } from '../../rigs/docker/engine.ts';
import { describeWith } from '../../rigs/rig.ts';
import { openProvider } from './engine-provider.ts';
import { EngineProjects, codes, endless, waiting } from './engine-projects.ts';

const launcher = join(import.meta.dirname, '../../../bin/fctl.js');
const wordCount = join(import.meta.dirname, '../../../examples/word-count/app.ts');

let on: EngineProjects;
let engine: DockerEngine;
let project: Project;

const docker = (...args: readonly string[]) => on.docker(...args);
const onEngine = (...lines: readonly string[]) => on.config(...lines);

describeWith([dockerRig], 'clusters on a Docker engine', () => {
  beforeAll(async () => {
    on = await EngineProjects.start();
    ({ engine } = on);
  });
  afterAll(() => on?.stop());
  beforeEach(async () => {
    await on.begin();
    ({ project } = on);
  });
  afterEach(async () => {
    await on.end();
    await docker('volume', 'rm', '--force', 'texts');
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
      expect(await on.state()).toBe('SUCCEEDED');
      const running = async () => docker('ps', '--quiet');
      await expect.poll(running, waiting).toBe('');
      const destroyed = await project.run('destroy', 'demo', '--yes');
      expect(destroyed.exitCode).toBe(0);
      expect(await on.leftovers()).toEqual([]);
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
      expect(await on.state()).toBe('SUCCEEDED');
    });
  });

  it('takes a new volume over, so that processes may write to it', async () => {
    await docker('volume', 'create', 'fresh');
    const script = `const fs = require('fs'); fs.writeFileSync('/results/it', 'x'); console.log('written');
      setInterval(() => {}, 1000)`;
    const provider = await openProvider(engine, {
      cacheDir: join(on.folder, 'fctl'),
      docker: { volumes: { '/results': 'fresh' } },
    });
    const spec = smallCluster({ clusterId: demo, script, clientDir: on.folder });
    const signal = AbortSignal.timeout(60_000);
    await convergeAll(provider, spec, { fence: 1, signal });
    await expect.poll(() => docker('logs', 'fctl-demo-jobmanager-0'), waiting).toBe('written');
    const kept = await provider.destroy(demo, { fence: null, deleteState: true, signal });
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
      const processes = ['jobmanager-0', 'taskmanager-0'].map((name) => `fctl-demo-${name}`);
      const all = (await docker('ps', '--format', '{{.Names}}')).split('\n');
      // A helper that a client used may be going away at this moment.
      const helpers = all.filter((name) => !processes.includes(name));
      const shownOfHelpers = await Promise.allSettled(
        helpers.map((name) => docker('inspect', name)),
      );
      const token = await docker('exec', 'fctl-demo-jobmanager-0', 'cat', '/fctl/secrets/token');
      const shown = await docker('inspect', ...processes, 'fctl-demo');
      expect(token).toMatch(/^[0-9a-f]{64}$/);
      expect(shown).toContain('/fctl/secrets/token');
      for (const text of [shown, JSON.stringify(shownOfHelpers)]) {
        expect(text).not.toContain(token);
        expect(text).not.toContain(secret);
      }
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
      expect(await on.leftovers()).toEqual([]);
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

    it('says which base image it cannot get, in the words of the engine', async () => {
      const lines = onEngine('baseImage: "127.0.0.1:1/no-such-image:1"');
      await project.configure(...lines.map((line) => line.replace('pull: never', 'pull: missing')));
      const answer = await deploy();
      expect(answer.exitCode).toBe(4);
      expect(answer.json.errors).toMatchObject([
        {
          code: 'base-image-missing',
          path: '/providers/docker/baseImage',
          message: expect.stringMatching(/127\.0\.0\.1:1\/no-such-image:1 .*connection refused/),
          hint: expect.stringContaining('providers.docker.baseImage'),
        },
      ]);
      expect(await on.leftovers()).toEqual([]);
    });

    it('says that one may not use the socket', async () => {
      await project.configure(...onEngine());
      await chmod(engine.socketPath, 0);
      // Root, without what lets it open everything.
      const drop = ['--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-all'];
      const command = [process.execPath, launcher, 'list', '--json'];
      const options = { cwd: project.folder, env: { FCTL_HOME: project.home }, reject: false };
      const { exitCode, stdout } = await execa('setpriv', [...drop, ...command], options);
      await chmod(engine.socketPath, 0o660);
      expect(exitCode).toBe(4);
      expect(JSON.parse(stdout).errors).toMatchObject([
        { code: 'engine-not-permitted', hint: expect.stringContaining("'docker'") },
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
      expect(await on.leftovers()).toEqual(['fctl-demo-jobmanager-0', 'fctl-demo', 'fctl-demo']);
      await docker('rm', '--force', 'fctl-demo-jobmanager-0');
      await docker('volume', 'rm', 'fctl-demo');
      await docker('network', 'rm', 'fctl-demo');
    });
  });

  it('runs on a network that is there, which stays', async () => {
    await docker('network', 'create', 'mine');
    await project.write('src/app.ts', endless);
    await project.configure(...onEngine('network: mine'));
    await on.deploy();
    const networks = '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}';
    const names = ['fctl-demo-jobmanager-0', 'fctl-demo-taskmanager-0'];
    expect(await docker('inspect', '-f', networks, ...names)).toBe('mine \nmine ');
    expect(await docker('network', 'ls', '--format', '{{.Name}}')).not.toContain('fctl-demo');
    expect((await project.run('destroy', 'demo', '--yes')).exitCode).toBe(0);
    expect(await on.leftovers()).toEqual([]);
    await docker('network', 'rm', 'mine');
  });

  it.each([
    ['volume', '--volume', 'fctl-demo:/theirs'],
    ['network', '--network', 'fctl-demo'],
  ])("says whose container keeps a cluster's %s from being removed", async (kind, ...use) => {
    await project.write('src/app.ts', endless);
    await project.configure(...onEngine());
    await on.deploy();
    const sleeper = [engine.baseImage, 'node', '-e', 'setInterval(() => {}, 1000)'];
    await docker('run', '--detach', '--init', '--name', 'theirs', ...use, ...sleeper);
    const refused = await project.run('destroy', 'demo', '--yes');
    expect(refused.exitCode).toBe(8);
    expect(refused.json.errors).toMatchObject([
      { code: `${kind}-in-use`, message: expect.stringContaining('used by theirs') },
    ]);
    expect(await docker('inspect', '-f', '{{.State.Running}}', 'theirs')).toBe('true');
    await docker('rm', '--force', 'theirs');
    expect((await project.run('destroy', 'demo', '--yes')).exitCode).toBe(0);
    expect(await on.leftovers()).toEqual([]);
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
    expect(await on.state()).toBe('RUNNING');
    expect((await project.run('cancel', 'demo')).exitCode).toBe(0);
  });
});
