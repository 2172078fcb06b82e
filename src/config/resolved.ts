/**
 * The configuration as everything but src/config sees it: complete, times in `…Ms`, sizes in `…Bytes`.
 * Keys that this version cannot honour (not-yet.ts) are not here.
 */
import type { ClusterId } from '../contract/cluster-id.ts';
import type { JsonObject } from '../contract/json.ts';
import type { ResolvedDocker } from './providers/docker.ts';
import type { ResolvedLocal } from './providers/local.ts';
import type { ResolvedStandalone } from './providers/standalone.ts';
import type {
  LoadBalanceMode,
  PrometheusReporterConfig,
  RestartConfig,
} from '../contract/runtime-config.ts';

export interface ResolvedConfig {
  readonly cluster: ClusterId;
  readonly mode: 'application' | 'per-job' | 'session';
  readonly provider: string;
  readonly engine: string;
  readonly application: ResolvedApplication | null;
  readonly jobmanager: {
    readonly replicas: number;
    readonly resources: ResolvedResources;
    /** By name; without secrets. */
    readonly environment: Readonly<Record<string, string>>;
    readonly maxConcurrentRestarts: number;
    readonly submissionTimeoutMs: number;
    /** `port` 0: one that is free is chosen. */
    readonly rest: {
      readonly port: number;
      /** `null`: the provider's default. */
      readonly bind: string | null;
      /** Names by which it is reached, beside addresses and the machine's own. */
      readonly hosts: readonly string[];
      /** Of other web pages that may use it. */
      readonly allowedOrigins: readonly string[];
    };
  };
  readonly taskmanager: {
    readonly replicas: number;
    readonly slots: number;
    readonly resources: ResolvedResources;
    /** By name; without secrets. */
    readonly environment: Readonly<Record<string, string>>;
    readonly registrationTimeoutMs: number;
    readonly slotRequestTimeoutMs: number;
    readonly loadBalance: { readonly mode: LoadBalanceMode };
  };
  /** The chosen strategy with its options. */
  readonly restart: RestartConfig;
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly network: { readonly bufferTimeoutMs: number };
  readonly logging: {
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly maxSizeBytes: number;
    readonly maxFiles: number;
  };
  /** To whom each process reports. */
  readonly metrics: { readonly reporters: readonly PrometheusReporterConfig[] };
  readonly security: { readonly auth: 'token' | 'none'; readonly tls: 'off' | 'on' };
  /** Paths and schemes that every process of the cluster sees. */
  readonly storage: { readonly shared: readonly string[] };
  /** `node`: absolute path of the executable that processes run with; `null`: the provider's default. */
  readonly runtime: { readonly node: string | null };
  readonly retentionMs: number;
  /** Only the chosen one's section is what the user wrote. */
  readonly providers: {
    readonly local: ResolvedLocal;
    readonly standalone: ResolvedStandalone | null;
    readonly docker: ResolvedDocker;
  };
  /** Folder of the config file; relative paths in arguments are relative to it. */
  readonly projectDir: string;
}

export interface ResolvedApplication {
  /** Absolute path. */
  readonly entry: string;
  readonly args: JsonObject;
  /** JSON pointers, within `args`, of the strings that must not be shown. */
  readonly secretArgs: readonly string[];
  readonly parallelism: number;
}

export interface ResolvedResources {
  readonly cpu: number;
  readonly memoryBytes: number;
}
