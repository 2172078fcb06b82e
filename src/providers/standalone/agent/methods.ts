/**
 * What the agent does on its host: the local provider's work, told where the processes are, beside what
 * several hosts need of each other.
 *
 * M1  Everything that changes processes names the epoch of its lock and is refused here when a newer one
 *     was seen here (host-document.ts, H1).
 * M2  A record that moved away is neither read nor written here any more.
 */
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type ClusterId, parseClusterId } from '../../../contract/cluster-id.ts';
import { DocumentName } from '../../../record/documents.ts';
import { isOver, orDamage, readDocument, whyNoRecord } from '../../../record/record.ts';
import { sha256OfFile } from '../../../contract/hash.ts';
import { type ClusterLayout, clusterLayout, exists, namesIn } from '../../local/layout.ts';
import { LocalProvider } from '../../local/provider.ts';
import { readStarted } from '../../local/started-process.ts';
import type { Leftover } from '../../provider.ts';
import type * as Request from './requests.ts';
import { enterFence, noteRecord, readHostDocument } from './host-document.ts';
import { findFreePort } from './ports.ts';
import { moveInPlace, readRecordFiles, writeRecordFiles } from './record-files.ts';
import { pruneHost } from './prune.ts';
import { type UnitOptions, createUnitLauncher } from './units.ts';
import { artifactCorrupt } from '../../shared/refusals.ts';
import type { Methods, RequestContext } from './serve.ts';

/** @param dir folder of fctl on the host. @param environment of processes that are started. */
export function hostMethods(
  dir: string,
  environment: Readonly<Record<string, string | undefined>>,
): Methods {
  const at = (clusterId: ClusterId) => clusterLayout(dir, clusterId);
  const localFor = (runtime: string, unit: UnitOptions | null = null) => {
    const folder = join(dir, 'runtimes', runtime);
    return new LocalProvider({
      home: dir,
      node: join(folder, 'bin', 'node'),
      runtimeDir: join(folder, 'dist'),
      supervisor: join(folder, 'templates', 'supervise.sh'),
      environment,
      // Not in /tmp, where it would stay.
      compileCache: join(folder, 'compile-cache'),
      launcher: createUnitLauncher(unit, environment),
    });
  };
  const local = localFor('none'); // for all that starts nothing
  return withIds({
    list: async () => (await local.list()).clusters,
    look: ({ clusterId }: Request.OfCluster) => look(local, at(clusterId), clusterId),
    read: async ({ clusterId, generation, names }: Request.Read): Promise<Request.ReadAnswer> => {
      if (await movedBeyond(at(clusterId), generation)) return 'moved';
      return [...(await local.record(clusterId).read(names ?? undefined))];
    },
    write: async (request: Request.Write): Promise<Request.WriteAnswer> => {
      const { clusterId, expected, name, record, value } = request;
      if (await movedBeyond(at(clusterId), record.generation)) return 'moved';
      await noteRecord(at(clusterId), record);
      return { version: await local.record(clusterId).write(name, value, expected) };
    },
    hasArtifact: ({ clusterId, hash }: Request.HasArtifact, { signal }: RequestContext) =>
      local.artifacts(clusterId).has(hash, { signal }),
    takeArtifact: (request: Request.TakeArtifact) =>
      takeArtifact(dir, at(request.clusterId), request),
    start: async (request: Request.Start, { signal }: RequestContext) => {
      const { clusterId, fence, index, place, process, runtime, spec, unit } = request;
      const layout = at(clusterId);
      await enterFence(layout, fence); // M1
      if (request.record !== null) await noteRecord(layout, request.record);
      const recordUrl = place.recordUrl ?? pathToFileURL(layout.record).href;
      const started = { spec, index, place: { ...place, recordUrl, runtime } };
      await localFor(runtime, unit).start(request, process, started, { fence, signal });
    },
    stop: async (request: Request.Stop, { signal }: RequestContext) => {
      const { clusterId, fence, process, record } = request;
      await enterFence(at(clusterId), fence); // M1
      if (record !== null) await noteRecord(at(clusterId), record);
      await local.stop(request, process, { fence, signal });
    },
    endpoint: async ({ clusterId }: Request.OfCluster): Promise<Request.Endpoint | null> => {
      const { value } = await readDocument(local.record(clusterId), DocumentName.endpoint);
      return value && { document: value, secrets: await local.secrets(clusterId) };
    },
    secrets: ({ clusterId }: Request.OfCluster) => local.secrets(clusterId),
    logs: async ({ clusterId, options, process }: Request.Logs, context: RequestContext) => {
      const lines = await local.logs(clusterId, process, {
        ...options,
        signal: context.signal,
      });
      for await (const chunk of lines) await context.send(1, Buffer.from(chunk as Buffer | string));
    },
    exec: async (
      { clusterId, command, hasInput, process }: Request.Exec,
      context: RequestContext,
    ) => {
      const started = await readStarted(at(clusterId), process);
      const stdout = sender(context, 1);
      const stderr = sender(context, 2);
      const stdin = hasInput ? context.input : null;
      const io = { stdin, stdout, stderr, signal: context.signal };
      const client = localFor(started?.place?.runtime ?? 'none');
      const code = await client.exec(clusterId, process, command, io);
      await Promise.all([stdout, stderr].map((stream) => finished(stream.end())));
      return code;
    },
    stopAll: async ({ clusterId, fence }: Request.Destroy, { signal }: RequestContext) => {
      if (fence !== null) await enterFence(at(clusterId), fence);
      const { processes } = await look(local, at(clusterId), clusterId);
      await Promise.all(
        processes.map(({ observed: { name } }) => {
          const options = { fence: fence ?? Number.MAX_SAFE_INTEGER, signal };
          return local.stop({ clusterId, transient: false }, name, options);
        }),
      );
    },
    destroy: async ({ clusterId, fence }: Request.Destroy, { signal }: RequestContext) => {
      if (!(await exists(at(clusterId).root))) return [];
      if (fence !== null) await enterFence(at(clusterId), fence); // M1
      return local.destroy(clusterId, { fence, signal });
    },
    listArtifacts: ({ clusterId }: Request.OfCluster, { signal }: RequestContext) =>
      local.artifacts(clusterId).list({ signal }),
    removeArtifact: ({ clusterId, hash }: Request.HasArtifact, { signal }: RequestContext) =>
      local.artifacts(clusterId).remove(hash, { signal }),
    leftovers: () => local.leftovers(),
    removeLeftover: ({ leftover }: { leftover: Leftover }, { signal }: RequestContext) =>
      local.remove(leftover, { signal }),
    freePort: ({ bind, wanted }: Request.FreePort) => findFreePort(bind, wanted),
    recordFiles: ({ clusterId }: Request.OfCluster) => readRecordFiles(at(clusterId)),
    adoptRecord: async ({ clusterId, fence, files }: Request.AdoptRecord) => {
      await enterFence(at(clusterId), fence);
      await writeRecordFiles(at(clusterId), files);
    },
    leaveRecord: async ({ clusterId, fence, lockVersion, record }: Request.LeaveRecord) => {
      await enterFence(at(clusterId), fence);
      const { version } = await readDocument(local.record(clusterId), DocumentName.lock);
      if (version !== lockVersion) return false;
      await noteRecord(at(clusterId), record);
      return true;
    },
    noteRecord: ({ clusterId, record }: Request.NoteRecord) => noteRecord(at(clusterId), record),
    prune: () => pruneHost(dir),
  });
}

