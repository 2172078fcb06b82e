/**
 * Which process runs on which host: the document `placement` of the record. Pure.
 *
 * P1  A process stays where it is while its host is in the config and its role lets it: adding a host, or
 *     another order, moves nothing.
 * P2  A new one goes by the order of the config: the JobManager to the first host whose role lets it, the
 *     i-th TaskManager to the i-th, counted round.
 * P3  Hosts stay in the document until the cluster is destroyed: who left the config is cleaned all the same.
 */
import { Role } from '../../contract/process-spec.ts';
import type { SavedHost } from './agent/host-document.ts';

export interface PlacedProcess {
  readonly host: SavedHost;
  readonly role: Role;
  readonly index: number;
  readonly release: string;
  /** Under which others reach it. */
  readonly address: string;
  /** Chosen ones and fixed ones, by name. */
  readonly ports: Readonly<Record<string, number>>;
}

export interface Placement {
  /** By name: `taskmanager-1`. */
  readonly processes: Readonly<Record<string, PlacedProcess>>;
  /** All that ever had a process. */
  readonly hosts: readonly SavedHost[];
}

const noPlacement: Placement = { processes: {}, hosts: [] };

/** A host of the config. */
export interface Candidate {
  readonly address: string;
  readonly role: 'jobmanager' | 'taskmanager' | 'both';
}

const lets = (host: Candidate, role: Role) => host.role === 'both' || host.role === role;

/** The host for a new process (P2); `undefined`: no role lets it. */
export function hostFor<H extends Candidate>(
  hosts: readonly H[],
  role: Role,
  index: number,
): H | undefined {
  const fitting = hosts.filter((host) => lets(host, role));
  return role === Role.jobmanager ? fitting[0] : fitting[index % Math.max(1, fitting.length)];
}

/** Why a process may not stay on a host (P1), with the config key; `null`: it may. */
export function whyLeave(
  hosts: readonly Candidate[],
  { address, role }: { address: string; role: Role },
): string | null {
  const host = hosts.find((each) => each.address === address);
  if (host === undefined) return `providers.standalone.hosts: ${address} left them`;
  if (lets(host, role)) return null;
  return `providers.standalone.hosts: ${address} is for ${host.role}s only`;
}

/** The host where a process belongs: where it is, while it may stay, else where a new one goes. */
export function placeFor<H extends Candidate>(
  hosts: readonly H[],
  name: { role: Role; index: number },
  placed: PlacedProcess | undefined,
): H | undefined {
  const { index, role } = name;
  if (placed !== undefined && whyLeave(hosts, { address: placed.host.address, role }) === null)
    return hosts.find((host) => host.address === placed.host.address);
  return hostFor(hosts, role, index);
}

/** The JobManager that TaskManagers are shown to, the first; `undefined`: none has a place. */
export function jobManagerOf({ processes }: Placement): PlacedProcess | undefined {
  const placed = Object.values(processes).filter(({ role }) => role === Role.jobmanager);
  return placed.toSorted((a, b) => a.index - b.index)[0];
}

/** Where TaskManagers find the record: the JobManager's REST API. */
export function recordUrl(jobManager: PlacedProcess | undefined): string | null {
  if (jobManager === undefined) return null;
  const { address, ports } = jobManager;
  return `http://${address.includes(':') ? `[${address}]` : address}:${ports['rest']}`;
}

export function withProcess(placement: Placement, name: string, placed: PlacedProcess): Placement {
  const known = placement.hosts.some((host) => host.address === placed.host.address);
  return {
    processes: { ...placement.processes, [name]: placed },
    hosts: known ? placement.hosts : [...placement.hosts, placed.host],
  };
}

/** P3 */
export function withoutProcess(placement: Placement, name: string): Placement {
  const { [name]: _gone, ...processes } = placement.processes;
  return { ...placement, processes };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** What a record holds; damaged entries are left out, as if they had never been placed. */
export function parsePlacement(value: unknown): Placement {
  if (!isObject(value)) return noPlacement;
  const { hosts, processes } = value;
  const isHost = (host: unknown): host is SavedHost =>
    isObject(host) && typeof host['address'] === 'string';
  const isPlaced = (placed: unknown): placed is PlacedProcess =>
    isObject(placed) &&
    isHost(placed['host']) &&
    typeof placed['address'] === 'string' &&
    isObject(placed['ports']);
  return {
    hosts: Array.isArray(hosts) ? hosts.filter(isHost) : [],
    processes: isObject(processes)
      ? Object.fromEntries(
          Object.entries(processes).filter((entry): entry is [string, PlacedProcess] =>
            isPlaced(entry[1]),
          ),
        )
      : {},
  };
}
