/** Carries a plan out. */
import type { ClusterSpec } from '../../contract/process-spec.ts';
import type {
  ApplyOptions,
  ObservedCluster,
  Provider,
  TransferOptions,
} from '../../providers/provider.ts';
import { type Plan, stepsOf } from './plan.ts';
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
  await provider.install(spec, transfer);
  const store = provider.artifacts(spec.clusterId);
  for (const artifact of spec.artifacts) {
    if (await store.has(artifact.hash, options)) continue;
    const bytes = await store.put(artifact, transfer);
    options.onEvent({ type: 'uploaded', name: artifact.name, bytes });
  }
}

/** @param endedMaster called when a JobManager has ended that another one follows, before that starts. */
export async function carryOut(
  provider: Provider,
  plan: Plan,
  spec: ClusterSpec,
  observed: ObservedCluster | null,
  { fence, onEvent, signal }: ApplyOptions & Telling,
  endedMaster: () => Promise<void>,
): Promise<void> {
  const told = new Set<string>();
  for (const step of stepsOf(plan, observed)) {
    // One that ends first and starts later is told once, as the plan has it.
    const action = plan.actions.find((a) => a.process === step.process)!;
    if (!told.has(step.process)) onEvent({ type: 'action', action });
    told.add(step.process);
    await provider.apply(step, spec, { fence, signal });
    if (step.spec === null && action.spec !== null) await endedMaster();
  }
}
