/**
 * A platform in memory: what a provider of tests places processes on. Nothing is started, so a test says
 * what becomes of a process: it is pending, runs, crashes, ends, is lost. Several clients may use the
 * same platform (`openFake`), as several people use the same hosts.
 *
 * M1  A start is synchronous and seen by every client at once; what a real platform does a little later
 *     (`pend`, `admit`, `crash`) is done by the test.
 * M2  A process says something only when the test lets it: through `onStart`, or `process(…).print`.
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { ClusterSpec } from '../../contract/process-spec.ts';
import type { Problem } from '../../contract/errors.ts';
import { type EndpointDocument, DocumentName, PROTOCOL_VERSION } from '../../record/documents.ts';
import type { Capabilities, ClusterConnection } from '../provider.ts';
import { MemoryProcess } from './memory-process.ts';
import { MemoryStore } from '../../record/drivers/memory.ts';
import { readRuns } from '../../record/record.ts';

export interface FakePlatformOptions {
  /** In ms. Default: the clock of the machine. */
  readonly now?: () => number;
  /** Called when a process begins to run, for the first time or again. */
  readonly onStart?: (process: MemoryProcess) => void;
  /** How a leader is reached; absent: by the address in the record's endpoint document. */
  readonly connect?: (clusterId: ClusterId) => Promise<ClusterConnection | null>;
  /** What differs from a platform that has all but commands in processes. */
  readonly capabilities?: Partial<Capabilities>;
}

/** What a platform holds of one cluster. */
export interface FakeCluster {
  readonly record: MemoryStore;
  readonly processes: Map<string, MemoryProcess>;
  readonly artifacts: Map<string, Buffer>;
  /** Of the newest start. */
  secrets: Readonly<Record<string, string>> | null;
}

const isThere = ({ artifacts, processes, record }: FakeCluster) =>
  !record.isEmpty || processes.size > 0 || artifacts.size > 0;

export class FakePlatform {
  readonly options: FakePlatformOptions;
  /** What preflight finds. */
  problems: readonly Problem[] = [];
  /** What does not answer. */
  silent: readonly Problem[] = [];
  /** Whether the runtime was installed. */
  isInstalled = false;
  readonly now: () => number;
  readonly #clusters = new Map<ClusterId, FakeCluster>();
  readonly #pending = new Map<string, string>();
  #pids = 0;
  #stalled: PromiseWithResolvers<void> | null = null;

  constructor(options: FakePlatformOptions = {}) {
    this.options = options;
    this.now = options.now ?? Date.now;
  }

  /** Ids of all that is there, sorted. */
  get clusterIds(): readonly ClusterId[] {
    const there = [...this.#clusters].filter(([, cluster]) => isThere(cluster));
    return there.map(([id]) => id).sort();
  }

  /** What is there of a cluster; whoever asks first makes it, and an empty one counts as none. */
  cluster(clusterId: ClusterId): FakeCluster {
    const known = this.#clusters.get(clusterId);
    if (known !== undefined) return known;
    const made: FakeCluster = {
      record: new MemoryStore(this.now),
      processes: new Map(),
      artifacts: new Map(),
      secrets: null,
    };
    this.#clusters.set(clusterId, made);
    return made;
  }

  has(clusterId: ClusterId): boolean {
    const cluster = this.#clusters.get(clusterId);
    return cluster !== undefined && isThere(cluster);
  }

  forget(clusterId: ClusterId): void {
    this.#clusters.delete(clusterId);
  }

  /** @throws Error when there is no such process. */
  process(clusterId: ClusterId, name: string): MemoryProcess {
    const found = this.#clusters.get(clusterId)?.processes.get(name);
    if (found === undefined) throw new Error(`there is no process ${name} of ${clusterId}`);
    return found;
  }

  /** Places a process: it runs, unless it has to wait (`pend`). */
  start(spec: ClusterSpec, name: string, index: number, process: MemoryProcess['start']['spec']) {
    const { clusterId, secrets } = spec;
    const cluster = this.cluster(clusterId);
    const pid = ++this.#pids;
    const pending = this.#pending.get(`${clusterId}/${name}`) ?? null;
    const placed = { clusterId, name, index, spec: process, secrets };
    const made = new MemoryProcess({ ...placed, pid, startedAt: this.now(), pending });
    cluster.secrets = secrets;
    cluster.processes.set(name, made);
    if (pending === null) this.options.onStart?.(made);
  }

  /** Processes of that name wait for their place from now on, also one that does already. */
  pend(clusterId: ClusterId, name: string, reason: string): void {
    this.#pending.set(`${clusterId}/${name}`, reason);
    const there = this.#clusters.get(clusterId)?.processes.get(name);
    if (there?.status === 'pending') there.reason = reason;
  }

  /** There is room for a process: it runs. */
  admit(clusterId: ClusterId, name: string): void {
    this.#pending.delete(`${clusterId}/${name}`);
    const there = this.#clusters.get(clusterId)?.processes.get(name);
    if (there?.status !== 'pending') return;
    there.status = 'running';
    there.reason = null;
    this.options.onStart?.(there);
  }

  /** A process crashes, and is about to be started again (`restart`). */
  crash(clusterId: ClusterId, name: string, exitCode = 1): void {
    const there = this.process(clusterId, name);
    there.status = 'restarting';
    there.exitCode = exitCode;
  }

  /** The platform starts a process again that crashed. */
  restart(clusterId: ClusterId, name: string): void {
    const there = this.process(clusterId, name);
    there.status = 'running';
    there.restarts += 1;
    this.options.onStart?.(there);
  }

  /** A process ends for good: with 0 it is done, with any other code the platform has given it up. */
  exit(clusterId: ClusterId, name: string, exitCode = 0): void {
    const there = this.process(clusterId, name);
    there.status = 'lost';
    there.exitCode = exitCode;
  }

  /** A JobManager begins to lead: its endpoint is written into the record, with the next epoch. */
  async lead(clusterId: ClusterId, leader: string, rest: string): Promise<EndpointDocument> {
    const { record } = this.cluster(clusterId);
    const runs = await readRuns(record);
    const document: EndpointDocument = {
      protocol: PROTOCOL_VERSION,
      rest,
      rpc: `${rest.replace(/^http/, 'ws')}/fctl/v1/rpc`,
      epoch: runs.epoch + 1,
      jobmanager: { resourceId: leader, pid: 1 },
    };
    await record.write(DocumentName.endpoint, document, runs.versionOf(DocumentName.endpoint));
    return document;
  }

  /** From now on nothing is answered, until `resume`. */
  stall(): void {
    this.#stalled ??= Promise.withResolvers<void>();
  }

  resume(): void {
    this.#stalled?.resolve();
    this.#stalled = null;
  }

  /** Waits while the platform is stalled. */
  async answering(): Promise<void> {
    await this.#stalled?.promise;
  }
}
