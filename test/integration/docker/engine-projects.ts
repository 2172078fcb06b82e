/** Projects whose clusters are on a Docker engine of a rig, driven by the built CLI. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseClusterId } from '../../../src/contract/cluster-id.ts';
import { type Answer, Project, imports } from '../../cli/project.ts';
import { smallCluster } from '../../../src/providers/testing/small-cluster.ts';
import { DockerEngine } from '../../rigs/docker/engine.ts';
import { openProvider } from './engine-provider.ts';

/** Of a condition that will come true, however busy the machine is. */
export const waiting = { timeout: 60_000, interval: 200 };

/** An application that ends when it is told to. */
export const endless = `${imports}
export const endless = defineJob('endless', (env) => {
  env.fromSource(GeneratorSource.of({ count: 1e9, create: (i) => i, ratePerSecond: 100 })).sinkTo(DiscardSink.create());
});`;

export const codes = ({ json }: Answer) => json.errors.map(({ code }) => code).sort();

export class EngineProjects {
  readonly engine: DockerEngine;
  /** Removed at the end. */
  readonly folder: string;
  #project: Project | null = null;

  private constructor(engine: DockerEngine, folder: string) {
    this.engine = engine;
    this.folder = folder;
  }

  /**
   * On an engine that has the image of the runtime.
   * @param isOwn whether nobody else may use it, for it is restarted. Default: others may.
   */
  static async start({ isOwn = false } = {}): Promise<EngineProjects> {
    const folder = await mkdtemp(join(tmpdir(), 'fctl-docker-'));
    process.env['XDG_CACHE_HOME'] = folder;
    const engine = await (isOwn ? DockerEngine.start({ tls: true }) : DockerEngine.share());
    const provider = await openProvider(engine, { cacheDir: join(folder, 'fctl') });
    const spec = smallCluster({ clusterId: parseClusterId('none'), clientDir: folder });
    await provider.install(spec.runtime, {
      signal: AbortSignal.timeout(120_000),
      onProgress: () => {},
    });
    await provider.close();
    return new EngineProjects(engine, folder);
  }

  async stop(): Promise<void> {
    await this.engine.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** That of the test. */
  get project(): Project {
    return this.#project!;
  }

  async begin(): Promise<void> {
    this.#project = await Project.create();
  }

  /** Removes the project and all its clusters. */
  async end(): Promise<void> {
    for (const { clusterId } of (await this.project.run('list')).json.data?.clusters ?? [])
      await this.project.run('destroy', clusterId, '--yes');
    await this.project.remove();
  }

  /** Docker's own client. */
  async docker(...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.engine.docker(...args);
    if (exitCode !== 0) throw new Error(stderr);
    return stdout;
  }

  /** Lines of YAML that put the cluster on the engine; `docker`: below `providers.docker`. */
  config(...docker: readonly string[]): string[] {
    const isNamed = docker.some((line) => line.startsWith('baseImage'));
    return [
      'provider: docker',
      'jobmanager: { rest: { port: 0 }, resources: { memory: 384MiB } }',
      'taskmanager: { replicas: 2, resources: { memory: 384MiB } }',
      'providers:',
      '  docker:',
      `    host: ${this.engine.host}`,
      '    pull: never',
      ...(isNamed ? [] : [`    baseImage: ${this.engine.baseImage}`]),
      ...docker.map((line) => `    ${line}`),
    ];
  }

  async state(id = 'demo'): Promise<string> {
    return (await this.project.run('status', id)).json.data.state as string;
  }

  /** Deploys and returns when it is up. */
  async deploy(...args: readonly string[]): Promise<void> {
    const { errors } = (await this.project.run('deploy', '--detach', ...args)).json;
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'));
  }

  /** Everything that fctl has on the engine, images apart. */
  async leftovers(): Promise<string[]> {
    const kinds = [
      ['ps', '--all', '--format', '{{.Names}}'],
      ['volume', 'ls', '--format', '{{.Name}}'],
      ['network', 'ls', '--format', '{{.Name}}'],
    ] as const;
    const all = await Promise.all(kinds.map((args) => this.docker(...args)));
    return all.flatMap((text) => text.split('\n')).filter((name) => name.startsWith('fctl-'));
  }

  /** A process of the cluster crashes: it is killed, but not by the engine. */
  async crash(name: string): Promise<void> {
    const pid = await this.docker('inspect', '-f', '{{.State.Pid}}', `fctl-demo-${name}`);
    process.kill(Number(pid), 'SIGKILL');
  }
}
