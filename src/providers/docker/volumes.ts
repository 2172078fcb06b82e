/**
 * Reads and changes the volume of a cluster from outside of its containers. The engine lets a client into a
 * volume in two ways: its archive API copies files out of a container that has the volume mounted, running
 * or not; and a container of our own, a *helper*, can run a program beside the volume.
 *
 * W1  A read uses the archive API of any container that the cluster has, so it starts nothing. Only when
 *     the cluster has no container left, a helper is created for the read and removed afterwards.
 * W2  A change that must not be done half (compare-and-set of a document, files under a lock) is done by a
 *     *keeper*: a helper that runs a small program and answers requests. This client starts one keeper for
 *     each cluster that it changes, and the keeper ends with the client. While it runs, it answers reads too.
 * W3  One copy by the archive API takes about a tenth of a second. So callers that ask for the same folder
 *     at the same time share one copy, and after `look` the copied record also answers the questions of
 *     the next 250 ms: whoever observes processes asks for their record right afterwards.
 * W4  A container keeps the volume it was created with. So once a container is known to have the
 *     cluster's volume, later reads go through it without looking up the cluster's containers again.
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { DocumentName } from '../../record/documents.ts';
import { newestOf } from '../../record/drivers/file.ts';
import {
  type KeeperOperation,
  type KeeperOperations,
  fromKept,
} from '../../record/keeper-messages.ts';
import {
  MAX_DOCUMENT_BYTES,
  type RecordStore,
  type StoredDocument,
  type StoredDocuments,
  parseDocument,
} from '../../record/store.ts';
import { untilAborted } from '../shared/abort.ts';
import { type Archive, readArchive } from './archive.ts';
import type { EngineClient } from './client.ts';
import { createHelper, startHelper } from './helper.ts';
import type { ImageStore } from './image.ts';
import { Keeper, type KeeperAskOptions } from './keeper.ts';
import { type ClusterResources, type ResourceStore } from './resources.ts';
import { clusterResource } from './names.ts';
import type { DockerOptions } from './options.ts';

/** W3 */
const momentMs = 250;

const never = new AbortController().signal;

export class VolumeStore {
  readonly #engine: EngineClient;
  readonly #options: DockerOptions;
  readonly #images: ImageStore;
  readonly #resources: ResourceStore;
  readonly #keepers = new Map<string, Promise<Keeper>>();
  readonly #looks = new Map<string, Promise<Archive | null>>();
  /** The record as `look` copied it, by cluster, and when that was (W3). */
  readonly #seen = new Map<string, { readonly archive: Archive; readonly at: number }>();
  /** By cluster, the container that was last used for a read (W4). */
  readonly #readers = new Map<string, string>();

  constructor(
    engine: EngineClient,
    options: DockerOptions,
    images: ImageStore,
    resources: ResourceStore,
  ) {
    this.#engine = engine;
    this.#options = options;
    this.#images = images;
    this.#resources = resources;
  }

  record(clusterId: ClusterId): RecordStore {
    return {
      maxBytes: MAX_DOCUMENT_BYTES,
      read: (names = Object.values(DocumentName), { signal } = {}) => {
        signal?.throwIfAborted();
        return this.#read(clusterId, names, signal);
      },
      write: async (name, value, expected, { signal } = {}) => {
        signal?.throwIfAborted();
        const request = { name, expected: Number(expected ?? 0), value };
        const options = signal === undefined ? {} : { signal };
        const version = await this.change(clusterId, 'write', request, options);
        return version === null ? null : String(version);
      },
    };
  }

