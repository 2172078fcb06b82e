/** What could keep a cluster from running on the hosts; all hosts in one run. */
import type { ResolvedStandalone } from '../../config/providers/standalone.ts';
import { type Problem, ProviderError, problem } from '../../contract/errors.ts';
import { type ClusterSpec, Role } from '../../contract/process-spec.ts';
import { formatBytes, formatDuration } from '../../contract/units.ts';
import type { ClusterView } from './clusters.ts';
import { portTaken } from '../shared/ports.ts';
import { type HostFacts, architectureOf, isTaken } from './facts.ts';
import type { Host } from './host.ts';
import type { Hosts } from './hosts.ts';
import { hostFor, placeFor } from './placement.ts';

/** The runtime, packed and unpacked, beside logs, bundle and working files. */
const neededDiskBytes = 384 * 1024 * 1024;
const oldestGlibc = [2, 28] as const;
const clockToleranceMs = 5000;

interface KnownHost {
  readonly host: Host;
  readonly facts: HostFacts;
}

export async function findProblems(
  hosts: Hosts,
  config: ResolvedStandalone,
  spec: ClusterSpec,
  view: ClusterView,
  signal: AbortSignal,
): Promise<Problem[]> {
  const { found, known } = await problemsOfHosts(hosts, config);
  signal.throwIfAborted();
  found.push(...rolesWithoutHost(config, spec), ...takenPorts(known, config, spec, view));
  found.push(...shortOfMemory(known, config, spec, view));
  return inOrder(found);
}

const inOrder = (found: Problem[]) => {
  const order = (each: Problem) => Number(each.path?.split('/').at(-1) ?? -1);
  return found.sort((a, b) => order(a) - order(b));
};

/** What is wrong with hosts, whatever they are to run. */
export async function findHostProblems(
  hosts: Hosts,
  config: ResolvedStandalone,
): Promise<Problem[]> {
  return inOrder((await problemsOfHosts(hosts, config)).found);
}

async function problemsOfHosts(hosts: Hosts, config: ResolvedStandalone) {
  const outcomes = await hosts.ask(hosts.configured, (host) => host.facts());
  const found: Problem[] = [];
  const known: KnownHost[] = [];
  for (const outcome of outcomes) {
    if (outcome.ok) known.push({ host: outcome.host, facts: outcome.value });
    else if (outcome.error instanceof ProviderError) {
      const { host } = outcome;
      found.push(...outcome.error.problems.map((each) => ({ ...each, path: host.path })));
    } else throw outcome.error;
  }
  for (const each of known) found.push(...problemsOf(each, config));
  found.push(...otherArchitectures(known), ...unreachableForOthers(known));
  return { found, known };
}

function rolesWithoutHost({ hosts }: ResolvedStandalone, spec: ClusterSpec): Problem[] {
  return spec.processes
    .filter(({ count, role }) => count > 0 && hostFor(hosts, role, 0) === undefined)
    .map(({ role }) =>
      problem({
        code: 'no-host-for-role',
        message: `no host may run a ${role}`,
        path: '/providers/standalone/hosts',
        hint: `give one of them role: both, or ${role}`,
      }),
    );
}

function problemsOf({ facts, host }: KnownHost, { supervisor }: ResolvedStandalone): Problem[] {
  const { address, path } = host;
  const found: Problem[] = [];
  const say = (code: string, message: string, hint: string) =>
    found.push(problem({ code, message: `${address}: ${message}`, path, hint }));
  if (facts.system !== 'Linux')
    say('other-system', `it runs ${facts.system}`, 'clusters run on Linux');
  else if (architectureOf(facts.machine) === null)
    say('other-architecture', `it is a ${facts.machine}`, 'clusters run on x86_64 and aarch64');
  else if (facts.glibc === null)
    say(
      'glibc-missing',
      'it has no GNU C library (musl?), which the Node.js that fctl sends needs',
      'set runtime.node to a Node.js that runs there',
    );
  else if (isOlder(facts.glibc))
    say(
      'glibc-too-old',
      `its C library is ${facts.glibc}; the Node.js that fctl sends needs ${oldestGlibc.join('.')}`,
      'use a newer system, or set runtime.node to a Node.js that runs there',
    );
  if (facts.missingTools.length > 0)
    say('tools-missing', `it has no ${facts.missingTools.join(', ')}`, 'install them');
  if (!facts.writable)
    say(
      'dir-not-writable',
      `${facts.folder} is not writable for the user`,
      'set providers.standalone.dir to a folder that the user may write',
    );
  else if (facts.freeBytes < neededDiskBytes)
    say(
      'disk-full',
      `only ${formatBytes(facts.freeBytes)} are free in ${facts.folder}`,
      `free at least ${formatBytes(neededDiskBytes)}, or set providers.standalone.dir to a folder on another disk`,
    );
  if (Math.abs(facts.clockOffMs) > clockToleranceMs)
    say(
      'clock-off',
      `its clock is ${formatDuration(Math.round(Math.abs(facts.clockOffMs) / 1000) * 1000)} ${facts.clockOffMs > 0 ? 'ahead of' : 'behind'} this machine's`,
      'let NTP set both',
    );
  found.push(...supervisorProblems({ facts, host }, supervisor));
  return found;
}

