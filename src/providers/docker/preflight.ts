/** What could keep a cluster from running on an engine; found before anything is changed there. */
import type Dockerode from 'dockerode';
import { FctlError, type Problem, problem } from '../../contract/errors.ts';
import type { ClusterSpec } from '../../contract/process-spec.ts';
import { shortOfMemory, wantedMemory } from '../shared/memory.ts';
import { chosenPorts, portTaken, tryPort } from '../shared/ports.ts';
import type { EngineClient } from './client.ts';
import { isHere } from './engine-address.ts';
import type { ImageStore } from './image.ts';
import { Label } from './names.ts';
import type { DockerOptions } from './options.ts';
import { type ContainerSummary, type ResourceStore, nameOf } from './resources.ts';

export interface PreflightParts {
  readonly engine: EngineClient;
  readonly options: DockerOptions;
  readonly images: ImageStore;
  readonly resources: ResourceStore;
}

interface EngineInfo {
  readonly MemTotal: number;
  readonly NCPU: number;
}

export async function findProblems(
  parts: PreflightParts,
  spec: ClusterSpec,
  signal: AbortSignal,
): Promise<Problem[]> {
  const { engine, options, resources } = parts;
  let info: EngineInfo;
  try {
    info = await engine.ask((docker) => docker.info() as Promise<EngineInfo>);
  } catch (error) {
    if (error instanceof FctlError) return [...error.problems]; // nothing else can be asked
    throw error;
  }
  const names = spec.processes.flatMap(({ count, role }) =>
    Array.from({ length: count }, (_, index) => `${role}-${index}`),
  );
  const found = await Promise.all([
    checkImage(parts, signal),
    resources.collisions(spec.clusterId, names),
    checkNetwork(options, resources),
    checkVolumes(options, resources),
    checkPorts(engine, options, spec),
  ]);
  return [...found.flat(), ...checkSize(spec, info)];
}

async function checkImage(
  { images }: PreflightParts,
  signal: AbortSignal,
): Promise<readonly Problem[]> {
  try {
    const { tag } = await images.describe(() => {}, signal);
    if (await images.has(tag)) return [];
    const found = await images.problemWithBase();
    return found === null ? [] : [found];
  } catch (error) {
    if (error instanceof FctlError) return error.problems;
    throw error;
  }
}

async function checkNetwork(
  { docker: { network } }: DockerOptions,
  resources: ResourceStore,
): Promise<Problem[]> {
  if (network === null || (await resources.network(network)) !== null) return [];
  return [
    problem({
      code: 'network-missing',
      message: `there is no network ${network} on the engine`,
      path: '/providers/docker/network',
      hint: `'docker network create ${network}' makes it; without the key each cluster gets one of its own`,
    }),
  ];
}

async function checkVolumes(
  { docker: { volumes } }: DockerOptions,
  resources: ResourceStore,
): Promise<Problem[]> {
  const missing = await Promise.all(
    Object.entries(volumes).map(async ([path, name]) =>
      (await resources.hasVolume(name)) ? null : { path, name },
    ),
  );
  return missing
    .filter((volume) => volume !== null)
    .map(({ name, path }) =>
      problem({
        code: 'volume-missing',
        message: `there is no volume ${name} on the engine, for ${path}`,
        path: `/providers/docker/volumes/${path.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        hint: `'docker volume create ${name}' makes it`,
      }),
    );
}

async function checkPorts(
  engine: EngineClient,
  { docker: { publish } }: DockerOptions,
  { clusterId, processes }: ClusterSpec,
): Promise<Problem[]> {
  // What a process binds to is in its container; what is published is on the engine's address.
  const fixed = chosenPorts({ processes }).filter(({ port }) => port !== 0);
  if (fixed.length === 0) return [];
  const containers = await engine.ask((docker) => docker.listContainers());
  const problems = await Promise.all(
    fixed.map(async ({ path, port }) => {
      const holder = containers.find((container) => publishes(container, port, publish));
      if (holder?.Labels[Label.cluster] === clusterId) return null;
      const by = holder ? `container ${nameOf(holder)}` : 'another process';
      const taken =
        holder !== undefined || (isHere(engine.address) && !(await isFree(port, publish)));
      if (!taken) return null;
      return portTaken(`port ${port} of the engine's ${publish}`, by, path);
    }),
  );
  return problems.filter((found) => found !== null);
}

const everywhere: ReadonlySet<string> = new Set(['0.0.0.0', '::', '']);

const publishes = ({ Ports }: ContainerSummary, port: number, address: string): boolean =>
  Ports.some(
    ({ IP, PublicPort }: Dockerode.Port) =>
      PublicPort === port && (IP === address || everywhere.has(IP) || everywhere.has(address)),
  );

/** What else is wrong with it is the engine's to say. */
async function isFree(port: number, host: string): Promise<boolean> {
  const found = await tryPort(host, port);
  return typeof found === 'number' || found.code !== 'EADDRINUSE';
}

function checkSize({ processes }: ClusterSpec, { MemTotal, NCPU }: EngineInfo): Problem[] {
  const short = shortOfMemory('the engine', wantedMemory({ processes }), MemTotal);
  const found: Problem[] = short === null ? [] : [short];
  for (const { resources, role } of processes) {
    if (resources.cpu <= NCPU) continue;
    found.push(
      problem({
        code: 'not-enough-cpus',
        message: `a container may use ${resources.cpu} CPUs, the engine has ${NCPU}`,
        path: `/${role}/resources/cpu`,
        hint: 'lower resources.cpu',
      }),
    );
  }
  return found;
}
