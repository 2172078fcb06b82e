/**
 * Artifacts in a cluster are needed by the releases of its record, any of which may be returned to, by what it
 * has just become, and by the processes that run. All others go once an operation
 * has succeeded, or its failure was rolled back.
 */
import type { Call } from '../../contract/call.ts';
import type { ClusterSpec, ProcessSpec } from '../../contract/process-spec.ts';
import type { Provider } from '../../providers/provider.ts';
import { readReleases } from '../releases.ts';

/**
 * Removes what nothing needs. Called with the lock held. Never rejects: what is left takes space and does no
 * harm, and the next operation removes it.
 */
export async function removeUnneeded(
  provider: Provider,
  spec: ClusterSpec,
  call: Call,
): Promise<void> {
  try {
    const store = provider.artifacts(spec.clusterId);
    // First of all: what is shipped later is not among them.
    const there = await store.list(call);
    const needed = await neededBy(provider, spec, call);
    if (needed === null) return;
    for (const hash of there) if (!needed.has(hash)) await store.remove(hash, call);
  } catch {
    // Said above.
  }
}

/** `null`: of some process nobody knows what it needs. */
async function neededBy(
  provider: Provider,
  { artifacts, clusterId, processes, runtime }: ClusterSpec,
  call: Call,
): Promise<ReadonlySet<string> | null> {
  const releases = await readReleases(provider.record(clusterId));
  const observed = (await provider.observe(clusterId, call))?.processes ?? [];
  if (observed.some(({ spec }) => spec === null)) return null;
  return new Set([
    ...releases.flatMap(({ bundleHash }) => bundleHash ?? []),
    ...artifacts.map(({ hash }) => hash),
    ...(runtime.kind === 'archive' ? [runtime.artifact] : []),
    ...[...processes, ...observed.map(({ spec }) => spec!)].flatMap(artifactsOf),
  ]);
}

const artifactsOf = ({ files }: ProcessSpec): readonly string[] =>
  files.flatMap((file) => (file.type === 'artifact' ? [file.hash] : []));