function supervisorProblems(
  { facts: { isRoot, systemd }, host: { address, path } }: KnownHost,
  supervisor: ResolvedStandalone['supervisor'],
): Problem[] {
  const say = (code: string, message: string, hint: string) => [
    problem({ code, message: `${address}: ${message}`, path, hint }),
  ];
  if (supervisor === 'systemd') {
    if (!systemd.system)
      return say('no-systemd', 'systemd does not run there', "set supervisor to 'script'");
    if (!isRoot)
      return say(
        'systemd-not-allowed',
        'only root may install units of the system',
        "log in as root, or set supervisor to 'systemd-user' or 'script'",
      );
  }
  if (supervisor === 'systemd-user') {
    if (!systemd.user)
      return say(
        'no-systemd',
        'the user has no systemd of their own there',
        "set supervisor to 'script'",
      );
    if (!systemd.linger)
      return say(
        'no-linger',
        'units of the user would end when they log out',
        'run there: loginctl enable-linger',
      );
  }
  return [];
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor, wantedMinor] = oldestGlibc;
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}

/** One cluster, one runtime: that of most hosts. */
function otherArchitectures(known: readonly KnownHost[]): Problem[] {
  const supported = known.filter(({ facts }) => architectureOf(facts.machine) !== null);
  const kinds = [...Map.groupBy(supported, ({ facts }) => architectureOf(facts.machine))];
  const [most] = kinds.sort(([, a], [, b]) => b.length - a.length);
  return supported
    .filter(({ facts }) => architectureOf(facts.machine) !== most![0])
    .map(({ facts, host }) =>
      problem({
        code: 'other-architecture',
        message: `${host.address}: it is a ${facts.machine}, other hosts are not; all hosts of a cluster run the same runtime`,
        path: host.path,
        hint: 'leave it out',
      }),
    );
}

/** A loopback address means another machine to each of them. */
function unreachableForOthers(known: readonly KnownHost[]): Problem[] {
  const isLoopback = ({ facts, host }: KnownHost) =>
    /^(127\.|::1$)/.test(host.advertise ?? facts.serverAddress ?? '');
  if (known.every(isLoopback)) return [];
  return known.filter(isLoopback).map(({ host }) =>
    problem({
      code: 'address-of-loopback',
      message: `${host.address}: this machine reaches it by a loopback address, under which other hosts do not`,
      path: host.path,
      hint: 'set advertise to the address under which they reach it',
    }),
  );
}

function takenPorts(
  known: readonly KnownHost[],
  { hosts }: ResolvedStandalone,
  spec: ClusterSpec,
  { placement }: ClusterView,
): Problem[] {
  return spec.processes.flatMap(({ count, ports, role }) =>
    Array.from({ length: count }, (_, index) => {
      const placed = placement.processes[`${role}-${index}`];
      const address = placeFor(hosts, { role, index }, placed)?.address;
      const there = known.find(({ host }) => host.address === address);
      return ports.flatMap(({ bind, name, port }) => {
        const own = placed?.host.address === address && placed?.ports[name] === port;
        if (port === 0 || own || there === undefined) return [];
        const { facts, host } = there;
        const given = [host.advertise, facts.serverAddress].filter((known) => known !== null);
        const addresses = bind === undefined ? given : [bind];
        if (!isTaken(facts.listening, addresses, port)) return [];
        return portTaken(`${address}: port ${port}`, 'another process', `/${role}/${name}/port`);
      });
    }).flat(),
  );
}

function shortOfMemory(
  known: readonly KnownHost[],
  { hosts }: ResolvedStandalone,
  spec: ClusterSpec,
  { placement }: ClusterView,
): Problem[] {
  const wanted = new Map<string, number>();
  for (const { count, resources, role } of spec.processes) {
    for (let index = 0; index < count; index++) {
      const placed = placement.processes[`${role}-${index}`];
      const address = placeFor(hosts, { role, index }, placed)?.address;
      if (address !== undefined)
        wanted.set(address, (wanted.get(address) ?? 0) + resources.memoryBytes);
    }
  }
  return known.flatMap(({ facts, host }) => {
    const bytes = wanted.get(host.address) ?? 0;
    if (bytes <= facts.memoryBytes || facts.memoryBytes === 0) return [];
    const key = spec.processes.some(({ role }) => role === Role.taskmanager)
      ? Role.taskmanager
      : Role.jobmanager;
    return problem({
      code: 'not-enough-memory',
      message: `${host.address}: the cluster may use ${formatBytes(bytes)} of its memory, it has ${formatBytes(facts.memoryBytes)}`,
      path: host.path,
      hint: `lower ${key}.resources.memory or replicas, or give more hosts`,
    });
  });
}
