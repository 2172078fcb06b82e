/** Whatever keeps supervisors alive on this machine; without one they are processes of their own. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { ProcessSpec } from '../../contract/process-spec.ts';

export interface Launch {
  /** Of the process: tells it from all others of this machine. */
  readonly folder: string;
  readonly name: string;
  readonly clusterId: ClusterId;
  /** Executable first: the supervisor with the process below it. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** Where stdout and stderr are appended. */
  readonly out: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly resources: ProcessSpec['resources'];
  readonly graceMs: number;
}

export interface Launcher {
  /** Whether it starts supervisors, or only lets go of those that it started once. */
  readonly starts: boolean;
  /** @throws ProviderError when it refuses. */
  start(launch: Launch): Promise<void>;
  /** Ends what it keeps for a folder, and forgets it. Idempotent. */
  stop(folder: string): Promise<void>;
}