/** The methods, which a client's message reaches with an id that a cluster can have alone. */
function withIds(methods: Methods): Methods {
  const checked = Object.entries(methods).map(([name, method]): [string, Methods[string]] => [
    name,
    async (params, context) => {
      const { clusterId } = params as { readonly clusterId?: unknown };
      if (clusterId !== undefined) parseClusterId(typeof clusterId === 'string' ? clusterId : '');
      return method(params, context);
    },
  ]);
  return Object.fromEntries(checked);
}

/** M2 */
async function movedBeyond(layout: ClusterLayout, generation: number): Promise<boolean> {
  return ((await readHostDocument(layout)).record?.generation ?? 0) > generation;
}

async function look(
  local: LocalProvider,
  layout: ClusterLayout,
  clusterId: ClusterId,
): Promise<Request.HostView> {
  const [observed, host, record] = await Promise.all([
    local.observe(clusterId),
    readHostDocument(layout),
    namesIn(layout.record),
  ]);
  const stored = local.record(clusterId);
  const placement = await orDamage(readDocument(stored, DocumentName.placement));
  const processes = (observed?.processes ?? []).map(async (each) => ({
    observed: each,
    place: (await readStarted(layout, each.name))?.place ?? null,
  }));
  return {
    folder: observed !== null,
    host,
    hasRecord: record.some((file) => file.endsWith('.json')),
    described: (await whyNoRecord(stored)) === null,
    ended: observed === null ? false : await isOver(stored),
    // Where it is damaged, its processes are seen all the same.
    placement: placement.damage === null ? placement.read.value : null,
    processes: await Promise.all(processes),
  };
}

/** Verifies what was uploaded and puts it in its place. */
async function takeArtifact(
  dir: string,
  layout: ClusterLayout,
  { hash, name, upload }: Request.TakeArtifact,
): Promise<void> {
  if (basename(upload) !== upload) throw new Error(`${upload} is no name of an upload`);
  const uploaded = join(dir, 'uploads', upload);
  if ((await sha256OfFile(uploaded)) !== hash) {
    await rm(uploaded, { force: true });
    throw artifactCorrupt(name);
  }
  await moveInPlace(uploaded, layout.artifacts, hash);
}

function sender(context: RequestContext, stream: 1 | 2): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      const sent = context.send(stream, chunk);
      void sent.finally(done);
    },
  });
}
