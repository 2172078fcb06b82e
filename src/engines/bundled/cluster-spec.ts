/** Resolved config → the processes of a cluster of the bundled engine. Pure. */
import { PROTOCOL_VERSION } from '../../record/documents.ts';
import { ProcessEnvironment } from '../../contract/environment.ts';
import type { JsonObject } from '../../contract/json.ts';
import { canonicalJson, keyedHash } from '../../contract/hash.ts';
import { escapePlaceholders } from '../../contract/placeholders.ts';
import {
  type ClusterSpec,
  type ProcessLabels,
  type ProcessSpec,
  Role,
} from '../../contract/process-spec.ts';
import {
  type JobManagerFile,
  READY_PATH,
  type TaskManagerFile,
} from '../../contract/runtime-config.ts';
import { splitSecrets } from '../../contract/secrets.ts';
import { FCTL_VERSION } from '../../contract/version.ts';
import type { ResolvedConfig } from '../../config/resolved.ts';
import type { ApplicationBundle } from '../../packaging/bundle.ts';
import { effectiveConfig } from './effective-config.ts';

/** Name of the cluster's secret with the `SecretArguments`. */
const argumentsSecret = 'application-args';

const stopGraceMs = 10_000;
const cancellationTimeoutMs = 30_000;
const maxBodyBytes = 64 * 1024 * 1024;

export function clusterSpec(
  config: ResolvedConfig,
  bundle: ApplicationBundle | null,
  token: string | null,
  release: string,
): ClusterSpec {
  const { cluster: clusterId, mode } = config;
  const labels = (role: Role): ProcessLabels => ({
    'fctl.dev/cluster': clusterId,
    'fctl.dev/release': release,
    'fctl.dev/role': role,
    'fctl.dev/mode': mode,
  });
  const artifacts = bundle
    ? [
        {
          hash: bundle.hash,
          name: 'application bundle',
          sizeBytes: bundle.sizeBytes,
          file: bundle.file,
        },
      ]
    : [];
  return {
    clusterId,
    release,
    mode,
    transient: mode === 'per-job',
    runtime: { kind: 'fctl' },
    retentionMs: config.retentionMs,
    clientDir: config.projectDir,
    secrets: clusterSecrets(config, token),
    artifacts,
    processes: [
      jobManager(config, bundle, labels(Role.jobmanager), token),
      taskManager(config, labels(Role.taskmanager), token),
    ],
  };
}

const secretArguments = ({ application }: ResolvedConfig) =>
  splitSecrets(application?.args ?? {}, application?.secretArgs ?? []);

function clusterSecrets(config: ResolvedConfig, token: string | null): Record<string, string> {
  const { secrets } = secretArguments(config);
  return {
    ...(token === null ? {} : { token }),
    ...(Object.keys(secrets).length === 0 ? {} : { [argumentsSecret]: JSON.stringify(secrets) }),
  };
}

/** What JobManager and TaskManager have in common. */
function commonConfig(config: ResolvedConfig) {
  return {
    protocol: PROTOCOL_VERSION,
    clusterId: config.cluster,
    heartbeat: config.heartbeat,
    logging: { ...config.logging, directory: '${log.dir}' },
    reporters: config.metrics.reporters,
    auth: config.security.auth,
    cancellationTimeoutMs,
    network: networkConfig(config),
  } as const;
}

function networkConfig(config: ResolvedConfig) {
  return {
    bufferTimeoutMs: config.network.bufferTimeoutMs,
    bufferSizeBytes: 32 * 1024,
    channelCreditBytes: 256 * 1024,
    maxFrameBytes: 64 * 1024 * 1024,
  };
}

/** @param own variables that the config gives the role. */
function commonSpec(
  labels: ProcessLabels,
  token: string | null,
  own: Readonly<Record<string, string>>,
) {
  const environment: Record<string, string> = {
    ...Object.fromEntries(Object.entries(own).map(([name, v]) => [name, escapePlaceholders(v)])),
    [ProcessEnvironment.config]: '${process.dir}/config.json',
    [ProcessEnvironment.clusterId]: labels['fctl.dev/cluster'],
    // So that another version is a reason to replace a process.
    [ProcessEnvironment.version]: FCTL_VERSION,
  };
  if (token !== null) environment[ProcessEnvironment.tokenFile] = '${secret.token}';
  return {
    environment,
    secrets: token === null ? [] : ['token'],
    stop: { signal: 'SIGTERM', gracePeriodMs: stopGraceMs },
    labels,
  } as const;
}

