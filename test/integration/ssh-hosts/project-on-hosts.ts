/** A project that the built CLI deploys to hosts of the rig. */
import { chmodSync, mkdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { Project, eventually } from '../../cli/project.ts';
import type { ProcessInfo } from '../../rigs/processes.ts';
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

/** Removes what is in that storage. */
export async function emptyShared(set: SshHosts): Promise<void> {
  for (const name of await readdir(set.sharedDir))
    await rm(join(set.sharedDir, name), { recursive: true });
}

/** Where fctl lives in the home of the rig's user. */
export const dirOn = (set: SshHosts, host: SshHost): string =>
  join(host.root, 'home', set.user, '.local/share/fctl');

/** Processes of the rig's users but those of the SSH server. */
export async function ownProcesses(set: SshHosts, host: SshHost): Promise<ProcessInfo[]> {
  const all = await set.processes(host);
  return all.filter(({ exe, uid }) => uid >= 1000 && !/sshd/.test(exe));
}

/** Neither processes, ports nor files of clusters: only runtimes and agents are kept for the next one. */
export async function expectCleanHosts(set: SshHosts, hosts = set.hosts): Promise<void> {
  for (const host of hosts) {
    await eventually(async () => (await ownProcesses(set, host)).length === 0);
    expect(await set.listening(host)).toEqual([22]);
    const kept = (await readdir(dirOn(set, host))).filter(
      (name) => !/^(agents|runtimes)$/.test(name),
    );
    for (const name of kept) expect(await readdir(join(dirOn(set, host), name))).toEqual([]);
    for (const folder of ['runtimes', 'agents'])
      expect(await readdir(join(dirOn(set, host), folder))).toHaveLength(1);
    for (const folder of ['tmp', 'var/tmp'])
      expect(await readdir(join(host.root, folder))).toEqual([]);
  }
}
