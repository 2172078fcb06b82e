/**
 * Starts and ends the containers of a cluster's processes.
 *
 * P1  The lock's epoch is checked where it acts: by the keeper in the step that lays files, and right
 *     before a container is stopped, made or started.
 * P2  A container of the name that is not the cluster's is left alone, and so is everything else then.
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { ClusterError, FctlError, ProviderError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { ClusterSpec, ProcessSpec } from '../../contract/process-spec.ts';
import { checkFence } from '../../record/fence.ts';
import type { ConvergeOptions } from '../provider.ts';
import type { StartAction } from '../shared/imperative.ts';
import { peekFolder, writeArchive } from './archive.ts';
import type { EngineClient } from './client.ts';
import { type ProcessPlace, containerOptions, processFiles } from './container-spec.ts';
import { type EngineError, hasStatus } from './errors.ts';
import type { ImageStore } from './image.ts';
import { containerName } from './names.ts';
import type { DockerOptions } from './options.ts';
import { type Container, type ResourceStore, foreign, isOwn } from './resources.ts';
import type { VolumeStore } from './volumes.ts';

/** Beside the grace period: until the engine has noticed. */
const stopSlackMs = 30_000;

const silently = (): void => {};

/** What whoever acts on a process brings. */
type Acting = Pick<ConvergeOptions, 'fence' | 'signal'>;

/** Of the volume, and of one process alone. */
const ownFolders = (process: string) => [`processes/${process}`, `work/${process}`];

export interface ProcessParts {
  readonly engine: EngineClient;
  readonly options: DockerOptions;
  readonly images: ImageStore;
  readonly resources: ResourceStore;
  readonly volumes: VolumeStore;
}

export class ProcessRunner {
  readonly #parts: ProcessParts;
  /** On their way, by identity of the cluster. */
  readonly #networks = new Map<string, Promise<void>>();

  constructor(parts: ProcessParts) {
    this.#parts = parts;
  }

