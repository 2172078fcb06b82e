/** A project that the built CLI deploys to hosts of the rig. */
import { chmodSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Project } from '../../cli/project.ts';
import type { SshHost, SshHosts } from '../../rigs/ssh-hosts/hosts.ts';

export interface HostedOptions {
  /** Lines of YAML below `application:`, indented. */
  readonly application?: readonly string[];
  /** Lines of YAML at the top. */
  readonly lines?: readonly string[];
  /** Lines of YAML below `providers.standalone`, not indented. */
  readonly standalone?: readonly string[];
  /** Default: all of the set, the JobManager on the first, TaskManagers on the others. */
  readonly hosts?: readonly string[];
}

/** h1 for the JobManager, the others for TaskManagers. */
const byRole = (hosts: readonly SshHost[]): string[] =>
  hosts.map(
    ({ address }, index) =>
      `{ address: ${address}, role: ${index === 0 ? 'jobmanager' : 'taskmanager'} }`,
  );

export async function configureHosts(
  project: Project,
  set: SshHosts,
  { application = [], hosts = byRole(set.hosts), lines = [], standalone = [] }: HostedOptions = {},
): Promise<void> {
  await project.configure(
    ...application,
    'provider: standalone',
    `storage: { shared: [${set.sharedDir}] }`,
    ...lines,
    'providers:',
    '  standalone:',
    `    user: ${set.user}`,
    `    identityFile: ${set.keyFile}`,
    `    knownHosts: ${set.knownHostsFile}`,
    '    agent: false',
    '    sshConfig: false',
    ...standalone.map((line) => `    ${line}`),
    '    hosts:',
    ...hosts.map((host) => `      - ${host}`),
  );
}

/** A folder in the storage that all see, in which all may write. */
export function sharedFolder(set: SshHosts, name: string): string {
  const folder = join(set.sharedDir, name);
  mkdirSync(folder, { recursive: true });
  for (let path = folder; path !== set.sharedDir; path = dirname(path)) chmodSync(path, 0o777);
  return folder;
}

/** Where fctl lives in the home of the rig's user. */
export const dirOn = (set: SshHosts, host: SshHost): string =>
  join(host.root, 'home', set.user, '.local/share/fctl');
