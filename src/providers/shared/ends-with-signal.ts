/**
 * Gives a provider V6 for all that only looks: each such call rejects as soon as its signal is aborted.
 * What changes something ends with the signal by itself, where it can say what it has done.
 */
import type { Call } from '../../contract/call.ts';
import type { ArtifactStore, Provider } from '../provider.ts';
import { untilAborted } from './abort.ts';

async function ending<T, C extends Call>(call: C, work: (call: C) => Promise<T>): Promise<T> {
  call.signal.throwIfAborted();
  return untilAborted(call.signal, work(call));
}

/** @returns the same provider; it must not be asked by another way. */
export function endsWithSignal(provider: Provider): Provider {
  const exec = provider.exec?.bind(provider);
  const warmUp = provider.warmUp?.bind(provider);
  return {
    name: provider.name,
    capabilities: provider.capabilities,
    ...(warmUp && { warmUp }),
    preflight: (spec, call) => ending(call, () => provider.preflight(spec, call)),
    list: (call) => ending(call, () => provider.list(call)),
    observe: (id, call) => ending(call, () => provider.observe(id, call)),
    watch: (id, call) => provider.watch(id, call),
    store: (id) => provider.store(id),
    artifacts: (id) => artifactsOf(provider.artifacts(id)),
    install: (spec, options) => provider.install(spec, options),
    apply: (action, spec, options) => provider.apply(action, spec, options),
    secrets: (id, call) => ending(call, () => provider.secrets(id, call)),
    connect: (id, call) => ending(call, () => provider.connect(id, call)),
    logs: (id, process, options) => ending(options, () => provider.logs(id, process, options)),
    ...(exec && { exec }),
    destroy: (id, options) => provider.destroy(id, options),
    prune: (call) => provider.prune(call),
    leftovers: (call) => ending(call, () => provider.leftovers(call)),
    remove: (leftover, call) => provider.remove(leftover, call),
    close: () => provider.close(),
  };
}

function artifactsOf(store: ArtifactStore): ArtifactStore {
  return {
    maxBytes: store.maxBytes,
    has: (hash, call) => ending(call, () => store.has(hash, call)),
    put: (artifact, options) => store.put(artifact, options),
    list: (call) => ending(call, () => store.list(call)),
    remove: (hash, call) => ending(call, () => store.remove(hash, call)),
  };
}
