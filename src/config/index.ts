/** What a config file in TypeScript imports as `fctl/config`. */
import type { JsonObject } from '../contract/json.ts';

/** Processor and memory of one process. */
interface Resources {
  /** Processor cores. */
  cpu?: number | undefined;
  /** `512MiB` */
  memory?: string | undefined;
}

/** What an application is started with. */
interface ApplicationSettings {
  args?: JsonObject | undefined;
  parallelism?: number | undefined;
  savepoint?: string | undefined;
  allowNonRestoredState?: boolean | undefined;
}

/** How an SSH server is reached. */
interface LoginSettings {
  user?: string | undefined;
  port?: number | undefined;
  identityFile?: string | undefined;
  /** `user@host:port` */
  jump?: string | undefined;
}

interface HostSettings extends LoginSettings {
  address: string;
  role?: 'jobmanager' | 'taskmanager' | 'both' | undefined;
  advertise?: string | undefined;
}

interface StandaloneSettings extends LoginSettings {
  hosts: (string | HostSettings)[];
  passphrase?: string | undefined;
  password?: string | undefined;
  agent?: boolean | undefined;
  sshConfig?: boolean | undefined;
  knownHosts?: string | undefined;
  hostKeys?: 'strict' | 'accept-new' | undefined;
  dir?: string | undefined;
  supervisor?: 'auto' | 'systemd' | 'systemd-user' | 'script' | undefined;
  rest?: 'auto' | 'direct' | 'tunnel' | undefined;
  connectTimeout?: string | undefined;
  keepAlive?: string | undefined;
  parallel?: number | undefined;
}

interface DockerSettings {
  host?: string | undefined;
  context?: string | undefined;
  certPath?: string | undefined;
  baseImage?: string | undefined;
  pull?: 'missing' | 'never' | undefined;
  network?: string | undefined;
  publish?: string | undefined;
  /** Path → name of a volume. */
  volumes?: Record<string, string> | undefined;
}

/** All but the name of the cluster and the application. */
interface Settings {
  mode?: 'application' | 'per-job' | 'session' | undefined;
  provider?: 'local' | 'standalone' | 'docker' | 'kubernetes' | 'yarn' | undefined;
  engine?: 'bundled' | 'flink' | undefined;
  jobmanager?:
    | {
        replicas?: number | undefined;
        resources?: Resources | undefined;
        maxConcurrentRestarts?: number | undefined;
        submissionTimeout?: string | undefined;
        rest?:
          | {
              port?: number | undefined;
              bind?: string | undefined;
              hosts?: string[] | undefined;
              allowedOrigins?: string[] | undefined;
            }
          | undefined;
      }
    | undefined;
  taskmanager?:
    | {
        replicas?: number | undefined;
        slots?: number | undefined;
        resources?: Resources | undefined;
        registrationTimeout?: string | undefined;
        slotRequestTimeout?: string | undefined;
        loadBalance?: { mode?: 'none' | 'slots' | undefined } | undefined;
      }
    | undefined;
  checkpointing?:
    | {
        interval?: string | undefined;
        mode?: 'exactly-once' | 'at-least-once' | undefined;
        dir?: string | undefined;
      }
    | undefined;
  savepoints?: { dir?: string | undefined } | undefined;
  state?: { backend?: 'heap' | 'lmdb' | undefined } | undefined;
  restart?:
    | {
        strategy?: 'none' | 'fixed-delay' | 'exponential-delay' | 'failure-rate' | undefined;
        fixedDelay?: { attempts?: number | undefined; delay?: string | undefined } | undefined;
        exponentialDelay?:
          | {
              initialBackoff?: string | undefined;
              maxBackoff?: string | undefined;
              backoffMultiplier?: number | undefined;
              resetBackoffThreshold?: string | undefined;
              jitterFactor?: number | undefined;
              attemptsBeforeResetBackoff?: number | undefined;
            }
          | undefined;
        failureRate?:
          | {
              maxFailuresPerInterval?: number | undefined;
              failureRateInterval?: string | undefined;
              delay?: string | undefined;
            }
          | undefined;
      }
    | undefined;
  ha?:
    | { type?: 'none' | 'filesystem' | 'zookeeper' | 'kubernetes' | 'etcd' | undefined }
    | undefined;
  heartbeat?: { interval?: string | undefined; timeout?: string | undefined } | undefined;
  network?: { bufferTimeout?: string | undefined } | undefined;
  logging?:
    | {
        level?: 'debug' | 'info' | 'warn' | 'error' | undefined;
        maxSize?: string | undefined;
        maxFiles?: number | undefined;
      }
    | undefined;
  metrics?: { reporters?: { type: string; [option: string]: unknown }[] | undefined } | undefined;
  security?:
    | {
        auth?: 'token' | 'none' | undefined;
        allowOpenAccess?: boolean | undefined;
        tls?: 'off' | 'on' | undefined;
      }
    | undefined;
  storage?: { shared?: string[] | undefined } | undefined;
  runtime?: { node?: string | undefined } | undefined;
  retention?: string | undefined;
  providers?:
    | {
        local?: { dir?: string | undefined } | undefined;
        standalone?: StandaloneSettings | undefined;
        docker?: DockerSettings | undefined;
        kubernetes?: JsonObject | undefined;
        yarn?: JsonObject | undefined;
      }
    | undefined;
}

/** An overlay: whatever differs in one environment. */
interface Overlay extends Settings {
  cluster?: string | undefined;
  application?: (ApplicationSettings & { entry?: string | undefined }) | undefined;
}

/** The configuration as users write it. Every key is described in docs/configuration.md. */
export interface FctlConfig extends Settings {
  cluster: string;
  /** `entry` is relative to the config file. */
  application?: (ApplicationSettings & { entry: string }) | undefined;
  /** Chosen by `--env`. */
  environments?: Record<string, Overlay> | undefined;
}

/** For completion and type checks in `fctl.config.ts`. */
export function defineConfig(config: FctlConfig): FctlConfig {
  return config;
}
