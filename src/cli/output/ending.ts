/** The exit code that tells how a cluster ended. */
import { ExitCode } from '../../contract/exit-codes.ts';
import { ClusterState } from '../../deployment/status.ts';

const codes: Partial<Record<ClusterState, ExitCode>> = {
  [ClusterState.failed]: ExitCode.jobFailed,
  [ClusterState.canceled]: ExitCode.jobFailed,
  [ClusterState.lost]: ExitCode.deploymentFailed,
  [ClusterState.incomplete]: ExitCode.deploymentFailed,
  [ClusterState.damaged]: ExitCode.providerNotUsable,
};

/** 0 where nothing is wrong: it runs, or it has succeeded. */
export const exitCodeOfState = (state: ClusterState): ExitCode => codes[state] ?? ExitCode.done;
