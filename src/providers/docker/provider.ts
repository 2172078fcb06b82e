/**
 * The Docker provider: a container for each process on one engine, here or elsewhere, and a volume for each
 * cluster, in which its record lies. See names.ts for what is there.
 *
 * No folder of the client is mounted: the engine may run on another machine.
 */
import { type ClusterId, isClusterId } from '../../contract/cluster-id.ts';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { DocumentName } from '../../record/documents.ts';
import { leaderOf, isOver, readDocument, whyNoRecord } from '../../record/record.ts';
import type { RecordStore } from '../../record/store.ts';
import type { Call } from '../../contract/call.ts';
import { ClusterError } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { Action, Plan } from '../../contract/plan.ts';
import type { ClusterSpec, RuntimeRef } from '../../contract/process-spec.ts';
import type {
  ArtifactStore,
  Capabilities,
  ClusterConnection,
  ClusterList,
  ConvergeOptions,
  DestroyOptions,
  ExecStreams,
  Leftover,
  LogOptions,
  ObservedCluster,
  Provider,
  TransferOptions,
} from '../provider.ts';
import { writeArchive } from './archive.ts';
import { EngineClient } from './client.ts';
import { describeEngine, findEngine } from './engine-address.ts';
import { hasStatus } from './errors.ts';
import { untilAborted } from '../shared/abort.ts';
import { connectionTo } from '../shared/connection.ts';
import { withDoor } from '../shared/door.ts';
import { type StartAction, carryOut } from '../shared/imperative.ts';
import { isStillLeft } from '../shared/leftovers.ts';
import { jobManagersFirst } from '../shared/job-managers.ts';
import { isRecent } from '../shared/recent.ts';
import { watchByPolling } from '../shared/poll.ts';
import { artifactCorrupt, noSuchProcess, refuseOtherRuntime } from '../shared/refusals.ts';
import { tearDown } from '../shared/tear-down.ts';
import { execIn } from './exec.ts';
import { ImageStore } from './image.ts';
import { LogReader } from './logs.ts';
import { Label, clusterResource } from './names.ts';
import { observeContainer } from './observe.ts';
import type { DockerOptions } from './options.ts';
import {
  type ContainerRef,
  abandonedHelpers,
  volumeLeftover,
  withoutCluster,
  withoutJobManager,
} from './leftovers.ts';
import { findProblems } from './preflight.ts';
import { ProcessRunner } from './processes.ts';
import { RestAddress } from './rest-address.ts';
import { type Container, ResourceStore, foreign } from './resources.ts';
import { VolumeStore } from './volumes.ts';

/** A large artifact on a slow disk is read within this time. */
const hashTimeoutMs = 600_000;

/** @throws ConfigError when host, context or environment name no engine. */
export async function createDockerProvider(options: DockerOptions): Promise<Provider> {
  const address = await findEngine(options.docker, options.environment);
  return withDoor(new DockerProvider(options, new EngineClient(address)));
}

class DockerProvider implements Provider {
  readonly name = 'docker';
  readonly capabilities: Capabilities = {
    exec: true,
    tty: false,
    liveLogs: true,
    restartOne: true,
    commonFiles: false,
  };
  readonly #options: DockerOptions;
  readonly #engine: EngineClient;
  readonly #images: ImageStore;
  readonly #resources: ResourceStore;
  readonly #volumes: VolumeStore;
  readonly #runner: ProcessRunner;
  readonly #logs: LogReader;
  readonly #rest: RestAddress;
  /** By identity of the cluster. */
  readonly #secrets = new Map<string, Readonly<Record<string, string>>>();

