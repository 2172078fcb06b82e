/**
 * The volumes of clusters as a client reads and changes them.
 *
 * W1  Reading starts nothing where any container of the cluster is left: the archive API reads through it.
 *     Where none is, a helper is made for it.
 * W2  What must be atomic is done by a keeper beside the volume; one serves a cluster as long as the
 *     client lives. While there is one, it reads too.
 * W3  Reads that are asked for at the same time look once: the engine needs a tenth of a second for it. What
 *     was seen after a look at the processes serves whoever asks about both, for a moment.
 * W4  A container that is still there has the volume that it had: whose it is was looked up once.
 */
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
  /** Of records, by cluster (W3). */
  readonly #seen = new Map<string, { readonly archive: Archive; readonly at: number }>();
  /** By cluster: the container through which it was read (W4). */
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

  record(clusterId: string): RecordStore {
    return {
      maxBytes: MAX_DOCUMENT_BYTES,
      read: (names = Object.values(DocumentName), { signal } = {}) => {
        signal?.throwIfAborted();
        return this.#read(clusterId, names);
      },
      write: async (name, value, expected, { signal } = {}) => {
        signal?.throwIfAborted();
        const request = { name, expected: Number(expected ?? 0), value };
        const version = await this.change(clusterId, 'write', request);
        return version === null ? null : String(version);
      },
    };
  }

  async #read(clusterId: string, names: readonly DocumentName[]): Promise<StoredDocuments> {
    const keeper = await this.#keeper(clusterId);
    if (keeper !== null) {
      const answer = await keeper.ask('read', { names });
      const found = new Map<string, StoredDocument>();
      for (const [index, kept] of answer.entries()) {
        const document = fromKept(kept);
        if (document !== null) found.set(names[index]!, document);
      }
      return found;
    }
    const archive = this.#justSeen(clusterId) ?? (await this.readFolder(clusterId, 'record'));
    return archive === null ? new Map() : documentsIn(archive, names, clusterResource(clusterId));
  }

  /** Looks at the record, after a look at the processes (W3). Does nothing where a keeper reads. */
  async look(clusterId: string): Promise<void> {
    if ((await this.#keeper(clusterId)) !== null) return;
    const archive = await this.#readFolder(clusterId, 'record');
    if (archive !== null) this.#seen.set(clusterId, { archive, at: performance.now() });
  }

  #justSeen(clusterId: string): Archive | null {
    const seen = this.#seen.get(clusterId);
    return seen !== undefined && performance.now() - seen.at < momentMs ? seen.archive : null;
  }

  /** Files of the volume, below a path; `null`: there is no such path or no volume. */
  readFolder(clusterId: string, path: string): Promise<Archive | null> {
    const key = `${clusterId}/${path}`;
    const look = this.#looks.get(key);
    if (look !== undefined) return look;
    const started = this.#readFolder(clusterId, path).finally(() => this.#looks.delete(key)); // W3
    this.#looks.set(key, started);
    return started;
  }

  async #readFolder(clusterId: string, path: string): Promise<Archive | null> {
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

  /** A keeper that is there and answers. */
  async #keeper(clusterId: string): Promise<Keeper | null> {
    const keeper = await this.#keepers.get(clusterId)?.catch(() => null);
    return keeper?.isAlive ? keeper : null;
  }

  /** Asks the cluster's keeper, which is started where there is none (W2). Makes the volume, too. */
  async change<O extends KeeperOperation>(
    clusterId: string,
    operation: O,
    request: KeeperOperations[O]['request'],
    options: KeeperAskOptions = {},
  ): Promise<KeeperOperations[O]['answer']> {
    this.#seen.delete(clusterId);
    if ((await this.#keeper(clusterId)) === null) {
      this.#keepers.set(clusterId, this.#startKeeper(clusterId));
    }
    const keeper = await this.#keepers.get(clusterId)!;
    return keeper.ask(operation, request, options);
  }

  async #startKeeper(clusterId: string): Promise<Keeper> {
    await this.#resources.ensureVolume(clusterId);
    const found = await this.#resources.find(clusterId);
    const args = ['keep', this.#options.layout.mountPath(clusterId)];
    const helper = await this.createHelper(found, 'keeps the record', args);
    return new Keeper(await startHelper(this.#engine, helper));
  }

  /** The id of a container by whose archive the volume is written: the keeper's. */
  async writable(clusterId: string): Promise<string> {
    await this.change(clusterId, 'read', { names: [] });
    return (await this.#keepers.get(clusterId)!).id;
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
   * Whoever has looked at the client's own runtime is about to use it. Others can do with that of the
   * cluster's containers, which need not be made.
   */
  async #helperImage(others: readonly string[]): Promise<string> {
    const [other] = others;
    if (other !== undefined && !this.#images.isDescribed) return other;
    return (await this.#images.ensure({ onProgress: () => {}, signal: never })).tag;
  }

  /** Ends the keeper of a cluster and waits until nothing holds the volume because of it. */
  async release(clusterId: string): Promise<void> {
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
