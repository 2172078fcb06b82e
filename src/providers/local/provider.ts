/**
 * The local provider: clusters of detached processes on this machine, which survive the CLI.
 *
 * Each process has a supervisor that starts it again when it crashes. What is gone with its supervisor,
 * by a reboot say, is not started again; `inspect` reports it as lost.
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Readable } from 'node:stream';
import { DocumentName } from '../../record/documents.ts';
import type { Call } from '../../contract/call.ts';
import { ProviderError, problem } from '../../contract/errors.ts';
import { createFileStore } from '../../record/drivers/file.ts';
import { isOver, readDocument, whyNoRecord } from '../../record/record.ts';
import type { RecordStore } from '../../record/store.ts';
import { sha256OfFile } from '../../contract/hash.ts';
import { readLogs } from '../../contract/log-files.ts';
import { type Action, ActionKind, type Plan } from '../../contract/plan.ts';
import { type ClusterSpec, Role, type RuntimeRef } from '../../contract/process-spec.ts';
import {
  type ArtifactStore,
  type Capabilities,
  type ClusterConnection,
  type ClusterList,
  type ConvergeOptions,
  type DestroyOptions,
  type ExecStreams,
  type Leftover,
  type LogOptions,
  type ObservedCluster,
  type Provider,
  isAlive,
} from '../provider.ts';
import { checkFence } from '../../record/fence.ts';
import { connectionTo } from '../shared/connection.ts';
import { withDoor } from '../shared/door.ts';
import { type StartAction, carryOut, removesAll } from '../shared/imperative.ts';
import { jobManagersFirst, jobManagersOf } from '../shared/job-managers.ts';
import { isStillLeft, whyRemoved, whyWithoutJobManager } from '../shared/leftovers.ts';
import type { Place } from '../shared/render.ts';
import { watchByPolling } from '../shared/poll.ts';
import { artifactCorrupt, noLogs, noSuchProcess, refuseOtherRuntime } from '../shared/refusals.ts';
import { tearDown } from '../shared/tear-down.ts';
import { writeWhole } from '../shared/write-file.ts';
import { LocalClient } from './client.ts';
import {
  type ClusterLayout,
  clusterIdsIn,
  clusterLayout,
  exists,
  namesIn,
  removeCluster,
  removeOf,
} from './layout.ts';
import type { LocalOptions } from './options.ts';
import { installRuntime, pruneRuntimes, runtimeAt } from './runtimes.ts';
import { type StartedProcess, readStarted } from './started-process.ts';
import { findProblems } from './preflight.ts';
import { findMarkedProcesses } from './process-table.ts';

/** A look reads some small files: whoever watches may know soon. */
const watchPauseMs = 50;

const loopback = '127.0.0.1';

/** What whoever acts on a process brings. */
type Acting = Pick<ConvergeOptions, 'fence' | 'signal'>;

export function createLocalProvider(options: LocalOptions): Provider {
  return withDoor(new LocalProvider(options));
}

/** Also what the agent of a host does there: see standalone/agent. */
export class LocalProvider implements Provider {
  readonly name = 'local';
  readonly capabilities: Capabilities = {
    exec: true,
    tty: false,
    liveLogs: true,
    restartOne: true,
    commonFiles: true,
  };
  readonly #options: LocalOptions;
  readonly #client: LocalClient;
  /** The copy of the runtime that this client has found or made. */
  #installed: string | undefined;

  constructor(options: LocalOptions) {
    this.#options = options;
    this.#client = new LocalClient(options);
  }

  #layout(clusterId: ClusterId): ClusterLayout {
    return clusterLayout(this.#options.home, clusterId);
  }

  async preflight(spec: ClusterSpec, call: Call) {
    const found = await findProblems(this.#options, spec, await this.#portsOf(spec.clusterId));
    call.signal.throwIfAborted();
    return found;
  }

  /** Ports that a cluster holds: those of an endpoint that was recorded once may be somebody else's by now. */
  async #portsOf(clusterId: ClusterId): Promise<ReadonlySet<number>> {
    const connection = await this.connect(clusterId);
    const runs = jobManagersOf(await this.observe(clusterId)).some(isAlive);
    return new Set(connection !== null && runs ? [Number(new URL(connection.url).port)] : []);
  }

