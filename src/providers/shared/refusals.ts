/** Errors that every provider may end a call with, in the same words. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { ClusterError, ProviderError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { RuntimeRef } from '../../contract/process-spec.ts';

/** @param what the whole sentence, where the process is there and cannot be used. */
export function noSuchProcess(clusterId: ClusterId, process: string, what?: string): ClusterError {
  return new ClusterError(
    ExitCode.notFound,
    problem({
      code: 'no-such-process',
      message: what ?? `cluster ${clusterId} has no process ${process}`,
      hint: `'fctl status ${clusterId}' names its processes`,
    }),
  );
}

export function noLogs(clusterId: ClusterId, process: string, stream: 'log' | 'out'): ClusterError {
  return new ClusterError(
    ExitCode.notFound,
    problem({
      code: 'no-logs',
      message: `cluster ${clusterId} has no ${stream === 'log' ? 'log' : 'output'} of ${process}`,
      hint: `'fctl status ${clusterId}' names its processes`,
    }),
  );
}

/** @param name of the artifact, for people. */
export function artifactCorrupt(name: string): ProviderError {
  return new ProviderError(
    problem({
      code: 'artifact-corrupt',
      message: `${name} is not what was sent: it changed meanwhile, or was damaged on its way`,
      hint: 'try again',
    }),
  );
}

/** @throws ProviderError for a runtime that this provider cannot bring to its places. */
export function refuseOtherRuntime({ kind }: RuntimeRef, provider: string): void {
  if (kind === 'fctl') return;
  throw new ProviderError(
    problem({
      code: 'runtime-not-supported',
      message: `provider ${provider} starts processes with the runtime of fctl, not with an ${kind}`,
      path: '/engine',
      hint: 'choose another engine or another provider',
    }),
  );
}
