/** A provider that places processes on a `FakePlatform`: the provider contract in its smallest form. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Call } from '../../contract/call.ts';
import { sha256 } from '../../contract/hash.ts';
import type { Action, Plan } from '../../contract/plan.ts';
import type { ClusterSpec, RuntimeRef } from '../../contract/process-spec.ts';
import { DocumentName } from '../../record/documents.ts';
import { isOver, readDocument, whyNoRecord } from '../../record/record.ts';
import { MAX_DOCUMENT_BYTES, type RecordStore } from '../../record/store.ts';
import { checkFence } from '../../record/fence.ts';
import type {
  ArtifactStore,
  Capabilities,
  ClusterConnection,
  ClusterList,
  ConvergeOptions,
  DestroyOptions,
  Leftover,
  LogOptions,
  ObservedCluster,
  Provider,
  TransferOptions,
} from '../provider.ts';
import { isAlive } from '../provider.ts';
import { untilAborted } from '../shared/abort.ts';
import { connectionTo } from '../shared/connection.ts';
import { withDoor } from '../shared/door.ts';
import { type StartAction, carryOut } from '../shared/imperative.ts';
import { isStillLeft, whyWithoutJobManager } from '../shared/leftovers.ts';
import { watchByPolling } from '../shared/poll.ts';
import { artifactCorrupt, noLogs, refuseOtherRuntime } from '../shared/refusals.ts';
import { tearDown } from '../shared/tear-down.ts';
import type { FakePlatform } from './fake-platform.ts';

const watchPauseMs = 5;

/** Opens one client of a platform. */
export function openFake(platform: FakePlatform): Provider {
  return withDoor(new FakeProvider(platform));
}

class FakeProvider implements Provider {
  readonly name = 'fake';
  readonly capabilities: Capabilities;
  readonly #platform: FakePlatform;

  constructor(platform: FakePlatform) {
    this.#platform = platform;
    this.capabilities = {
      exec: false,
      tty: false,
      liveLogs: true,
      restartOne: true,
      commonFiles: true,
      ...platform.options.capabilities,
    };
  }

  /** What changes something ends by itself with its signal (V6); what looks is ended from outside. */
  async #turn({ signal }: Call): Promise<void> {
    signal.throwIfAborted();
    await untilAborted(signal, this.#platform.answering());
  }

  async preflight(_spec: ClusterSpec, _call: Call) {
    await this.#platform.answering();
    return this.#platform.problems;
  }

