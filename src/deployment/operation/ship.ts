/** Ships what the processes of a cluster need. */
import type { ClusterSpec } from '../../contract/process-spec.ts';
import type { Provider, TransferOptions } from '../../providers/provider.ts';
import type { OnDeployEvent } from './progress.ts';

interface Telling {
  readonly signal: AbortSignal;
  readonly onEvent: OnDeployEvent;
}

export const transferOptions = ({ onEvent, signal }: Telling): TransferOptions => ({
  signal,
  onProgress: (progress) => onEvent({ type: 'sending', progress }),
});

/** Ships what is not there yet: the runtime and the artifacts of the cluster. */
export async function ship(provider: Provider, spec: ClusterSpec, options: Telling): Promise<void> {
  const transfer = transferOptions(options);
  await provider.install(spec.runtime, transfer);
  const store = provider.artifacts(spec.clusterId);
  for (const artifact of spec.artifacts) {
    if (await store.has(artifact.hash, options)) continue;
    const bytes = await store.put(artifact, transfer);
    options.onEvent({ type: 'uploaded', name: artifact.name, bytes });
  }
}
