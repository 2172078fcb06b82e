/**
 * The config of a JobManager or TaskManager: a JSON file, which an engine writes for all processes of a role
 * (`JobManagerFile`, `TaskManagerFile`), and what their environment tells each of them (environment.ts).
 * Times are milliseconds, sizes bytes.
 */
import type { JsonObject } from './json.ts';

/**
 * Where the cluster's record is, as the process reaches it: `file:///…`, a folder of documents, or
 * `http://HOST:PORT`, the JobManager, which shows its record to the cluster's TaskManagers.
 */
export type RecordUrl = string;

export interface LoggingConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Folder of the process's log files. */
  readonly directory: string;
  readonly maxSizeBytes: number;
  readonly maxFiles: number;
}

export interface HeartbeatConfig {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** Flink's `taskmanager.load-balance.mode`: `none` fills TaskManagers one by one, `slots` spreads. */
export type LoadBalanceMode = 'none' | 'slots';

/** What happens to a job that failed: Flink's restart strategies and their options. */
export type RestartConfig =
  | { readonly strategy: 'none' }
  | {
      readonly strategy: 'fixed-delay';
      /** Restarts before a failure is final. */
      readonly attempts: number;
      readonly delayMs: number;
    }
  | {
      readonly strategy: 'exponential-delay';
      readonly initialBackoffMs: number;
      readonly maxBackoffMs: number;
      /** Above 1. */
      readonly backoffMultiplier: number;
      /** Without a failure for this long the job begins with the initial backoff again. */
      readonly resetBackoffThresholdMs: number;
      /** 0 to 1: the part of the backoff that is added or taken away by chance. */
      readonly jitterFactor: number;
      /** Restarts before a failure is final, counted from the last reset; `null`: any number. */
      readonly attemptsBeforeResetBackoff: number | null;
    }
  | {
      readonly strategy: 'failure-rate';
      /** One more within the interval is final. */
      readonly maxFailuresPerInterval: number;
      readonly failureRateIntervalMs: number;
      readonly delayMs: number;
    };

/** Answers Prometheus on the first port of a range that is free; each process has one of its own. */
export interface PrometheusReporterConfig {
  readonly type: 'prometheus';
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
}

interface ProcessConfig {
  readonly protocol: number;
  readonly clusterId: string;
  /** From the environment. */
  readonly release: string;
  /** `jobmanager-0`; from the environment. */
  readonly resourceId: string;
  /** From the environment. */
  readonly record: RecordUrl;
  /** Folder for uploaded bundles and other working files; from the environment. */
  readonly workDir: string;
  readonly heartbeat: HeartbeatConfig;
  readonly logging: LoggingConfig;
  /** To whom metrics are reported; absent from files of earlier versions. */
  readonly reporters?: readonly PrometheusReporterConfig[];
  /** `token`: REST, RPC and data plane need the token in `FCTL_TOKEN_FILE`. */
  readonly auth: 'token' | 'none';
}

export interface JobManagerConfig extends ProcessConfig {
  readonly role: 'jobmanager';
  readonly mode: 'application' | 'per-job' | 'session';
  readonly rest: {
    readonly bind: string;
    /** From the environment; 0: any that is free. */
    readonly port: number;
    readonly maxBodyBytes: number;
    /** Names by which it is reached, beside addresses and the machine's own. */
    readonly hosts: readonly string[];
    /** Of other web pages that may use it. */
    readonly allowedOrigins: readonly string[];
  };
  /** How many TaskManagers the cluster is deployed with: a short run waits for late ones, to dismiss them. */
  readonly taskManagers: number;
  /** How long a job waits for the slots it needs before it fails. */
  readonly slotRequestTimeoutMs: number;
  readonly loadBalanceMode: LoadBalanceMode;
  readonly restart: RestartConfig;
  /** How many jobs are deployed again at the same time, after failures or a restart of the JobManager. */
  readonly maxConcurrentRestarts: number;
  /** After this, a task that was told to cancel costs its slot (and, if that hangs, its process). */
  readonly cancellationTimeoutMs: number;
  /** Per-job mode: how long it waits for its job before it ends. */
  readonly submissionTimeoutMs: number;
  readonly application: ApplicationConfig | null;
  /** Default parallelism of jobs. */
  readonly parallelism: number;
  readonly network: NetworkConfig;
  readonly storage: StorageConfig;
  /** Shown by `GET /jobmanager/config`, secrets masked: `taskmanager.slots` → `2`. */
  readonly effectiveConfig: Readonly<Record<string, string>>;
}

export interface ApplicationConfig {
  /** Content hash of the bundle. */
  readonly bundleHash: string;
  /** Where the bundle lies on this machine. */
  readonly bundleFile: string;
  /**
   * Working directory of `main()` and of the tasks: relative paths in arguments are relative to it. The one
   * in which the process was started.
   */
  readonly workingDirectory: string;
  /** The config's `application.args`, secrets masked. */
  readonly args: JsonObject;
  /** A JSON file with `SecretArguments`, which belong into `args`; `null`: there are none. */
  readonly secretArgsFile: string | null;
  /** Keyed hash of the secret arguments: a changed secret is a changed config. */
  readonly secretArgsHash: string | null;
}

/** Which files the cluster's processes see alike. */
export interface StorageConfig {
  /** `common`: all of them; `separate`: only those below `shared`. */
  readonly scope: string;
  /** Absolute paths, and schemes without `:`. */
  readonly shared: readonly string[];
}

export interface NetworkConfig {
  /** A buffer that is not full is sent after this long. 0: after every record. */
  readonly bufferTimeoutMs: number;
  readonly bufferSizeBytes: number;
  /** Credit of one channel: how many bytes may be under way. */
  readonly channelCreditBytes: number;
  /** A larger frame is refused. */
  readonly maxFrameBytes: number;
}

export interface TaskManagerConfig extends ProcessConfig {
  readonly role: 'taskmanager';
  readonly slots: number;
  /** Of the whole process. A slot gets its share. */
  readonly memoryBytes: number;
  /**
   * Address that other TaskManagers are told, from the environment; `null`: the local one of the JobManager
   * connection.
   */
  readonly advertise: string | null;
  /** From the environment. */
  readonly bind: string;
  /** A TaskManager that finds no JobManager for this long ends itself. */
  readonly registrationTimeoutMs: number;
  readonly cancellationTimeoutMs: number;
  /** The one in which the process was started. */
  readonly workingDirectory: string;
  readonly network: NetworkConfig;
}

type FromEnvironment = 'release' | 'resourceId' | 'record' | 'workDir';

/** `rest.bind` `null`: what the place says. */
export type JobManagerFile = Omit<JobManagerConfig, FromEnvironment | 'rest' | 'application'> & {
  readonly rest: Omit<JobManagerConfig['rest'], 'bind' | 'port'> & { readonly bind: string | null };
  readonly application: Omit<ApplicationConfig, 'workingDirectory'> | null;
};

export type TaskManagerFile = Omit<
  TaskManagerConfig,
  FromEnvironment | 'advertise' | 'bind' | 'workingDirectory'
>;

/** Headers and paths that client and cluster agree on. */
export const TOKEN_HEADER = 'authorization';
export const READY_PATH = '/fctl/v1/ready';
export const RPC_PATH = '/fctl/v1/rpc';
