/** One action of a plan, on the hosts that it concerns. */
import { type ClusterSpec, Role } from '../../contract/process-spec.ts';
import { ProviderError, problem } from '../../contract/errors.ts';
import type { Action } from '../provider.ts';
import type { Hello } from './agent/protocol.ts';
import { sendArtifact } from './artifacts.ts';
import type { UnitOptions } from './agent/units.ts';
import type { RecordPlace } from './agent/host-document.ts';
import type { ClusterView, Clusters } from './clusters.ts';
import type { Host } from './host.ts';
import type { Hosts } from './hosts.ts';
import {
  type Candidate,
  type PlacedProcess,
  type Placement,
  parsePlacement,
  placeFor,
  placementName,
  recordUrl,
  withProcess,
  withoutProcess,
} from './placement.ts';
import { moveRecord } from './record-move.ts';
import { nowhere } from '../local/placeholders.ts';

export interface ApplyContext {
  readonly hosts: Hosts;
  readonly clusters: Clusters;
  readonly candidates: readonly Candidate[];
  readonly storageScope: 'separate';
  /** Hash of the runtime to start with. */
  readonly runtime: () => Promise<string>;
  /** What keeps its supervisor alive on a host. */
  readonly unit: (host: Host) => Promise<UnitOptions | null>;
  readonly fence: number;
  readonly signal: AbortSignal;
}

export async function applyAction(
  context: ApplyContext,
  action: Action,
  spec: ClusterSpec,
): Promise<void> {
  const { candidates, clusters, hosts, signal } = context;
  const { index, process, role } = action;
  const view = await clusters.view(spec.clusterId);
  const placed = view.placement.processes[process];
  if (action.spec === null) {
    await endElsewhere(context, view, spec.clusterId, process, null);
    await changePlacement(clusters, spec.clusterId, (now) => withoutProcess(now, process));
    return;
  }
  const candidate = placeFor(candidates, { index, role }, placed);
  const target = hosts.configured.find((host) => host.address === candidate?.address);
  if (target === undefined) throw noHostFor(role);
  await endElsewhere(context, view, spec.clusterId, process, target); // C3
  signal.throwIfAborted();
  if (role === Role.jobmanager) await bringRecord(context, spec.clusterId, target);
  await sendMissing(target, action, spec, signal);
  await start(context, { action, placed, spec, target });
}

/** Ends what has the name of a process on all hosts but one. */
async function endElsewhere(
  { fence, hosts, signal }: ApplyContext,
  view: ClusterView,
  clusterId: string,
  process: string,
  target: Host | null,
): Promise<void> {
  const record = placeOf(view);
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
    const observed = view.views.get(host)?.processes.find((p) => p.observed.name === process);
    if (observed === undefined) continue;
    const { index, role } = observed.observed;
    const action = { kind: 'delete', process, role, index, reason: '', causes: [], spec: null };
    const nothing = { secrets: {}, transient: false, place: nowhere, runtime: 'none', unit: null };
    await host.call('apply', { clusterId, action, fence, record, ...nothing }, { signal });
  }
}

function placeOf({ record }: ClusterView): RecordPlace | null {
  return record && { host: record.host.saved, generation: Math.max(1, record.generation) };
}

/** The record goes where the JobManager goes. */
async function bringRecord(
  { clusters, fence }: ApplyContext,
  clusterId: string,
  target: Host,
): Promise<void> {
  const found = await clusters.recordHost(clusterId);
  if (found === null || found.host === target) return;
  await clusters.move(clusterId, () => moveRecord(clusterId, fence, found, target));
}

/** What the process's files name and its host has not. */
async function sendMissing(
  host: Host,
  { spec: process }: Action,
  { artifacts, clusterId }: ClusterSpec,
  signal: AbortSignal,
): Promise<void> {
  for (const file of process!.files) {
    if (file.type !== 'artifact') continue;
    const { hash } = file;
    if (await host.look<boolean>('hasArtifact', { clusterId, hash })) continue;
    const artifact = artifacts.find((each) => each.hash === hash);
    if (artifact) await sendArtifact(host, clusterId, artifact, { signal, onProgress: () => {} });
  }
}

interface Start {
  readonly action: Action;
  readonly placed: PlacedProcess | undefined;
  readonly spec: ClusterSpec;
  readonly target: Host;
}

async function start(
  context: ApplyContext,
  { action, placed, spec, target }: Start,
): Promise<void> {
  const { clusters, fence, signal, storageScope } = context;
  const { clusterId, release, secrets, transient } = spec;
  const { index, process, role } = action;
  const agent = await target.agent();
  const { address, bind } = addressesOf(target, agent?.hello ?? null);
  const ports = await choosePorts(target, action, placed, bind);
  const entry: PlacedProcess = { host: target.saved, role, index, release, address, ports };
  const placement = await changePlacement(clusters, clusterId, (now) =>
    withProcess(now, process, entry),
  ); // C1
  const jobManager = placement.processes['jobmanager-0'];
  const record = await clusters.recordHost(clusterId);
  const place = {
    address,
    bind,
    jobManagerAddress: jobManager?.address ?? address,
    recordUrl: role === Role.jobmanager ? null : recordUrl(jobManager),
    clientDir: null,
    storageScope,
    ports,
  };
  const runtime = await context.runtime();
  const unit = await context.unit(target);
  const request = {
    clusterId,
    action,
    fence,
    secrets,
    transient,
    place,
    runtime,
    unit,
    record: record!.place,
  };
  await target.call('apply', request, { signal });
}

/** Ports that the spec leaves open, where others have to know them: the one of before, if it is free. */
async function choosePorts(
  host: Host,
  { spec }: Action,
  placed: PlacedProcess | undefined,
  bind: string,
): Promise<Record<string, number>> {
  const ports: Record<string, number> = {};
  for (const { name, port } of spec!.ports) {
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

/** Compare-and-set until nobody is faster. */
async function changePlacement(
  clusters: Clusters,
  clusterId: string,
  change: (placement: Placement) => Placement,
): Promise<Placement> {
  const store = clusters.store(clusterId);
  for (;;) {
    const { value, version } = await store.read(placementName);
    const placement = change(parsePlacement(value));
    if ((await store.write(placementName, version, placement)) !== null) return placement;
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