  /** @throws ProviderError when the home is there and cannot be used. */
  async list(): Promise<ClusterList> {
    try {
      return { clusters: await clusterIdsIn(this.#options.home), silent: [] };
    } catch (error) {
      const { message } = error as NodeJS.ErrnoException;
      throw new ProviderError(
        problem({
          code: 'home-not-usable',
          message: `the folder of the local clusters cannot be read: ${message}`,
          file: join(this.#options.home, 'clusters'),
          hint: 'set FCTL_HOME, or providers.local.dir, to a folder that you may write to',
        }),
        { cause: error },
      );
    }
  }

  async observe(clusterId: ClusterId): Promise<ObservedCluster | null> {
    const layout = this.#layout(clusterId);
    if (!(await exists(layout.root))) return null;
    const ended = await isOver(this.record(clusterId));
    return { clusterId, processes: await this.#client.inspect(layout, ended) };
  }

  watch(clusterId: ClusterId, call: Call): AsyncIterable<ObservedCluster | null> {
    return watchByPolling(() => this.observe(clusterId), call, { pauseMs: watchPauseMs });
  }

  record(clusterId: ClusterId): RecordStore {
    return createFileStore(this.#layout(clusterId).record);
  }

  artifacts(clusterId: ClusterId): ArtifactStore {
    const layout = this.#layout(clusterId);
    const folder = layout.artifacts;
    const verified = async (path: string, hash: string) =>
      (await exists(path)) && (await sha256OfFile(path)) === hash;
    return {
      maxBytes: null,
      has: (hash) => verified(join(folder, hash), hash),
      list: async () => (await namesIn(folder)).filter((name) => !name.startsWith('.')),
      remove: (hash) => removeOf(layout, join(folder, hash)),
      put: async ({ hash, file, sizeBytes, name }, { onProgress }) => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const temporary = join(folder, `.${hash}.${randomBytes(4).toString('hex')}`);
        await copyFile(file, temporary);
        if (!(await verified(temporary, hash))) {
          await removeOf(layout, temporary);
          throw artifactCorrupt(name);
        }
        await rename(temporary, join(folder, hash));
        onProgress({ what: name, where: '', sentBytes: sizeBytes, totalBytes: sizeBytes });
        return sizeBytes;
      },
    };
  }

  async install(runtime: RuntimeRef, { signal }: Call): Promise<void> {
    refuseOtherRuntime(runtime, this.name);
    await this.#install(signal);
  }

  /** @returns the name of the copy that processes are started with; `undefined`: there are no copies. */
  async #install(signal: AbortSignal): Promise<string | undefined> {
    const { home, runtimeFiles } = this.#options;
    if (runtimeFiles === undefined || this.#installed !== undefined) return this.#installed;
    const files = await runtimeFiles();
    await installRuntime(home, files, signal);
    return (this.#installed = files.hash);
  }

  /** One that joins others of its cluster runs with what the JobManager that stays was started with. */
  async #runtimeFor(
    { clusterId }: ClusterSpec,
    { actions }: Plan,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const stays = actions.find((a) => a.kind === ActionKind.none && a.role === Role.jobmanager);
    const started = stays && (await readStarted(this.#layout(clusterId), stays.process));
    const runtime = started?.place?.runtime;
    const isThere = runtime && (await exists(runtimeAt(this.#options.home, runtime).supervisor));
    return isThere ? runtime : this.#install(signal);
  }

  async converge(desired: ClusterSpec, plan: Plan, options: ConvergeOptions): Promise<void> {
    const { clusterId } = desired;
    const transient = desired.transient && removesAll(plan);
    const runtime = await this.#runtimeFor(desired, plan, options.signal);
    const place: Place = {
      ...(runtime !== undefined && { runtime }),
      address: loopback,
      bind: loopback,
      recordUrl: pathToFileURL(this.#layout(clusterId).record).href,
      clientDir: desired.clientDir,
      storageScope: 'common',
      ports: {},
    };
    const driver = {
      start: ({ index, process, spec }: StartAction) =>
        this.start(desired, process, { spec, index, place }, options),
      stop: ({ process }: Action) => this.stop({ clusterId, transient }, process, options),
    };
    await carryOut(plan, driver, options);
  }

  /** Ends whatever runs as that process, and starts it. */
  async start(
    cluster: Pick<ClusterSpec, 'clusterId' | 'secrets' | 'transient'>,
    name: string,
    started: Required<StartedProcess>,
    { fence, signal }: Acting,
  ): Promise<void> {
    const layout = this.#layout(cluster.clusterId);
    signal.throwIfAborted();
    await checkFence(this.record(cluster.clusterId), fence);
    await this.#client.stop(layout, name, signal);
    signal.throwIfAborted();
    await this.#writeSecrets(layout, cluster);
    await this.#client.start(layout, name, started, cluster);
  }

  /**
   * Ends whatever runs as that process, and removes what it leaves.
   * @param cluster `transient`: with the last process all goes that is neither record nor log.
   */
  async stop(
    { clusterId, transient }: Pick<ClusterSpec, 'clusterId' | 'transient'>,
    name: string,
    { fence, signal }: Acting,
  ): Promise<void> {
    const layout = this.#layout(clusterId);
    signal.throwIfAborted();
    await checkFence(this.record(clusterId), fence);
    await this.#client.stop(layout, name, signal);
    await removeOf(layout, join(layout.processes, name));
    await removeOf(layout, join(layout.work, name));
    if (!transient || (await namesIn(layout.processes)).length > 0) return;
    for (const each of ['processes', 'work', 'artifacts', 'secrets'] as const)
      await removeOf(layout, layout[each]);
  }

  async #writeSecrets(layout: ClusterLayout, spec: Pick<ClusterSpec, 'secrets'>): Promise<void> {
    for (const [name, value] of Object.entries(spec.secrets))
      await writeWhole(join(layout.secrets, name), value);
  }

  async secrets(clusterId: ClusterId): Promise<Readonly<Record<string, string>> | null> {
    const folder = this.#layout(clusterId).secrets;
    const names = (await namesIn(folder)).filter((name) => !name.endsWith('.tmp'));
    if (names.length === 0) return null;
    const values = names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')]);
    return Object.fromEntries(await Promise.all(values)) as Record<string, string>;
  }

  async connect(clusterId: ClusterId): Promise<ClusterConnection | null> {
    const { value } = await readDocument(this.record(clusterId), DocumentName.endpoint);
    if (value === null) return null;
    const { token = null } = (await this.secrets(clusterId)) ?? {};
    return connectionTo(value, value.rest, token);
  }

  async logs(clusterId: ClusterId, name: string, options: LogOptions): Promise<Readable> {
    const { logs } = this.#layout(clusterId);
    const file = `${name}.${options.stream}`;
    if (!(await exists(join(logs, file)))) throw noLogs(clusterId, name, options.stream);
    // Its output begins anew with each placement (client.ts); its log has times.
    const currentOnly = options.stream === 'out' && options.sincePlaced === true;
    return readLogs(logs, file, { ...options, currentOnly });
  }

  async exec(
    clusterId: ClusterId,
    name: string,
    command: readonly string[],
    io: ExecStreams,
  ): Promise<number> {
    const code = await this.#client.exec(this.#layout(clusterId), name, command, io);
    if (code !== null) return code;
    throw noSuchProcess(clusterId, name);
  }

  async destroy(
    clusterId: ClusterId,
    options: Omit<DestroyOptions, 'deleteState'>,
  ): Promise<readonly string[]> {
    const layout = this.#layout(clusterId);
    const place = {
      endAll: () => this.#endAll(layout, options.signal),
      removeRecord: () => removeCluster(layout),
    };
    await tearDown(this.record(clusterId), place, options);
    return [];
  }

  async #endAll(layout: ClusterLayout, signal: AbortSignal): Promise<void> {
    const { processes, record, root } = layout;
    const roleOf = (name: string) => name.split('-', 1)[0]!;
    const names = jobManagersFirst(await namesIn(processes), roleOf);
    await Promise.all(names.map((name) => this.#client.stop(layout, name, signal)));
    for (const { processDir } of await findMarkedProcesses())
      if (processDir.startsWith(`${processes}/`)) await this.#client.endMarked(processDir);
    for (const name of await namesIn(root))
      if (join(root, name) !== record) await removeOf(layout, join(root, name));
  }

  async prune(): Promise<readonly string[]> {
    return pruneRuntimes(this.#options.home);
  }

  async close(): Promise<void> {}

  async leftovers(): Promise<readonly Leftover[]> {
    const found: Leftover[] = [];
    const prefix = join(this.#options.home, 'clusters') + '/';
    const marked = (await findMarkedProcesses()).filter((m) => m.processDir.startsWith(prefix));
    // One entry for a supervisor with its process and what that started.
    for (const [processDir, group] of Map.groupBy(marked, (m) => m.processDir)) {
      const { clusterId } = group[0]!;
      const why = (await exists(processDir))
        ? whyWithoutJobManager(await this.observe(clusterId))
        : whyRemoved(clusterId);
      if (why === null) continue;
      const what = `pid ${Math.min(...group.map((m) => m.pid))}`;
      found.push({ clusterId, kind: 'process', what, why, ref: { processDir } });
    }
    const { clusters } = await this.list();
    for (const clusterId of clusters) {
      const why = await whyNoRecord(this.record(clusterId));
      if (why === null) continue;
      const { root } = this.#layout(clusterId);
      found.push({ clusterId, kind: 'folder', what: root, why, ref: { root } });
    }
    return found;
  }

  async remove(leftover: Leftover, call: Call): Promise<void> {
    if (!(await isStillLeft(leftover, () => this.leftovers(), call))) return;
    const { clusterId, kind, ref } = leftover;
    if (kind === 'process')
      await this.#client.endMarked((ref as { processDir: string }).processDir);
    else await this.destroy(clusterId, { ...call, fence: null });
  }
}
