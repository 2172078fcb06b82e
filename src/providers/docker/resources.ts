/**
 * What a cluster has on the engine: volume, network, containers. Finds, makes and removes them, and touches
 * nothing that only looks like them (O1 of names.ts).
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import { ClusterError, type Problem, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { EngineClient } from './client.ts';
import { hasStatus, nullIfNotFound } from './errors.ts';
import { Label, clusterLabels, clusterResource, containerName } from './names.ts';

export type ContainerSummary = Dockerode.ContainerInfo;
export type Container = Dockerode.ContainerInspectInfo;

/** Everything of one cluster that is provably its own. */
export interface ClusterResources {
  readonly clusterId: ClusterId;
  /** `null`: it has no volume. */
  readonly identity: string | null;
  readonly processes: readonly ContainerSummary[];
  readonly helpers: readonly ContainerSummary[];
  /** Its own network. */
  readonly hasNetwork: boolean;
}

/** How a container ended by itself. */
export interface Crash {
  readonly exitCode: number;
  /** It needed more memory than it may have. */
  readonly outOfMemory: boolean;
}

interface EngineEvent {
  readonly Action: string;
  readonly Actor?: { readonly Attributes?: { readonly exitCode?: string } };
}

const freePollMs = 50;
const freeMs = 5000;

export const nameOf = ({ Names }: Pick<ContainerSummary, 'Names'>) => Names[0]!.replace(/^\//, '');

export class ResourceStore {
  readonly #engine: EngineClient;

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  /** Containers with a label, whoever gave it to them. */
  labelled(label: string): Promise<ContainerSummary[]> {
    const filters = { label: [label] };
    return this.#engine.ask((docker) => docker.listContainers({ all: true, filters }));
  }

  async find(clusterId: ClusterId): Promise<ClusterResources> {
    const [identity, labelled, network] = await Promise.all([
      this.identityOf(clusterId),
      this.labelled(`${Label.cluster}=${clusterId}`),
      this.network(clusterResource(clusterId)),
    ]);
    const own = labelled.filter((container) => isOwn(container, clusterId, identity));
    return {
      clusterId,
      identity,
      processes: own.filter(({ Labels }) => Labels[Label.process] !== undefined),
      helpers: own.filter(({ Labels }) => Labels[Label.helper] !== undefined),
      hasNetwork: isOwnNetwork(network, clusterId, identity),
    };
  }

  /** The identity of a cluster; `null`: it has no volume that is its own. */
  async identityOf(clusterId: ClusterId): Promise<string | null> {
    const labels = await this.#volumeLabels(clusterResource(clusterId));
    if (labels === null || labels[Label.cluster] !== clusterId) return null;
    return labels[Label.identity] ?? null;
  }

  async #volumeLabels(name: string): Promise<Readonly<Record<string, string>> | null> {
    const volume = await this.#engine
      .ask((docker) => docker.getVolume(name).inspect())
      .catch(nullIfNotFound);
    return volume === null ? null : (volume.Labels ?? {});
  }

  hasVolume(name: string): Promise<boolean> {
    return this.#volumeLabels(name).then((labels) => labels !== null);
  }

  /** By its very name. */
  async network(name: string): Promise<Dockerode.NetworkInspectInfo | null> {
    const filters = { name: [name] }; // parts of names match, too
    const found = await this.#engine.ask((docker) => docker.listNetworks({ filters }));
    return found.find((network) => network.Name === name) ?? null;
  }

  /** @returns `null` when there is no container of that name. */
  container(nameOrId: string): Promise<Container | null> {
    return this.#engine
      .ask((docker) => docker.getContainer(nameOrId).inspect())
      .catch(nullIfNotFound);
  }

  /**
   * A container's latest crash, from the engine's events: of one that was started again its state says
   * nothing. `null`: it is too long ago.
   */
  async lastCrash({ Id, Created }: Container): Promise<Crash | null> {
    const since = Math.floor(Date.parse(Created) / 1000);
    const filters = { container: [Id], event: ['die', 'oom'] };
    // Ends at once: all that it asks for has happened.
    const events = await this.#engine.ask(async (docker) => {
      const { SystemTime } = (await docker.info()) as { SystemTime: string };
      const until = Math.ceil(Date.parse(SystemTime) / 1000);
      return text((await docker.getEvents({ since, until, filters })) as Readable);
    });
    const lines = events.split('\n').filter((line) => line.trim() !== '');
    return latestCrash(lines.map((line) => JSON.parse(line) as EngineEvent));
  }

  /**
   * Makes the volume of a cluster unless it is there.
   * @returns the cluster's identity.
   * @throws ClusterError (exit 8) when somebody else has a volume of that name.
   */
  async ensureVolume(clusterId: ClusterId): Promise<string> {
    const there = await this.identityOf(clusterId);
    if (there !== null) return there;
    const Name = clusterResource(clusterId);
    const identity = randomBytes(8).toString('hex');
    const Labels = { ...clusterLabels(clusterId, identity) };
    // Where one of that name is there by now this gives that one.
    await this.#engine.ask((docker) => docker.createVolume({ Name, Labels }));
    const found = await this.identityOf(clusterId);
    if (found === null) throw new ClusterError(ExitCode.conflict, foreign('volume', Name));
    return found;
  }

  /** @throws ClusterError (exit 8) when somebody else has a network of that name. */
  async ensureNetwork(clusterId: ClusterId, identity: string): Promise<void> {
    const Name = clusterResource(clusterId);
    const check = (network: Dockerode.NetworkInspectInfo) => {
      if (isOwnNetwork(network, clusterId, identity)) return;
      throw new ClusterError(ExitCode.conflict, foreign('network', Name));
    };
    const there = await this.network(Name);
    if (there !== null) return check(there);
    const Labels = { ...clusterLabels(clusterId, identity) };
    await this.#engine
      .ask((docker) =>
        docker.createNetwork({ Name, Labels, Driver: 'bridge', CheckDuplicate: true }),
      )
      .catch((error: unknown) => {
        if (!hasStatus(error, 409)) throw error;
      });
    const made = await this.network(Name);
    if (made !== null) check(made);
  }

  /** What has a name that the cluster's processes need and is somebody else's. */
  async collisions(clusterId: ClusterId, processes: readonly string[]): Promise<Problem[]> {
    const name = clusterResource(clusterId);
    const [identity, labels, network, ...containers] = await Promise.all([
      this.identityOf(clusterId),
      this.#volumeLabels(name),
      this.network(name),
      ...processes.map((process) => this.container(containerName(clusterId, process))),
    ]);
    const found: Problem[] = [];
    if (labels !== null && identity === null) found.push(foreign('volume', name));
    if (network !== null && !isOwnNetwork(network, clusterId, identity))
      found.push(foreign('network', name));
    for (const container of containers) {
      if (container === null) continue;
      const { Config, Name } = container;
      if (!isOwn({ Labels: Config.Labels, Names: [Name] }, clusterId, identity))
        found.push(foreign('container', Name.slice(1)));
    }
    return found;
  }

  /** Removes a container at once, with the anonymous volumes that it may have. */
  async removeContainer(id: string): Promise<void> {
    await this.#engine
      .ask((docker) => docker.getContainer(id).remove({ force: true, v: true }))
      .catch((error: unknown) => {
        // 409: somebody else removes it just now.
        if (!hasStatus(error, 404, 409)) throw error;
      });
  }

  /** @throws ClusterError (exit 8) when somebody else's container is on it. */
  async removeNetwork(clusterId: ClusterId, identity: string | null): Promise<void> {
    const name = clusterResource(clusterId);
    const network = await this.network(name);
    if (network === null || !isOwnNetwork(network, clusterId, identity)) return;
    await this.#removeFreed('network', name, (docker) => docker.getNetwork(network.Id).remove());
  }

  /** @throws ClusterError (exit 8) when somebody else's container has it. */
  async removeVolume(name: string): Promise<void> {
    await this.#removeFreed('volume', name, (docker) => docker.getVolume(name).remove());
  }

  /** The engine frees what a container used a moment after the container is gone. */
  async #removeFreed(
    kind: 'network' | 'volume',
    name: string,
    remove: (docker: Dockerode) => Promise<unknown>,
  ): Promise<void> {
    const deadline = performance.now() + freeMs;
    for (;;) {
      try {
        await this.#engine.ask(remove).catch(nullIfNotFound);
        return;
      } catch (error) {
        if (!hasStatus(error, 403, 409)) throw error;
        if (performance.now() > deadline) throw await this.#inUse(kind, name, error);
      }
      await delay(freePollMs);
    }
  }

  async #inUse(kind: 'network' | 'volume', name: string, cause: unknown): Promise<ClusterError> {
    const filters = { [kind]: [name] };
    const users = await this.#engine.ask((docker) => docker.listContainers({ all: true, filters }));
    const by = users.map(nameOf).join(', ') || (cause as Error).message;
    return new ClusterError(
      ExitCode.conflict,
      problem({
        code: `${kind}-in-use`,
        message: `the ${kind} ${name} of the cluster cannot be removed, it is used by ${by}`,
        hint: 'remove what uses it, and destroy the cluster again',
      }),
      { cause },
    );
  }
}