  async #read(
    clusterId: ClusterId,
    names: readonly DocumentName[],
    signal: AbortSignal = never,
  ): Promise<StoredDocuments> {
    const keeper = await this.#keeper(clusterId);
    if (keeper !== null) {
      const answer = await keeper.ask('read', { names }, { signal });
      const found = new Map<string, StoredDocument>();
      for (const [index, kept] of answer.entries()) {
        const document = fromKept(kept);
        if (document !== null) found.set(names[index]!, document);
      }
      return found;
    }
    const seen = this.#justSeen(clusterId);
    const archive = seen ?? (await untilAborted(signal, this.readFolder(clusterId, 'record')));
    return archive === null ? new Map() : documentsIn(archive, names, clusterResource(clusterId));
  }

  /**
   * Copies the record now, so that reads of the next moment need not (W3). To be called after the processes
   * were observed. Where a keeper runs, reads are cheap and this does nothing.
   */
  async look(clusterId: ClusterId): Promise<void> {
    if ((await this.#keeper(clusterId)) !== null) return;
    const archive = await this.#readFolder(clusterId, 'record');
    if (archive !== null) this.#seen.set(clusterId, { archive, at: performance.now() });
  }

  #justSeen(clusterId: ClusterId): Archive | null {
    const seen = this.#seen.get(clusterId);
    return seen !== undefined && performance.now() - seen.at < momentMs ? seen.archive : null;
  }

  /** Copies the files below a path of the volume; `null`: the path, or the volume, does not exist. */
  readFolder(clusterId: ClusterId, path: string): Promise<Archive | null> {
    const key = `${clusterId}/${path}`;
    const look = this.#looks.get(key);
    if (look !== undefined) return look;
    const started = this.#readFolder(clusterId, path).finally(() => this.#looks.delete(key)); // W3
    this.#looks.set(key, started);
    return started;
  }

  async #readFolder(clusterId: ClusterId, path: string): Promise<Archive | null> {
    const full = `${this.#options.layout.mountPath(clusterId)}/${path}`;
    const reader = this.#readers.get(clusterId);
    const read = reader === undefined ? null : await readArchive(this.#engine, reader, full);
    if (read !== null) return read; // W4
    const found = await this.#resources.find(clusterId);
    if (found.identity === null) return null;
    for (const { Id } of [...found.processes, ...found.helpers]) {
      const archive = await readArchive(this.#engine, Id, full);
      if (archive === null && (await this.#resources.container(Id)) === null) continue;
      this.#readers.set(clusterId, Id);
      return archive;
    }
    const helper = await this.createHelper(found, 'reads the record', ['keep']);
    try {
      return await readArchive(this.#engine, helper.id, full);
    } finally {
      await this.#resources.removeContainer(helper.id);
    }
  }

  /** The cluster's keeper, if this client has started one that still answers. */
  async #keeper(clusterId: ClusterId): Promise<Keeper | null> {
    const keeper = await this.#keepers.get(clusterId)?.catch(() => null);
    return keeper?.isAlive ? keeper : null;
  }

  /** Has the cluster's keeper do something (W2). Starts a keeper, and creates the volume, if there is none. */
  async change<O extends KeeperOperation>(
    clusterId: ClusterId,
    operation: O,
    request: KeeperOperations[O]['request'],
    options: KeeperAskOptions = {},
  ): Promise<KeeperOperations[O]['answer']> {
    this.#seen.delete(clusterId);
    const keeper = await this.#ensureKeeper(clusterId);
    return keeper.ask(operation, request, options);
  }

  /** Callers that find no keeper at the same time get the same new one. */
  async #ensureKeeper(clusterId: ClusterId): Promise<Keeper> {
    const known = this.#keepers.get(clusterId);
    const keeper = await known?.catch(() => null);
    if (keeper?.isAlive) return keeper;
    if (this.#keepers.get(clusterId) === known) {
      this.#keepers.set(clusterId, this.#startKeeper(clusterId));
    }
    return this.#keepers.get(clusterId)!;
  }

  async #startKeeper(clusterId: ClusterId): Promise<Keeper> {
    await this.#resources.ensureVolume(clusterId);
    const found = await this.#resources.find(clusterId);
    const args = ['keep', this.#options.layout.mountPath(clusterId)];
    const helper = await this.createHelper(found, 'keeps the record', args);
    return new Keeper(await startHelper(this.#engine, helper));
  }

  /** The id of a container through which the archive API can write into the volume. It is the keeper's. */
  async writable(clusterId: ClusterId): Promise<string> {
    return (await this.#ensureKeeper(clusterId)).id;
  }

  async createHelper(
    { clusterId, identity, processes }: ClusterResources,
    purpose: string,
    args: readonly string[],
  ) {
    const image = await this.#helperImage(processes.map(({ ImageID }) => ImageID));
    const options = { clusterId, identity: identity!, image, purpose, args };
    const make = () => createHelper(this.#engine, this.#options, options);
    return this.#images.withImage(make, never);
  }

  /**
   * The image that a helper is created from. A deployment has already built this client's own image, so its
   * helpers use that. Other commands use the image of one of the cluster's containers, because building
   * an image for a look would take minutes.
   */
  async #helperImage(others: readonly string[]): Promise<string> {
    const [other] = others;
    if (other !== undefined && !this.#images.isDescribed) return other;
    return (await this.#images.ensure({ onProgress: () => {}, signal: never })).tag;
  }

  /** Ends the keeper of a cluster and removes its container, which would keep the volume from being removed. */
  async release(clusterId: ClusterId): Promise<void> {
    const keeper = await this.#keepers.get(clusterId)?.catch(() => null);
    this.#keepers.delete(clusterId);
    if (!keeper) return;
    keeper.close();
    await this.#resources.removeContainer(keeper.id);
  }

  async close(): Promise<void> {
    const keepers = await Promise.all([...this.#keepers.values()].map((k) => k.catch(() => null)));
    this.#keepers.clear();
    for (const keeper of keepers) keeper?.close();
  }
}

function documentsIn(
  { files, readAt }: Archive,
  names: readonly DocumentName[],
  volume: string,
): StoredDocuments {
  const byName = new Map(files.map((file) => [file.path.replace(/^record\//, ''), file]));
  const newest = newestOf(byName.keys());
  const found = new Map<string, StoredDocument>();
  for (const name of names) {
    const number = newest.get(name);
    if (number === undefined) continue;
    const file = byName.get(`${name}.${number}.json`)!;
    const value = parseDocument(file.content.toString(), `volume ${volume}, ${file.path}`);
    const ageMs = readAt === null ? null : Math.max(0, readAt - file.modifiedAt);
    found.set(name, { value, version: String(number), ageMs });
  }
  return found;
}