  constructor(options: DockerOptions, engine: EngineClient) {
    this.#options = options;
    this.#engine = engine;
    this.#images = new ImageStore(engine, options);
    this.#resources = new ResourceStore(engine);
    this.#volumes = new VolumeStore(engine, options, this.#images, this.#resources);
    const parts = { engine, options, images: this.#images, resources: this.#resources };
    this.#runner = new ProcessRunner({ ...parts, volumes: this.#volumes });
    this.#logs = new LogReader(engine, options, this.#resources, this.#volumes);
    this.#rest = new RestAddress(engine, options);
  }

  async preflight(spec: ClusterSpec, { signal }: Call) {
    const parts = {
      engine: this.#engine,
      options: this.#options,
      images: this.#images,
      resources: this.#resources,
    };
    return findProblems(parts, spec, signal);
  }

  async list(): Promise<ClusterList> {
    const [containers, volumes] = await Promise.all([
      this.#resources.labelled(Label.identity),
      this.#ownVolumes(),
    ]);
    const ids = new Set(volumes);
    for (const { Labels } of containers) {
      const clusterId = Labels[Label.cluster];
      if (Labels[Label.process] !== undefined && isClusterId(clusterId)) ids.add(clusterId);
    }
    return { clusters: [...ids].sort(), silent: [] };
  }

  /** Ids of the clusters that have one. */
  async #ownVolumes(): Promise<ClusterId[]> {
    const filters = { label: [Label.identity] };
    const { Volumes } = await this.#engine.ask((docker) =>
      docker.listVolumes({ filters: JSON.stringify(filters) }),
    );
    return Volumes.flatMap(({ Labels, Name }) => {
      const clusterId = Labels[Label.cluster];
      return isClusterId(clusterId) && Name === clusterResource(clusterId) ? [clusterId] : [];
    });
  }

  async observe(clusterId: ClusterId): Promise<ObservedCluster | null> {
    const found = await this.#resources.find(clusterId);
    if (found.identity === null && found.processes.length === 0) return null;
    const containers = await this.#inspectAll(found.processes.map(({ Id }) => Id));
    // In this order: one that has just ended has written its outcome by now.
    await this.#volumes.look(clusterId);
    const ended = await isOver(this.record(clusterId));
    const processes = await Promise.all(
      containers.map(async (container) => {
        const { RestartCount, State } = container;
        const isAgain = RestartCount > 0 && !State.Restarting;
        const crash = isAgain ? await this.#resources.lastCrash(container) : null;
        return observeContainer(container, ended, crash);
      }),
    );
    return { clusterId, processes: processes.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  }

  watch(clusterId: ClusterId, call: Call): AsyncIterable<ObservedCluster | null> {
    return watchByPolling(() => untilAborted(call.signal, this.observe(clusterId)), call);
  }

  async #inspectAll(ids: readonly string[]): Promise<Container[]> {
    const all = await Promise.all(ids.map((id) => this.#resources.container(id)));
    return all.filter((container) => container !== null);
  }

  record(clusterId: ClusterId): RecordStore {
    return this.#volumes.record(clusterId);
  }

  artifacts(clusterId: ClusterId): ArtifactStore {
    const reading = { timeoutMs: hashTimeoutMs };
    const has = async (hash: string) => {
      const request = { path: `artifacts/${hash}` };
      return (await this.#volumes.change(clusterId, 'hash', request, reading)) === hash;
    };
    return {
      maxBytes: null,
      has,
      list: async () => {
        const names = await this.#volumes.change(clusterId, 'names', { folder: 'artifacts' });
        return names.filter((name) => !name.startsWith('.'));
      },
      remove: async (hash) => {
        await this.#volumes.change(clusterId, 'remove', { file: `artifacts/${hash}` });
      },
      put: async ({ file, hash, name, sizeBytes }, { onProgress, signal }) => {
        const container = await this.#volumes.writable(clusterId);
        const { mountPath, user } = this.#options.layout;
        const temporary = `.${hash}.${process.pid}.${Date.now()}`;
        const where = describeEngine(this.#engine.address);
        const content = createReadStream(file);
        await writeArchive(
          this.#engine,
          container,
          mountPath(clusterId),
          [
            { name: 'artifacts/', mode: 0o700, content: null, sizeBytes: 0 },
            { name: `artifacts/${temporary}`, mode: 0o600, content, sizeBytes },
          ],
          {
            owner: user,
            signal,
            onBytes: (sentBytes) =>
              onProgress({ what: name, where, sentBytes, totalBytes: sizeBytes }),
          },
        );
        const whole = await this.#volumes.change(
          clusterId,
          'publish',
          {
            from: `artifacts/${temporary}`,
            to: `artifacts/${hash}`,
            sha256: hash,
          },
          { ...reading, signal },
        );
        if (whole) return sizeBytes;
        throw artifactCorrupt(name);
      },
    };
  }

  async install(runtime: RuntimeRef, options: TransferOptions): Promise<void> {
    refuseOtherRuntime(runtime, this.name);
    await this.#images.ensure(options);
  }

  async converge(desired: ClusterSpec, plan: Plan, options: ConvergeOptions): Promise<void> {
    const driver = {
      start: (action: StartAction) => this.#runner.start(action, desired, options),
      stop: ({ process }: Action) => this.#runner.stop(desired.clusterId, process, options),
    };
    await carryOut(plan, driver, options);
  }

  /** The releases of a cluster share them: they are read once. */
  async secrets(clusterId: ClusterId): Promise<Readonly<Record<string, string>> | null> {
    const identity = await this.#resources.identityOf(clusterId);
    if (identity === null) return null;
    const known = this.#secrets.get(identity);
    if (known !== undefined) return known;
    const archive = await this.#volumes.readFolder(clusterId, 'secrets');
    const files = archive?.files ?? [];
    if (files.length === 0) return null;
    const secrets = Object.fromEntries(
      files.map(({ content, path }) => [path.slice('secrets/'.length), content.toString()]),
    );
    this.#secrets.set(identity, secrets);
    return secrets;
  }

  async connect(clusterId: ClusterId): Promise<ClusterConnection | null> {
    const [{ value }, found] = await Promise.all([
      readDocument(this.record(clusterId), DocumentName.endpoint),
      this.#resources.find(clusterId),
    ]);
    if (value === null) return null;
    const leader = found.processes.find(
      ({ Labels }) => Labels[Label.process] === leaderOf(value)?.process,
    );
    const [url, secrets] = await Promise.all([
      this.#rest.urlOf(leader?.Id ?? null),
      this.secrets(clusterId),
    ]);
    return connectionTo(value, url, secrets?.['token'] ?? null);
  }

  logs(clusterId: ClusterId, process: string, options: LogOptions): Promise<Readable> {
    return this.#logs.read(clusterId, process, options);
  }

  async exec(
    clusterId: ClusterId,
    process: string,
    command: readonly string[],
    io: ExecStreams,
  ): Promise<number> {
    const found = await this.#resources.find(clusterId);
    const container = found.processes.find(({ Labels }) => Labels[Label.process] === process);
    if (container === undefined) throw noSuchProcess(clusterId, process);
    const { node } = this.#options.layout;
    try {
      return await execIn(this.#engine, container.Id, command, { node, io });
    } catch (error) {
      if (!hasStatus(error, 404, 409)) throw error;
      throw noSuchProcess(clusterId, process, `${process} of cluster ${clusterId} does not run`);
    }
  }

  async destroy(clusterId: ClusterId, options: DestroyOptions): Promise<readonly string[]> {
    const { identity, processes: own } = await this.#resources.find(clusterId);
    const name = clusterResource(clusterId);
    if (identity === null && (await this.#resources.hasVolume(name))) {
      throw new ClusterError(ExitCode.conflict, foreign('volume', name));
    }
    const containers = await this.#inspectAll(own.map(({ Id }) => Id));
    const processes = jobManagersFirst(containers, ({ Config }) => Config.Labels[Label.role]!);
    const removeAll = (all: readonly { readonly Id: string }[]) =>
      Promise.all(all.map(({ Id }) => this.#resources.removeContainer(Id)));
    const place = {
      endAll: async () => {
        await Promise.all(processes.map((each) => this.#runner.end(each, options.signal)));
        await removeAll(processes);
      },
      removeRecord: async () => {
        await this.#volumes.release(clusterId);
        await removeAll((await this.#resources.find(clusterId)).helpers);
        await this.#resources.removeNetwork(clusterId, identity);
        if (identity !== null) await this.#resources.removeVolume(name);
      },
    };
    await tearDown(this.record(clusterId), place, options);
    return keptVolumes(processes, name);
  }

  async prune({ signal }: Call): Promise<readonly string[]> {
    const removed: string[] = [];
    const helpers = await this.#resources.labelled(Label.helper);
    for (const { ref, what } of abandonedHelpers(helpers, Date.now())) {
      await this.#resources.removeContainer((ref as ContainerRef).container);
      removed.push(what);
    }
    const filters = { label: [Label.runtime] };
    const images = await this.#engine.ask((docker) =>
      docker.listImages({ filters: JSON.stringify(filters) }),
    );
    for (const { Created, Id, RepoTags } of images) {
      signal.throwIfAborted();
      if (isRecent(Created * 1000, Date.now())) continue;
      // The engine refuses where a container needs it.
      const gone = await this.#engine
        .ask((docker) => docker.getImage(RepoTags?.[0] ?? Id).remove())
        .then(
          () => true,
          (error: unknown) => {
            if (hasStatus(error, 404, 409)) return false;
            throw error;
          },
        );
      if (gone) removed.push(`image ${RepoTags?.[0] ?? Id}`);
    }
    return removed;
  }

  async leftovers(): Promise<readonly Leftover[]> {
    const containers = await this.#resources.labelled(Label.identity);
    const found: Leftover[] = abandonedHelpers(containers, Date.now());
    const volumes = new Set(await this.#ownVolumes());
    const { clusters } = await this.list();
    for (const clusterId of clusters) {
      if (!volumes.has(clusterId)) {
        found.push(...withoutCluster(containers, clusterId));
        continue;
      }
      found.push(...withoutJobManager(await this.observe(clusterId)));
      const why = await whyNoRecord(this.record(clusterId));
      if (why !== null) found.push(volumeLeftover(clusterId, why));
    }
    return found;
  }

  async remove(leftover: Leftover, call: Call): Promise<void> {
    if (!(await isStillLeft(leftover, () => this.leftovers(), call))) return;
    const { clusterId, kind, ref } = leftover;
    if (kind === 'process') await this.#resources.removeContainer((ref as ContainerRef).container);
    else await this.destroy(clusterId, { ...call, fence: null, deleteState: false });
  }

  async close(): Promise<void> {
    await this.#volumes.close();
    await this.#rest.close();
    this.#engine.close();
  }
}

/** Volumes of the user, which hold what they hold. */
function keptVolumes(containers: readonly Container[], own: string): string[] {
  const kept = new Set<string>();
  for (const { Mounts } of containers) {
    for (const { Destination, Name, Type } of Mounts) {
      if (Type === 'volume' && Name !== undefined && Name !== own)
        kept.add(`volume ${Name} (${Destination})`);
    }
  }
  return [...kept].sort();
}