/** The engine tells first that memory ran out, then how the container ended. */
function latestCrash(events: readonly EngineEvent[]): Crash | null {
  let crash: Crash | null = null;
  let outOfMemory = false;
  for (const { Action, Actor } of events) {
    const isEnd = Action !== 'oom';
    const exitCode = Number(Actor?.Attributes?.exitCode);
    if (isEnd && exitCode > 0) crash = { exitCode, outOfMemory };
    outOfMemory = !isEnd;
  }
  return crash;
}

/**
 * Whether a container is the cluster's. One whose cluster has lost its volume is, by its name and labels:
 * nobody else gives it those.
 */
export function isOwn(
  container: Pick<ContainerSummary, 'Labels' | 'Names'>,
  clusterId: ClusterId,
  identity: string | null,
): boolean {
  const { Labels: labels } = container;
  if (labels[Label.cluster] !== clusterId || labels[Label.identity] === undefined) return false;
  if (identity !== null && labels[Label.identity] !== identity) return false;
  if (labels[Label.helper] !== undefined) return true;
  const process = labels[Label.process];
  return process !== undefined && nameOf(container) === containerName(clusterId, process);
}

function isOwnNetwork(
  network: Pick<Dockerode.NetworkInspectInfo, 'Labels'> | null,
  clusterId: ClusterId,
  identity: string | null,
): boolean {
  const labels = network?.Labels ?? {};
  if (labels[Label.cluster] !== clusterId || labels[Label.identity] === undefined) return false;
  return identity === null || labels[Label.identity] === identity;
}

export function foreign(kind: 'container' | 'network' | 'volume', name: string): Problem {
  return problem({
    code: 'foreign-resource',
    message: `there is a ${kind} ${name} on the engine that this cluster did not make`,
    path: '/cluster',
    hint: `rename or remove it ('docker ${kind} rm ${name}'), or choose another cluster id`,
  });
}