  async list(): Promise<ClusterList> {
    await this.#platform.answering();
    return { clusters: this.#platform.clusterIds, silent: this.#platform.silent };
  }

  async observe(clusterId: ClusterId): Promise<ObservedCluster | null> {
    await this.#platform.answering();
    if (!this.#platform.has(clusterId)) return null;
    const { processes, record } = this.#platform.cluster(clusterId);
    const ended = await isOver(record);
    const seen = [...processes.values()].map((process) => process.observe(ended));
    return { clusterId, processes: seen.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  }

  watch(clusterId: ClusterId, call: Call): AsyncIterable<ObservedCluster | null> {
    const look = () => untilAborted(call.signal, this.observe(clusterId));
    return watchByPolling(look, call, { pauseMs: watchPauseMs });
  }

  record(clusterId: ClusterId): RecordStore {
    const platform = this.#platform;
    return {
      maxBytes: MAX_DOCUMENT_BYTES,
      read: async (names) => {
        await platform.answering();
        return platform.cluster(clusterId).record.read(names);
      },
      write: async (name, value, expected) => {
        await platform.answering();
        return platform.cluster(clusterId).record.write(name, value, expected);
      },
    };
  }

  artifacts(clusterId: ClusterId): ArtifactStore {
    const all = () => this.#platform.cluster(clusterId).artifacts;
    return {
      maxBytes: null,
      has: async (hash) => {
        await this.#platform.answering();
        const content = all().get(hash);
        return content !== undefined && sha256(content) === hash;
      },
      put: async ({ file, hash, name, sizeBytes }, options) => {
        await this.#turn(options);
        const content = await readFile(file);
        if (sha256(content) !== hash) throw artifactCorrupt(name);
        all().set(hash, content);
        options.onProgress({ what: name, where: '', sentBytes: sizeBytes, totalBytes: sizeBytes });
        return sizeBytes;
      },
      list: async () => {
        await this.#platform.answering();
        return [...all().keys()].sort();
      },
      remove: async (hash) => {
        await this.#platform.answering();
        all().delete(hash);
      },
    };
  }

  async install(runtime: RuntimeRef, options: TransferOptions): Promise<void> {
    refuseOtherRuntime(runtime, this.name);
    await this.#turn(options);
    if (this.#platform.isInstalled) return;
    this.#platform.isInstalled = true;
    options.onProgress({ what: 'runtime', where: '', sentBytes: 1, totalBytes: 1 });
  }

  async converge(desired: ClusterSpec, plan: Plan, options: ConvergeOptions): Promise<void> {
    const { clusterId } = desired;
    const stop = async ({ process }: Action) => {
      await this.#turn(options);
      const { processes, record } = this.#platform.cluster(clusterId);
      await checkFence(record, options.fence);
      processes.delete(process);
    };
    const start = async (action: StartAction) => {
      await stop(action);
      this.#platform.start(desired, action.process, action.index, action.spec);
    };
    await carryOut(plan, { start, stop }, options);
  }

  async secrets(clusterId: ClusterId): Promise<Readonly<Record<string, string>> | null> {
    await this.#platform.answering();
    return this.#platform.has(clusterId) ? this.#platform.cluster(clusterId).secrets : null;
  }

  async connect(clusterId: ClusterId): Promise<ClusterConnection | null> {
    await this.#platform.answering();
    if (this.#platform.options.connect) return this.#platform.options.connect(clusterId);
    const { record, secrets } = this.#platform.cluster(clusterId);
    const { value } = await readDocument(record, DocumentName.endpoint);
    return value && connectionTo(value, value.rest, secrets?.['token'] ?? null);
  }

  async logs(clusterId: ClusterId, name: string, options: LogOptions): Promise<Readable> {
    await this.#platform.answering();
    const process = this.#platform.cluster(clusterId).processes.get(name);
    if (process === undefined) throw noLogs(clusterId, name, options.stream);
    return process.logs(options);
  }

  async destroy(clusterId: ClusterId, options: DestroyOptions): Promise<readonly string[]> {
    await this.#turn(options);
    const { processes, record } = this.#platform.cluster(clusterId);
    const place = {
      endAll: async () => processes.clear(),
      removeRecord: async () => this.#platform.forget(clusterId),
    };
    await tearDown(record, place, options);
    return [];
  }

  async prune(call: Call): Promise<readonly string[]> {
    await this.#turn(call);
    return [];
  }

  async leftovers(): Promise<readonly Leftover[]> {
    await this.#platform.answering();
    const found: Leftover[] = [];
    for (const clusterId of this.#platform.clusterIds) {
      const observed = await this.observe(clusterId);
      const why = whyWithoutJobManager(observed);
      for (const { location, name } of why === null ? [] : observed!.processes.filter(isAlive))
        found.push({ clusterId, kind: 'process', what: location, why: why!, ref: { name } });
      const lost = await whyNoRecord(this.#platform.cluster(clusterId).record);
      if (lost !== null)
        found.push({ clusterId, kind: 'folder', what: clusterId, why: lost, ref: null });
    }
    return found;
  }

  async remove(leftover: Leftover, call: Call): Promise<void> {
    await this.#turn(call);
    if (!(await isStillLeft(leftover, () => this.leftovers(), call))) return;
    const { clusterId, kind, ref } = leftover;
    const { processes } = this.#platform.cluster(clusterId);
    if (kind === 'process') processes.delete((ref as { name: string }).name);
    else this.#platform.forget(clusterId);
  }

  async close(): Promise<void> {}
}