  /** Ends what runs as a process, and removes what it leaves. */
  async stop(clusterId: ClusterId, process: string, { fence, signal }: Acting): Promise<void> {
    const identity = await this.#parts.resources.ensureVolume(clusterId);
    await checkFence(this.#parts.volumes.record(clusterId), fence); // P1
    await this.#remove(clusterId, process, identity, signal);
    const remove = ownFolders(process);
    const request = { fence, remove, folders: [], files: [] };
    await this.#parts.volumes.change(clusterId, 'lay', request, { signal });
  }

  /** Ends what runs as a process, and starts it. */
  async start(
    { index, process, spec }: StartAction,
    cluster: ClusterSpec,
    { fence, signal }: Acting,
  ): Promise<void> {
    const { clusterId } = cluster;
    const { resources } = this.#parts;
    const identity = await resources.ensureVolume(clusterId);
    await checkFence(this.#parts.volumes.record(clusterId), fence); // P1
    await this.#remove(clusterId, process, identity, signal);
    signal.throwIfAborted();
    const image = await this.#parts.images.ensure({ onProgress: silently, signal });
    const place: ProcessPlace = { clusterId, process, index, spec, identity, image };
    const body = containerOptions(this.#parts.options, place); // refuses a spec before anything is laid
    const request = {
      fence,
      remove: ownFolders(process),
      folders: ['logs', 'artifacts', `work/${process}`],
      files: [...processFiles(this.#parts.options, place), ...secretFiles(spec, cluster)],
    };
    await this.#parts.volumes.change(clusterId, 'lay', request, { signal });
    if (this.#parts.options.docker.network === null) await this.#network(clusterId, identity);
    signal.throwIfAborted();
    await this.#start(place, body, { fence, signal });
  }

  /** Asked for once at a time: an engine makes two networks of one name where two ask for it. */
  #network(clusterId: ClusterId, identity: string): Promise<void> {
    const making =
      this.#networks.get(identity) ??
      this.#parts.resources
        .ensureNetwork(clusterId, identity)
        .finally(() => this.#networks.delete(identity));
    this.#networks.set(identity, making);
    return making;
  }

  async #start(
    { clusterId, process, spec }: ProcessPlace,
    body: ReturnType<typeof containerOptions>,
    { fence, signal }: Acting,
  ): Promise<void> {
    const { engine } = this.#parts;
    try {
      const make = () =>
        engine.ask((docker) => docker.createContainer(body), { repeatable: false });
      const { id } = await this.#parts.images.withImage(make, signal);
      await this.#openVolumes(id, signal);
      await checkFence(this.#parts.volumes.record(clusterId), fence); // P1
      await engine.ask((docker) => docker.getContainer(id).start());
    } catch (error) {
      if (error instanceof FctlError || !('status' in (error as Error))) throw error;
      throw notStarted(containerName(clusterId, process), spec, error as EngineError);
    }
  }

  /** A new volume is root's: its first user gets it, so that processes can write there. */
  async #openVolumes(container: string, signal: AbortSignal): Promise<void> {
    const { engine, options } = this.#parts;
    const owner = options.layout.user;
    for (const path of Object.keys(options.docker.volumes)) {
      const found = await peekFolder(engine, container, path);
      if (found === null || !found.isEmpty || found.owner !== 0) continue;
      const name = `${path.replace(/^\/|\/$/g, '')}/`;
      const folder = { name, mode: 0o755, content: null, sizeBytes: 0 };
      await writeArchive(engine, container, '/', [folder], { owner, signal });
    }
  }

  async #remove(
    clusterId: ClusterId,
    process: string,
    identity: string,
    signal: AbortSignal,
  ): Promise<void> {
    const name = containerName(clusterId, process);
    const found = await this.#parts.resources.container(name);
    if (found === null) return;
    const { Config, Name } = found;
    if (!isOwn({ Labels: Config.Labels, Names: [Name] }, clusterId, identity)) {
      throw new ClusterError(ExitCode.conflict, foreign('container', name)); // P2
    }
    await this.end(found, signal);
    await this.#parts.resources.removeContainer(found.Id);
  }

  /** Asks a process to end and kills it when its time is over. Idempotent. */
  async end({ Config, Id, State }: Container, signal: AbortSignal): Promise<void> {
    if (!State.Running && !State.Restarting) return;
    const { StopTimeout = 10 } = Config as { StopTimeout?: number };
    const { engine } = this.#parts;
    // One that is paused hears nothing.
    if (State.Paused) {
      await engine.ask((docker) => docker.getContainer(Id).unpause()).catch(ignoreGone);
    }
    await engine
      .ask((docker) => docker.getContainer(Id).stop({ t: StopTimeout, abortSignal: signal }), {
        timeoutMs: StopTimeout * 1000 + stopSlackMs,
      })
      .catch(ignoreGone);
    signal.throwIfAborted();
  }
}

/** 304: it has ended; 404: it is gone; 409: it is being removed, or not paused any more. */
function ignoreGone(error: unknown): void {
  if (!hasStatus(error, 304, 404, 409)) throw error;
}

function secretFiles({ secrets: names }: ProcessSpec, { secrets }: ClusterSpec) {
  return names.map((name) => ({ path: `secrets/${name}`, content: secrets[name]!, mode: 0o400 }));
}

/** The engine's reasons, where a user can mend them. */
function notStarted(name: string, { role }: ProcessSpec, error: EngineError): Error {
  const { message } = error;
  if (/port is already allocated|address already in use/.test(message)) {
    return new ProviderError(
      problem({
        code: 'port-taken',
        message: `container ${name} cannot be started: ${message}`,
        path: `/${role}/rest/port`,
        hint: 'choose another port, or 0 to have a free one chosen',
      }),
      { cause: error },
    );
  }
  return new ProviderError(
    problem({
      code: 'container-not-started',
      message: `container ${name} cannot be started: ${message}`,
      hint: 'the log of the engine may say more',
    }),
    { cause: error },
  );
}