function jobManager(
  config: ResolvedConfig,
  bundle: ApplicationBundle | null,
  labels: ProcessLabels,
  token: string | null,
): ProcessSpec {
  const { maxConcurrentRestarts, replicas, resources, submissionTimeoutMs } = config.jobmanager;
  const { port, ...rest } = config.jobmanager.rest;
  const application = bundle ? applicationConfig(config, bundle, token ?? config.cluster) : null;
  const common = commonSpec(labels, token, config.jobmanager.environment);
  const file: JobManagerFile = {
    ...commonConfig(config),
    role: 'jobmanager',
    mode: config.mode,
    rest: { ...rest, maxBodyBytes },
    taskManagers: config.taskmanager.replicas,
    slotRequestTimeoutMs: config.taskmanager.slotRequestTimeoutMs,
    loadBalanceMode: config.taskmanager.loadBalance.mode,
    restart: config.restart,
    maxConcurrentRestarts,
    submissionTimeoutMs,
    application,
    parallelism: config.application?.parallelism ?? 1,
    storage: { scope: '${storage.scope}', shared: config.storage.shared.map(escapePlaceholders) },
    effectiveConfig: effectiveConfig(config),
  };
  return {
    ...common,
    secrets: [...common.secrets, ...(application?.secretArgsFile ? [argumentsSecret] : [])],
    role: Role.jobmanager,
    count: replicas,
    command: [
      '${runtime.node}',
      ...nodeFlags(resources.memoryBytes),
      '${runtime.dir}/jobmanager.js',
    ],
    files: [
      configFile(file),
      ...(bundle ? [{ type: 'artifact', hash: bundle.hash } as const] : []),
    ],
    resources,
    ports: [{ name: 'rest', port, ...(rest.bind === null ? {} : { bind: rest.bind }) }],
    readiness: { port: 'rest', path: READY_PATH },
  };
}

function taskManager(
  config: ResolvedConfig,
  labels: ProcessLabels,
  token: string | null,
): ProcessSpec {
  const { replicas, resources, slots, registrationTimeoutMs } = config.taskmanager;
  const file: TaskManagerFile = {
    ...commonConfig(config),
    role: 'taskmanager',
    slots,
    memoryBytes: resources.memoryBytes,
    registrationTimeoutMs,
  };
  return {
    ...commonSpec(labels, token, config.taskmanager.environment),
    role: Role.taskmanager,
    count: replicas,
    // Slots are limited one by one, by the TaskManager itself.
    command: ['${runtime.node}', '${runtime.dir}/taskmanager.js'],
    files: [configFile(file)],
    resources,
    ports: [],
    readiness: null,
  };
}

function nodeFlags(memoryBytes: number): string[] {
  return [`--max-old-space-size=${Math.floor(memoryBytes / 1024 / 1024)}`];
}

function applicationConfig(
  config: ResolvedConfig,
  bundle: ApplicationBundle,
  key: string,
): JobManagerFile['application'] {
  const { masked, secrets } = secretArguments(config);
  const isSecret = Object.keys(secrets).length > 0;
  return {
    bundleHash: bundle.hash,
    bundleFile: `\${artifact.${bundle.hash}}`,
    args: escapeStrings(masked),
    secretArgsFile: isSecret ? `\${secret.${argumentsSecret}}` : null,
    secretArgsHash: isSecret ? keyedHash(key, canonicalJson(secrets)) : null,
  };
}

function configFile(content: JobManagerFile | TaskManagerFile) {
  return {
    type: 'inline',
    path: 'config.json',
    content: JSON.stringify(content, null, 2),
  } as const;
}

/** Strings of the user must not be taken for placeholders. */
function escapeStrings(value: JsonObject): JsonObject {
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'string' ? escapePlaceholders(inner) : inner,
  );
  return JSON.parse(text) as JsonObject;
}
