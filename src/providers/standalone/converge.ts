/** Starts and ends the processes of a plan, each on its host. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { type ClusterSpec, Role } from '../../contract/process-spec.ts';
import { ProviderError, problem } from '../../contract/errors.ts';
import { DocumentName } from '../../record/documents.ts';
import { checkFence } from '../../record/fence.ts';
import { readDocument } from '../../record/record.ts';
import type { RecordStore } from '../../record/store.ts';
import type { ProcessDriver, StartAction } from '../shared/imperative.ts';
import type { Hello } from './agent/protocol.ts';
import { sendArtifact } from './artifacts.ts';
import type { UnitOptions } from './agent/units.ts';
import type * as Request from './agent/requests.ts';
import type { ClusterView, Clusters } from './clusters.ts';
import type { Host } from './host.ts';
import type { Hosts } from './hosts.ts';
import {
  type Candidate,
  type PlacedProcess,
  type Placement,
  jobManagerOf,
  parsePlacement,
  placeFor,
  recordUrl,
  withProcess,
  withoutProcess,
} from './placement.ts';
import { moveRecord } from './record-move.ts';

export interface ConvergeContext {
  readonly hosts: Hosts;
  readonly clusters: Clusters;
  readonly candidates: readonly Candidate[];
  readonly storageScope: 'separate';
  /** Hash of the runtime to start with. */
  readonly runtime: () => Promise<string>;
  /** What keeps its supervisor alive on a host. */
  readonly unit: (host: Host) => Promise<UnitOptions | null>;
  /** Little is to stay of a cluster whose last process was ended. */
  readonly isLast: boolean;
  readonly fence: number;
  readonly signal: AbortSignal;
}

/** @param spec what the cluster is to be. @returns what starts and ends its processes. */
export async function hostsDriver(
  context: ConvergeContext,
  spec: ClusterSpec,
): Promise<ProcessDriver> {
  const { candidates, clusters, hosts, signal } = context;
  const { clusterId } = spec;
  const view = await clusters.view(clusterId); // all hosts are asked once
  const placements = new PlacementWriter(clusters, clusterId);
  return {
    start: async (action) => {
      const { index, process, role } = action;
      await checkFence(clusters.record(clusterId), context.fence); // C2
      const placed = view.placement.processes[process];
      const candidate = placeFor(candidates, { index, role }, placed);
      const target = hosts.configured.find((host) => host.address === candidate?.address);
      if (target === undefined) throw noHostFor(role);
      await endElsewhere(context, view, spec, process, target); // C3
      signal.throwIfAborted();
      if (role === Role.jobmanager) await bringRecord(context, clusterId, target);
      await sendMissing(target, action, spec, signal);
      await start(context, { action, placed, placements, spec, target });
    },
    stop: async ({ process }) => {
      await checkFence(clusters.record(clusterId), context.fence); // C2
      await endElsewhere(context, view, spec, process, null);
      await placements.change((now) => withoutProcess(now, process));
    },
  };
}

/** Ends what has the name of a process on all hosts but one. */
async function endElsewhere(
  { clusters, fence, hosts, isLast, signal }: ConvergeContext,
  view: ClusterView,
  { clusterId }: ClusterSpec,
  process: string,
  target: Host | null,
): Promise<void> {
  const record = (await clusters.recordHost(clusterId))?.place ?? null;
  const placed = view.placement.processes[process];
  const found = new Set<Host>();
  for (const [host, { processes }] of view.views) {
    if (processes.some(({ observed }) => observed.name === process)) found.add(host);
  }
  if (placed) found.add(hosts.find(placed.host));
  if (target) found.delete(target);
  for (const host of found) {
    const silent = view.silent.get(host);
    // Whoever took a dead host out of the config says that it is dead.
    if (silent !== undefined && host.path === null) continue;
    if (silent !== undefined) throw silent;
    const there = view.views.get(host)?.processes ?? [];
    if (!there.some(({ observed }) => observed.name === process)) continue;
    await host.call('stop', { clusterId, process, transient: isLast, fence, record }, { signal });
  }
}

/** The record goes where the JobManager goes. */
async function bringRecord(
  { clusters, fence }: ConvergeContext,
  clusterId: ClusterId,
  target: Host,
): Promise<void> {
  const found = await clusters.recordHost(clusterId);
  if (found === null || found.host === target) return;
  await clusters.move(clusterId, () => moveRecord(clusterId, fence, found, target));
}

