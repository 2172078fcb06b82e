/** Checked configuration → resolved configuration. Pure, but for where `~` is. */
import type { JsonObject } from '../contract/json.ts';
import { parseDurationMs, parseSizeBytes } from '../contract/units.ts';
import { resolvePath } from './paths.ts';
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
    cluster: config.cluster,
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
    jobmanager: { ...jobmanager, resources: resources(jobmanager.resources) },
    taskmanager: {
      replicas: taskmanager.replicas,
      slots: taskmanager.slots,
      resources: resources(taskmanager.resources),
      registrationTimeoutMs: ms(taskmanager.registrationTimeout),
      slotRequestTimeoutMs: ms(taskmanager.slotRequestTimeout),
    },
    heartbeat: { intervalMs: ms(heartbeat.interval), timeoutMs: ms(heartbeat.timeout) },
    network: { bufferTimeoutMs: ms(network.bufferTimeout) },
    logging: {
      level: logging.level,
      maxSizeBytes: bytes(logging.maxSize),
      maxFiles: logging.maxFiles,
    },
    security: { auth: config.security.auth, tls: config.security.tls },
    storage: config.storage,
    retentionMs: ms(config.retention),
    providers: {
      local: { dir: providers.local.dir ? resolvePath(projectDir, providers.local.dir) : null },
    },
    projectDir,
  };
}
