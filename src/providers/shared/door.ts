/**
 * The door of a provider: what is true of every call to every one of them, in one place.
 *
 * R1  Nothing is done for an id that no cluster can have. It would name the folder of all clusters, or
 *     something outside of it, and `destroy` removes what has that name.
 * R2  What only looks rejects as soon as its signal is aborted (provider.ts, V6). What changes something
 *     begins nothing after that, and ends by itself, where it can say what it has done.
 */
import type { Call } from '../../contract/call.ts';
import { parseClusterId } from '../../contract/cluster-id.ts';
import type { RecordStore } from '../../record/store.ts';
import type { ArtifactStore, ExecStreams, Provider } from '../provider.ts';
import { untilAborted } from './abort.ts';

async function looking<T>({ signal }: Call, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  return untilAborted(signal, work());
}

async function changing<T>({ signal }: Call, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  return work();
}

/** @returns the same provider behind its door; nobody else keeps it. */
export function withDoor(provider: Provider): Provider {
  const warmUp = provider.warmUp?.bind(provider);
  const exec = provider.exec?.bind(provider);
  const execAtDoor = async (
    id: string,
    process: string,
    command: readonly string[],
    io: ExecStreams,
  ) => changing(io, () => exec!(parseClusterId(id), process, command, io));
  return {
    name: provider.name,
    capabilities: provider.capabilities,
    ...(warmUp && { warmUp }),
    preflight: async (spec, call) => {
      parseClusterId(spec.clusterId);
      return looking(call, () => provider.preflight(spec, call));
    },
    list: (call) => looking(call, () => provider.list(call)),
    observe: async (id, call) => {
      const clusterId = parseClusterId(id);
      return looking(call, () => provider.observe(clusterId, call));
    },
    watch: (id, call) => provider.watch(parseClusterId(id), call),
    record: (id) => recordOf(provider.record(parseClusterId(id))),
    artifacts: (id) => artifactsOf(provider.artifacts(parseClusterId(id))),
    install: (runtime, options) => changing(options, () => provider.install(runtime, options)),
    converge: async (desired, plan, options) => {
      parseClusterId(desired.clusterId);
      return changing(options, () => provider.converge(desired, plan, options));
    },
    secrets: async (id, call) => {
      const clusterId = parseClusterId(id);
      return looking(call, () => provider.secrets(clusterId, call));
    },
    connect: async (id, call) => {
      const clusterId = parseClusterId(id);
      return looking(call, () => provider.connect(clusterId, call));
    },
    logs: async (id, process, options) => {
      const clusterId = parseClusterId(id);
      return looking(options, () => provider.logs(clusterId, process, options));
    },
    ...(exec && { exec: execAtDoor }),
    destroy: async (id, options) => {
      const clusterId = parseClusterId(id);
      return changing(options, () => provider.destroy(clusterId, options));
    },
    prune: (call) => changing(call, () => provider.prune(call)),
    leftovers: (call) => looking(call, () => provider.leftovers(call)),
    remove: (leftover, call) => changing(call, () => provider.remove(leftover, call)),
    close: () => provider.close(),
  };
}

/** Without a signal there is nothing that could end it. */
function recordOf(store: RecordStore): RecordStore {
  return {
    maxBytes: store.maxBytes,
    read: (names, call = {}) =>
      call.signal
        ? looking({ signal: call.signal }, () => store.read(names, call))
        : store.read(names),
    write: (name, value, expected, call) => store.write(name, value, expected, call),
  };
}

function artifactsOf(store: ArtifactStore): ArtifactStore {
  return {
    maxBytes: store.maxBytes,
    has: (hash, call) => looking(call, () => store.has(hash, call)),
    put: (artifact, options) => changing(options, () => store.put(artifact, options)),
    list: (call) => looking(call, () => store.list(call)),
    remove: (hash, call) => changing(call, () => store.remove(hash, call)),
  };
}