/** What the process's files name and its host has not. */
async function sendMissing(
  host: Host,
  { spec: process }: StartAction,
  { artifacts, clusterId }: ClusterSpec,
  signal: AbortSignal,
): Promise<void> {
  for (const file of process.files) {
    if (file.type !== 'artifact') continue;
    const { hash } = file;
    if (await host.look<boolean>('hasArtifact', { clusterId, hash })) continue;
    const artifact = artifacts.find((each) => each.hash === hash);
    if (artifact) await sendArtifact(host, clusterId, artifact, { signal, onProgress: () => {} });
  }
}

interface Start {
  readonly action: StartAction;
  readonly placed: PlacedProcess | undefined;
  readonly placements: PlacementWriter;
  readonly spec: ClusterSpec;
  readonly target: Host;
}

async function start(
  context: ConvergeContext,
  { action, placed, placements, spec, target }: Start,
): Promise<void> {
  const { clusters, fence, signal, storageScope } = context;
  const { clusterId, release, secrets, transient } = spec;
  const { index, process, role } = action;
  const agent = await target.agent();
  const { address, bind } = addressesOf(target, agent?.hello ?? null);
  const ports = await choosePorts(target, action, placed, bind);
  const entry: PlacedProcess = { host: target.saved, role, index, release, address, ports };
  const placement = await placements.change((now) => withProcess(now, process, entry)); // C1
  const jobManager = jobManagerOf(placement);
  const record = await clusters.recordHost(clusterId);
  const place = {
    address,
    bind,
    recordUrl: role === Role.jobmanager ? null : recordUrl(jobManager),
    clientDir: null,
    storageScope,
    ports,
  };
  const runtime = await context.runtime();
  const unit = await context.unit(target);
  const request: Request.Start = {
    clusterId,
    process,
    index,
    spec: action.spec,
    fence,
    secrets,
    transient,
    place,
    runtime,
    unit,
    record: record!.place,
  };
  await target.call('start', request, { signal });
}

/** Ports that the spec leaves open, where others have to know them: the one of before, if it is free. */
async function choosePorts(
  host: Host,
  { spec }: StartAction,
  placed: PlacedProcess | undefined,
  bind: string,
): Promise<Record<string, number>> {
  const ports: Record<string, number> = {};
  for (const { name, port } of spec.ports) {
    const before = placed?.host.address === host.address ? (placed.ports[name] ?? 0) : 0;
    ports[name] = port === 0 ? await host.call<number>('freePort', { bind, wanted: before }) : port;
  }
  return ports;
}

/**
 * The address that others are told, and the one to listen on. What SSH reached is an address of the host,
 * also behind a translation of addresses; where that is its loopback, others know it by that too.
 */
function addressesOf(
  host: Host,
  hello: Hello | null,
): { readonly address: string; readonly bind: string } {
  const own = hello?.serverAddress ?? '127.0.0.1';
  const advertised = host.advertise ?? own;
  const isOwn = hello?.addresses.includes(advertised) ?? false;
  return { address: advertised, bind: isOwn ? advertised : own };
}

/** Changes the placement, by compare-and-set. Changes that are wanted at the same time are written at once. */
class PlacementWriter {
  readonly #store: RecordStore;
  #waiting: ((placement: Placement) => Placement)[] = [];
  #next: Promise<Placement> | null = null;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(clusters: Clusters, clusterId: ClusterId) {
    this.#store = clusters.record(clusterId);
  }

  /** @returns the placement with this change, and maybe others. */
  change(change: (placement: Placement) => Placement): Promise<Placement> {
    this.#waiting.push(change);
    this.#next ??= this.#writing.then(() => {
      const changes = this.#waiting.splice(0);
      this.#next = null;
      const written = this.#write(changes);
      this.#writing = written.catch(() => undefined);
      return written;
    });
    return this.#next;
  }

  async #write(changes: readonly ((placement: Placement) => Placement)[]): Promise<Placement> {
    for (;;) {
      const { value, version } = await readDocument(this.#store, DocumentName.placement);
      const placement = changes.reduce((now, change) => change(now), parsePlacement(value));
      const written = await this.#store.write(DocumentName.placement, placement, version);
      if (written !== null) return placement;
    }
  }
}

function noHostFor(role: Role): ProviderError {
  return new ProviderError(
    problem({
      code: 'no-host-for-role',
      message: `no host may run a ${role}`,
      path: '/providers/standalone/hosts',
      hint: `give one of them role: both, or ${role}`,
    }),
  );
}
