/** Checked configuration → resolved configuration. Pure, but for where `~` is. */
import { parseClusterId } from '../contract/cluster-id.ts';
import type { JsonObject } from '../contract/json.ts';
import type { RestartConfig } from '../contract/runtime-config.ts';
import { parseDurationMs, parseSizeBytes } from '../contract/units.ts';
import { resolvePath } from './paths.ts';
import { providerSections as sections } from './providers/sections.ts';
import { resolveReporters } from './reporters.ts';
import type { ResolvedConfig, ResolvedResources } from './resolved.ts';
import type { ParsedConfig } from './schema.ts';
import { secretArguments } from './secret-names.ts';

// The schema has checked that these are durations and sizes.
const ms = (duration: string) => parseDurationMs(duration)!;
const bytes = (size: string) => parseSizeBytes(size)!;

const resources = ({ cpu, memory }: { cpu: number; memory: string }): ResolvedResources => ({
  cpu,
  memoryBytes: bytes(memory),
});

function resolveRestart({
  exponentialDelay,
  failureRate,
  fixedDelay,
  strategy,
}: ParsedConfig['restart']): RestartConfig {
  switch (strategy) {
    case 'none':
      return { strategy };
    case 'fixed-delay':
      return { strategy, attempts: fixedDelay.attempts, delayMs: ms(fixedDelay.delay) };
    case 'exponential-delay':
      return {
        strategy,
        initialBackoffMs: ms(exponentialDelay.initialBackoff),
        maxBackoffMs: ms(exponentialDelay.maxBackoff),
        backoffMultiplier: exponentialDelay.backoffMultiplier,
        resetBackoffThresholdMs: ms(exponentialDelay.resetBackoffThreshold),
        jitterFactor: exponentialDelay.jitterFactor,
        attemptsBeforeResetBackoff: exponentialDelay.attemptsBeforeResetBackoff ?? null,
      };
    case 'failure-rate':
      return {
        strategy,
        maxFailuresPerInterval: failureRate.maxFailuresPerInterval,
        failureRateIntervalMs: ms(failureRate.failureRateInterval),
        delayMs: ms(failureRate.delay),
      };
  }
}

export const resolveLogging = ({
  level,
  maxFiles,
  maxSize,
}: ParsedConfig['logging']): ResolvedConfig['logging'] => ({
  level,
  maxSizeBytes: bytes(maxSize),
  maxFiles,
});

export const resolveRuntime = (
  { node }: ParsedConfig['runtime'],
  projectDir: string,
): ResolvedConfig['runtime'] => ({ node: node ? resolvePath(projectDir, node) : null });

export const resolveProviders = (
  { docker, local, standalone }: ParsedConfig['providers'],
  projectDir: string,
): ResolvedConfig['providers'] => ({
  local: sections.local.resolve(local, projectDir),
  standalone: standalone ? sections.standalone.resolve(standalone, projectDir) : null,
  docker: sections.docker.resolve(docker, projectDir),
});

/**
 * @param projectDir absolute folder of the config file.
 * @param references JSON pointers of the values that came out of references.
 */
export function resolveConfig(
  config: ParsedConfig,
  projectDir: string,
  references: ReadonlySet<string>,
): ResolvedConfig {
  const { application, jobmanager, taskmanager, heartbeat, network, logging, providers } = config;
  return {
    cluster: parseClusterId(config.cluster),
    mode: config.mode,
    provider: config.provider,
    engine: config.engine,
    application: application
      ? {
          entry: resolvePath(projectDir, application.entry),
          args: application.args as JsonObject,
          secretArgs: secretArguments(application.args as JsonObject, references),
          parallelism: application.parallelism,
        }
      : null,
    jobmanager: {
      replicas: jobmanager.replicas,
      resources: resources(jobmanager.resources),
      environment: jobmanager.environment,
      maxConcurrentRestarts: jobmanager.maxConcurrentRestarts,
      submissionTimeoutMs: ms(jobmanager.submissionTimeout),
      rest: { ...jobmanager.rest, bind: jobmanager.rest.bind ?? null },
    },
    taskmanager: {
      replicas: taskmanager.replicas,
      slots: taskmanager.slots,
      resources: resources(taskmanager.resources),
      environment: taskmanager.environment,
      registrationTimeoutMs: ms(taskmanager.registrationTimeout),
      slotRequestTimeoutMs: ms(taskmanager.slotRequestTimeout),
      loadBalance: taskmanager.loadBalance,
    },
    restart: resolveRestart(config.restart),
    heartbeat: { intervalMs: ms(heartbeat.interval), timeoutMs: ms(heartbeat.timeout) },
    network: { bufferTimeoutMs: ms(network.bufferTimeout) },
    logging: resolveLogging(logging),
    metrics: { reporters: resolveReporters(config.metrics.reporters) },
    security: { auth: config.security.auth, tls: config.security.tls },
    storage: config.storage,
    runtime: resolveRuntime(config.runtime, projectDir),
    retentionMs: ms(config.retention),
    providers: resolveProviders(providers, projectDir),
    projectDir,
  };
}
