/** One process of a cluster as the engine wants it: the body of `POST /containers/create`. Pure. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { ContainerCreateOptions } from 'dockerode';
import { ProcessEnvironment } from '../../contract/environment.ts';
import { ProcessExit } from '../../contract/process-exit.ts';
import type { PortSpec, ProcessSpec } from '../../contract/process-spec.ts';
import type { KeptFile } from '../../record/keeper-messages.ts';
import { fixedEnvironment } from '../shared/environment.ts';
import { type RenderedProcess, renderProcess } from '../shared/render.ts';
import { clusterResource, containerName, processLabels } from './names.ts';
import type { DockerOptions, RuntimeImage } from './options.ts';

export interface ProcessPlace {
  readonly clusterId: ClusterId;
  readonly process: string;
  readonly index: number;
  readonly spec: ProcessSpec;
  /** Of the cluster (O1). */
  readonly identity: string;
  readonly image: RuntimeImage;
}

type Options = Pick<DockerOptions, 'docker' | 'logging' | 'layout'>;

const second = 1_000_000_000;

const portInside = ({ layout }: Pick<Options, 'layout'>, { port }: PortSpec): number =>
  port === 0 ? layout.restPort : port;

const folderOf = (process: string) => `processes/${process}`;

function render(
  options: Options,
  { clusterId, index, process, spec }: ProcessPlace,
): RenderedProcess {
  const { layout } = options;
  const volume = layout.mountPath(clusterId);
  return renderProcess({
    name: process,
    index,
    spec,
    place: {
      address: containerName(clusterId, process),
      bind: '0.0.0.0',
      recordUrl: `file://${volume}/record`,
      clientDir: null,
      storageScope: 'separate',
      ports: Object.fromEntries(spec.ports.map((port) => [port.name, portInside(options, port)])),
    },
    paths: {
      node: layout.node,
      runtime: layout.runtimeDir,
      process: `${volume}/${folderOf(process)}`,
      work: `${volume}/work/${process}`,
      logs: `${volume}/logs`,
      secrets: `${volume}/secrets`,
      artifacts: `${volume}/artifacts`,
    },
  });
}

/** The inline files of a process, relative to the volume. */
export const processFiles = (options: Options, place: ProcessPlace): KeptFile[] =>
  render(options, place).files.map(({ content, path }) => ({
    path: `${folderOf(place.process)}/${path}`,
    content,
    mode: 0o600,
  }));

export function containerOptions(options: Options, place: ProcessPlace): ContainerCreateOptions {
  const { clusterId, image, process, spec } = place;
  const { command, workingDirectory, ...rendered } = render(options, place);
  const environment = {
    ...fixedEnvironment,
    // The engine starts again what ends with any other code.
    [ProcessEnvironment.orphanExit]: String(ProcessExit.over),
    ...rendered.environment,
  };
  const network = options.docker.network ?? clusterResource(clusterId);
  return {
    name: containerName(clusterId, process),
    Image: image.tag,
    Entrypoint: [],
    Cmd: [...command],
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    User: `${options.layout.user}:${options.layout.user}`,
    WorkingDir: workingDirectory,
    Labels: { ...processLabels(spec, process, place.index, place.identity) },
    StopSignal: spec.stop.signal,
    StopTimeout: Math.ceil(spec.stop.gracePeriodMs / 1000),
    ExposedPorts: Object.fromEntries(
      spec.ports.map((port) => [`${portInside(options, port)}/tcp`, {}]),
    ),
    ...healthCheck(spec, options),
    HostConfig: hostConfig(options, clusterId, spec, network),
    NetworkingConfig: { EndpointsConfig: { [network]: {} } },
  };
}

function hostConfig(options: Options, clusterId: ClusterId, spec: ProcessSpec, network: string) {
  const { docker, layout, logging } = options;
  const { cpu, memoryBytes } = spec.resources;
  const volumes = Object.entries(docker.volumes).map(([path, name]) => `${name}:${path}`);
  return {
    Init: true,
    Binds: [`${clusterResource(clusterId)}:${layout.mountPath(clusterId)}`, ...volumes],
    NetworkMode: network,
    Memory: memoryBytes,
    // No swap beside it.
    MemorySwap: memoryBytes,
    NanoCpus: Math.round(cpu * 1e9),
    // Exit code 0 is the end of a process; anything else a crash. A number of tries would be one for all its life.
    RestartPolicy: { Name: 'on-failure' },
    LogConfig: {
      Type: 'json-file',
      Config: {
        'max-size': String(logging.maxSizeBytes),
        'max-file': String(logging.maxFiles),
      },
    },
    PortBindings: Object.fromEntries(
      spec.ports.map((port) => [
        `${portInside(options, port)}/tcp`,
        [{ HostIp: docker.publish, HostPort: port.port === 0 ? '' : String(port.port) }],
      ]),
    ),
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
  };
}

/** For people and tools that look at containers; fctl asks itself. */
function healthCheck({ ports, readiness }: ProcessSpec, options: Options) {
  const port = ports.find(({ name }) => name === readiness?.port);
  if (readiness === null || port === undefined) return {};
  const url = `http://127.0.0.1:${portInside(options, port)}${readiness.path}`;
  // A proxy in the environment of a role is meant for operators.
  const script = `process.env.no_proxy = '*'; fetch('${url}').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`;
  return {
    Healthcheck: {
      Test: ['CMD', options.layout.node, '-e', script],
      Interval: 15 * second,
      Timeout: 5 * second,
      StartPeriod: 30 * second,
      Retries: 3,
    },
  };
}
