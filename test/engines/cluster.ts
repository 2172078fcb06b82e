/** What the clusters of all engines of the tests have in common. */
import type { ResolvedConfig } from '../../src/config/resolved.ts';
import type { ClusterSpec, FileSpec, ProcessSpec, Role } from '../../src/contract/process-spec.ts';
import type { ApplicationBundle } from '../../src/packaging/bundle.ts';

/** What processes of a role run. */
export interface RoleOfTests {
  readonly count: number;
  readonly command: readonly string[];
  /** Beside the program. */
  readonly files: readonly FileSpec[];
}

/** A cluster of an engine without token, one port at the JobManagers and the application as `program`. */
export function clusterOfTests(
  config: ResolvedConfig,
  { file, hash, sizeBytes }: ApplicationBundle,
  release: string,
  roles: Readonly<Record<Role, RoleOfTests>>,
): ClusterSpec {
  const process = (role: Role): ProcessSpec => ({
    role,
    count: roles[role].count,
    command: roles[role].command,
    environment: {},
    files: [...roles[role].files, { type: 'artifact', hash }],
    resources: { cpu: 0.1, memoryBytes: 128 * 1024 * 1024 },
    ports: role === 'jobmanager' ? [{ name: 'web', port: 0 }] : [],
    secrets: [],
    readiness: null,
    stop: { signal: 'SIGTERM', gracePeriodMs: 2000 },
    labels: {
      'fctl.dev/cluster': config.cluster,
      'fctl.dev/release': release,
      'fctl.dev/role': role,
      'fctl.dev/mode': config.mode,
    },
  });
  return {
    clusterId: config.cluster,
    release,
    mode: config.mode,
    transient: false,
    runtime: { kind: 'fctl' },
    retentionMs: config.retentionMs,
    clientDir: config.projectDir,
    secrets: {},
    artifacts: [{ hash, name: 'program', sizeBytes, file }],
    processes: [process('jobmanager'), process('taskmanager')],
  };
}
