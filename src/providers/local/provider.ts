/**
 * The local provider: clusters of detached processes on this machine, which survive the CLI.
 *
 * Each process has a supervisor that starts it again when it crashes. What is gone with its supervisor,
 * by a reboot say, is not started again; `inspect` reports it as lost.
 */
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Readable } from 'node:stream';
import {
  type ClusterDocument,
  DocumentName,
  type EndpointDocument,
  type LockDocument,
} from '../../record/documents.ts';
import { ClusterError, ProviderError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { isRecordDamaged, readDocument, writeDocument } from '../../record/file-documents.ts';
import { sha256OfFile } from '../../contract/hash.ts';
import { readLogs } from '../../contract/log-files.ts';
import type { ClusterSpec } from '../../contract/process-spec.ts';
import type {
  Action,
  ApplyOptions,
  ArtifactStore,
  DestroyOptions,
  DocumentStore,
  ExecStreams,
  LogOptions,
  ObservedCluster,
  Orphan,
  Provider,
  ReachableEndpoint,
} from '../provider.ts';
import { checkFence } from '../fence.ts';
import { hasEnded } from '../has-ended.ts';
import { LocalClient } from './client.ts';
import { type ClusterLayout, clusterLayout, exists, namesIn } from './layout.ts';
import type { LocalOptions } from './options.ts';
import type { Place } from './placeholders.ts';
import { findProblems } from './preflight.ts';
import { findMarkedProcesses } from './process-table.ts';

const loopback = '127.0.0.1';

export function createLocalProvider(options: LocalOptions): Provider {
  return new LocalProvider(options);
}

/** Also what the agent of a host does there: see standalone/agent. */
export class LocalProvider implements Provider {
  readonly name = 'local';
  readonly storageScope = 'common';
  readonly #options: LocalOptions;
  readonly #client: LocalClient;

  constructor(options: LocalOptions) {
    this.#options = options;
    this.#client = new LocalClient(options);
  }

  #layout(clusterId: string): ClusterLayout {
    return clusterLayout(this.#options.home, clusterId);
  }

  async preflight(spec: ClusterSpec) {
    const endpoint = await this.endpoint(spec.clusterId);
    const ownPorts = new Set(endpoint ? [Number(new URL(endpoint.url).port)] : []);
    return findProblems(this.#options, spec, ownPorts);
  }

  /** @throws ProviderError when the home is there and cannot be used. */
  async list(): Promise<readonly string[]> {
    const folder = join(this.#options.home, 'clusters');
    try {
      return (await readdir(folder)).sort();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return [];
      throw new ProviderError(
        problem({
          code: 'home-not-usable',
          message: `the folder of the local clusters cannot be read: ${message}`,
          file: folder,
          hint: 'set FCTL_HOME, or providers.local.dir, to a folder that you may write to',
        }),
        { cause: error },
      );
    }
  }

  async inspect(clusterId: string): Promise<ObservedCluster | null> {
    const layout = this.#layout(clusterId);
    if (!(await exists(layout.root))) return null;
    const ended = await hasEnded(this.store(clusterId));
    return { clusterId, processes: await this.#client.inspect(layout, ended) };
  }

  store(clusterId: string): DocumentStore {
    const { record } = this.#layout(clusterId);
    return {
      read: (name) => readDocument(record, name),
      write: (name, expected, value) => writeDocument(record, name, expected, value),
    };
  }

  artifacts(clusterId: string): ArtifactStore {
    const folder = this.#layout(clusterId).artifacts;
    const verified = async (path: string, hash: string) =>
      (await exists(path)) && (await sha256OfFile(path)) === hash;
    return {
      has: (hash) => verified(join(folder, hash), hash),
      put: async ({ hash, file, sizeBytes, name }, { onProgress }) => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const temporary = join(folder, `.${hash}.${randomBytes(4).toString('hex')}`);
        await copyFile(file, temporary);
        if (!(await verified(temporary, hash))) {
          await rm(temporary, { force: true });
          throw new ProviderError(
            problem({ code: 'artifact-corrupt', message: `${name} changed while it was copied` }),
          );
        }
        await rename(temporary, join(folder, hash));
        onProgress({ what: name, where: '', sentBytes: sizeBytes, totalBytes: sizeBytes });
        return sizeBytes;
      },
    };
  }

  /** Clusters run with the runtime that this fctl has. */
  async install(): Promise<void> {}

  async apply(action: Action, spec: ClusterSpec, options: ApplyOptions): Promise<void> {
    await this.applyAt(action, spec, options, {
      address: loopback,
      bind: loopback,
      jobManagerAddress: loopback,
      recordUrl: pathToFileURL(this.#layout(spec.clusterId).record).href,
      clientDir: spec.clientDir,
      storageScope: this.storageScope,
      ports: {},
    });
  }

  /** `apply`, with what the process is told of its place. */
  async applyAt(
    action: Action,
    spec: Pick<ClusterSpec, 'clusterId' | 'secrets' | 'transient'>,
    { fence, signal }: ApplyOptions,
    place: Place,
  ): Promise<void> {
    const layout = this.#layout(spec.clusterId);
    if (action.kind === 'none') return;
    signal.throwIfAborted();
    await this.#checkFence(layout, fence);
    await this.#client.stop(layout, action.process, signal);
    if (action.spec === null) {
      await rm(join(layout.processes, action.process), { recursive: true, force: true });
      await rm(join(layout.work, action.process), { recursive: true, force: true });
      if (spec.transient && (await namesIn(layout.processes)).length === 0) {
        for (const name of ['processes', 'work', 'artifacts', 'secrets'] as const)
          await rm(layout[name], { recursive: true, force: true });
      }
      return;
    }
    signal.throwIfAborted();
    await this.#writeSecrets(layout, spec);
    const started = { spec: action.spec, index: action.index, place };
    await this.#client.start(layout, action.process, started, spec);
  }

  async #checkFence({ record }: ClusterLayout, fence: number): Promise<void> {
    const { value } = await readDocument<LockDocument>(record, DocumentName.lock);
    checkFence(value, fence);
  }

  async #writeSecrets(layout: ClusterLayout, spec: Pick<ClusterSpec, 'secrets'>): Promise<void> {
    await mkdir(layout.secrets, { recursive: true, mode: 0o700 });
    for (const [name, value] of Object.entries(spec.secrets)) {
      const file = join(layout.secrets, name);
      await writeFile(`${file}.tmp`, value, { mode: 0o600 });
      await rename(`${file}.tmp`, file);
    }
  }

  async endpoint(clusterId: string): Promise<ReachableEndpoint | null> {
    const layout = this.#layout(clusterId);
    const { value } = await readDocument<EndpointDocument>(layout.record, DocumentName.endpoint);
    if (value === null) return null;
    const token = await readFile(join(layout.secrets, 'token'), 'utf8').catch(() => null);
    return { document: value, url: value.rest, token };
  }

  async logs(clusterId: string, name: string, options: LogOptions): Promise<Readable> {
    const { logs } = this.#layout(clusterId);
    const file = `${name}.${options.stream}`;
    if (!(await exists(join(logs, file)))) {
      throw new ClusterError(
        ExitCode.notFound,
        problem({
          code: 'no-logs',
          message: `cluster ${clusterId} has no ${options.stream === 'log' ? 'log' : 'output'} of ${name}`,
          hint: `'fctl status ${clusterId}' names its processes`,
        }),
      );
    }
    return readLogs(logs, file, options);
  }

  async exec(
    clusterId: string,
    name: string,
    command: readonly string[],
    io: ExecStreams,
  ): Promise<number> {
    const code = await this.#client.exec(this.#layout(clusterId), name, command, io);
    if (code !== null) return code;
    throw new ClusterError(
      ExitCode.notFound,
      problem({
        code: 'no-such-process',
        message: `cluster ${clusterId} has no process ${name}`,
        hint: `'fctl status ${clusterId}' names its processes`,
      }),
    );
  }

  async destroy(
    clusterId: string,
    { fence, signal }: Pick<DestroyOptions, 'fence' | 'signal'>,
  ): Promise<readonly string[]> {
    const layout = this.#layout(clusterId);
    if (fence !== null) await this.#checkFence(layout, fence);
    const names = await namesIn(layout.processes);
    // The JobManager first: it dismisses its TaskManagers.
    const ordered = names.sort((a, b) => Number(b.startsWith('job')) - Number(a.startsWith('job')));
    await Promise.all(ordered.map((name) => this.#client.stop(layout, name, signal)));
    for (const marked of await findMarkedProcesses()) {
      if (marked.processDir.startsWith(`${layout.processes}/`)) {
        await this.#client.endMarked(marked.processDir);
      }
    }
    const { record, root } = layout;
    for (const name of await namesIn(root)) {
      if (join(root, name) !== record) await rm(join(root, name), { recursive: true, force: true });
    }
    await rm(root, { recursive: true, force: true });
    return [];
  }

  /** What clusters share here is a part of fctl. */
  async prune(): Promise<readonly string[]> {
    return [];
  }

  async close(): Promise<void> {}

  async orphans(): Promise<readonly Orphan[]> {
    const found: Orphan[] = [];
    const prefix = join(this.#options.home, 'clusters') + '/';
    const marked = (await findMarkedProcesses()).filter((m) => m.processDir.startsWith(prefix));
    // One entry for a supervisor with its process and what that started.
    for (const [processDir, group] of Map.groupBy(marked, (m) => m.processDir)) {
      const { clusterId } = group[0]!;
      const why = await this.#whyOrphan(clusterId, processDir);
      const what = `pid ${Math.min(...group.map((m) => m.pid))}`;
      if (why !== null) found.push({ clusterId, kind: 'process', what, why });
    }
    for (const clusterId of await this.list()) {
      const { record, root } = this.#layout(clusterId);
      const why = await whyNoRecord(record);
      if (why !== null) found.push({ clusterId, kind: 'folder', what: root, why });
    }
    return found;
  }

  async #whyOrphan(clusterId: string, processDir: string): Promise<string | null> {
    if (!(await exists(processDir))) return `its cluster ${clusterId} was removed`;
    const observed = await this.inspect(clusterId);
    const master = observed?.processes.find((p) => p.role === 'jobmanager');
    if (master?.status === 'lost') return `the JobManager of its cluster ${clusterId} is gone`;
    if (master?.status === 'exited') return `its cluster ${clusterId} has ended`;
    return null;
  }

  async removeOrphan(orphan: Orphan): Promise<void> {
    const still = (await this.orphans()).some(
      (o) => o.what === orphan.what && o.clusterId === orphan.clusterId,
    );
    if (!still) return;
    if (orphan.kind === 'process') {
      const pid = Number(orphan.what.slice('pid '.length));
      const marked = (await findMarkedProcesses()).find((m) => m.pid === pid);
      if (marked) await this.#client.endMarked(marked.processDir);
    } else {
      const { signal } = new AbortController();
      await this.destroy(orphan.clusterId, { fence: null, signal });
    }
  }
}

async function whyNoRecord(record: string): Promise<string | null> {
  try {
    const { value } = await readDocument<ClusterDocument>(record, DocumentName.cluster);
    return value === null ? 'a cluster without a record' : null;
  } catch (error) {
    if (isRecordDamaged(error)) return 'a cluster whose record is damaged';
    throw error;
  }
}
