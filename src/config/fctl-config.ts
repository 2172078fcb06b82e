/** The configuration as users write it. Generated from the schema (`npm run docs`). */
import type { JsonObject } from '../contract/json.ts';

/** JSON, or a bigint, which becomes the text of its digits. */
type ArgumentValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly ArgumentValue[]
  | ArgumentsObject;

type ArgumentsObject = { readonly [name: string]: ArgumentValue };

interface ApplicationConfig {
  /** Entry file of the application, relative to the config file. */
  entry: string;
  /** Arguments: of the only job, or `ctx.args` of the application's `main()`. */
  args?: ArgumentsObject | undefined;
  /** Parallelism of the jobs, where they do not set it. As in Flink, 1. */
  parallelism?: number | undefined;
  /** Where to start from: `latest`, `none` or a path. In this version only `none`. */
  savepoint?: string | undefined;
  /** Whether state of the savepoint that no operator takes may be dropped. In this version only `false`. */
  allowNonRestoredState?: boolean | undefined;
}

interface JobmanagerResourcesConfig {
  /** Processor cores of one process. */
  cpu?: number | undefined;
  /** Memory of one process. */
  memory?: string | undefined;
}

interface JobmanagerRestConfig {
  /** Port of the REST API. 0: one that is free is chosen, so that clusters on one machine never clash. */
  port?: number | undefined;
  /** Address that the REST API listens on. Default: what its provider needs, so that TaskManagers reach it and as few others as possible: loopback, the address of its host, or all of its container. */
  bind?: string | undefined;
  /** Names by which the REST API is reached, beside IP addresses, `localhost` and the machine's own name. Requests for other names are refused. */
  hosts?: string[] | undefined;
  /** Origins of other web pages that may use the REST API with the token (CORS), for example `[https://ui.example]`. */
  allowedOrigins?: string[] | undefined;
}

interface JobmanagerConfig {
  /** How many JobManagers. In this version only `1`. */
  replicas?: number | undefined;
  resources?: JobmanagerResourcesConfig | undefined;
  /** Environment variables of JobManagers, and of `main()` on them, by name. They are in the cluster's record and in plans as they are: references and secrets are refused, which belong into `application.args`. Beside them processes have `PATH`, `HOME`, `USER`, `LOGNAME` and `TMPDIR` of their machine, `TZ=UTC` and `LANG=C.UTF-8`; nothing of the shell that deploys. */
  environment?: Record<string, string> | undefined;
  /** How many jobs are deployed again at the same time, after failures or after a restart of the JobManager. The others wait in order. */
  maxConcurrentRestarts?: number | undefined;
  /** Per-job mode: a JobManager that gets no job for this long ends, for its client may have died. Uploads of cached files count as a sign of life. */
  submissionTimeout?: string | undefined;
  rest?: JobmanagerRestConfig | undefined;
}

interface TaskmanagerResourcesConfig {
  /** Processor cores of one process. */
  cpu?: number | undefined;
  /** Memory of one process. */
  memory?: string | undefined;
}

interface TaskmanagerLoadBalanceConfig {
  /** Which slots a job gets. `none`: TaskManagers are filled one after the other; `slots`: slots in use are spread evenly over them. */
  mode?: 'none' | 'slots' | undefined;
}

interface TaskmanagerConfig {
  /** How many TaskManagers. */
  replicas?: number | undefined;
  /** Slots of one TaskManager: how many subtasks of an operator it runs. */
  slots?: number | undefined;
  resources?: TaskmanagerResourcesConfig | undefined;
  /** Environment variables of TaskManagers, and so of operators, by name. They are in the cluster's record and in plans as they are: references and secrets are refused, which belong into `application.args`. Beside them processes have `PATH`, `HOME`, `USER`, `LOGNAME` and `TMPDIR` of their machine, `TZ=UTC` and `LANG=C.UTF-8`; nothing of the shell that deploys. */
  environment?: Record<string, string> | undefined;
  /** A TaskManager that finds no JobManager for this long ends itself. */
  registrationTimeout?: string | undefined;
  /** A job that does not get its slots for this long fails. */
  slotRequestTimeout?: string | undefined;
  loadBalance?: TaskmanagerLoadBalanceConfig | undefined;
}

interface CheckpointingConfig {
  /** How often a checkpoint is taken. Not in this version. */
  interval?: string | undefined;
  /** Guarantee of checkpoints. Not in this version. */
  mode?: 'exactly-once' | 'at-least-once' | undefined;
  /** Folder of checkpoints. Not in this version. */
  dir?: string | undefined;
}

interface SavepointsConfig {
  /** Folder of savepoints. Not in this version. */
  dir?: string | undefined;
}

interface StateConfig {
  /** Where operators keep their state while they run. In this version only `heap`. */
  backend?: 'heap' | 'lmdb' | undefined;
}

interface RestartFixedDelayConfig {
  /** How often the job starts again. */
  attempts?: number | undefined;
  /** From a failure to the next start. */
  delay?: string | undefined;
}

interface RestartExponentialDelayConfig {
  /** From the first failure to the next start. */
  initialBackoff?: string | undefined;
  /** The longest backoff. At least `initialBackoff`. */
  maxBackoff?: string | undefined;
  /** By how much the backoff grows with every failure. */
  backoffMultiplier?: number | undefined;
  /** A job that ran for this long without a failure begins with `initialBackoff` again. */
  resetBackoffThreshold?: string | undefined;
  /** The part of the backoff that is added or taken away by chance, so that jobs do not start all at once. */
  jitterFactor?: number | undefined;
  /** How often the job starts again before the backoff was reset. By default without end. */
  attemptsBeforeResetBackoff?: number | undefined;
}

interface RestartFailureRateConfig {
  /** How many failures there may be within `failureRateInterval`. */
  maxFailuresPerInterval?: number | undefined;
  /** Within which failures are counted. */
  failureRateInterval?: string | undefined;
  /** From a failure to the next start. */
  delay?: string | undefined;
}

interface RestartConfig {
  /** What happens to a job that failed while it ran. `none`: it has failed; otherwise it starts again from its beginning. */
  strategy?: 'none' | 'fixed-delay' | 'exponential-delay' | 'failure-rate' | undefined;
  fixedDelay?: RestartFixedDelayConfig | undefined;
  exponentialDelay?: RestartExponentialDelayConfig | undefined;
  failureRate?: RestartFailureRateConfig | undefined;
}

interface HaConfig {
  /** Where JobManagers elect their leader. In this version only `none`. */
  type?: 'none' | 'filesystem' | 'zookeeper' | 'kubernetes' | 'etcd' | undefined;
}

interface HeartbeatConfig {
  /** How often JobManager and TaskManagers greet each other. */
  interval?: string | undefined;
  /** One that was silent for this long is lost. Longer than `heartbeat.interval`. */
  timeout?: string | undefined;
}

interface NetworkConfig {
  /** A buffer that is not full is sent after this long. `0ms`: after every record. */
  bufferTimeout?: string | undefined;
}

interface LoggingConfig {
  /** The least important messages that are logged. */
  level?: 'debug' | 'info' | 'warn' | 'error' | undefined;
  /** A log file is rotated at this size. */
  maxSize?: string | undefined;
  /** How many rotated files are kept of each log. */
  maxFiles?: number | undefined;
}

interface MetricsReporterConfig {
  /** What is reported to. In this version only `prometheus`. */
  type: 'prometheus' | 'pushgateway' | 'statsd' | 'otlp' | 'influxdb';
  /** Port that each process answers Prometheus on. For one process a machine. */
  port?: number | undefined;
  /** Ports of which each process takes the first that is free. Default: `9249-9348`. */
  range?: string | undefined;
  [option: string]: unknown;
}

interface MetricsConfig {
  /** To whom the metrics of each process are reported, for example `[{ type: prometheus }]`: Prometheus reads them at `/metrics`, on the `port` or the first free one of the `range` (default: `9249-9348`). In this version only `prometheus`. */
  reporters?: MetricsReporterConfig[] | undefined;
}

interface SecurityConfig {
  /** Whether REST, RPC and data plane need the token of the cluster. */
  auth?: 'token' | 'none' | undefined;
  /** Whether `auth: none` is allowed where `jobmanager.rest.bind` is not on loopback: whoever reaches it can run code in the cluster. */
  allowOpenAccess?: boolean | undefined;
  /** Whether connections are encrypted. In this version only `off`. */
  tls?: 'off' | 'on' | undefined;
}

interface StorageConfig {
  /** Paths and schemes that every process of the cluster sees, for example `[hdfs, /mnt/data]`. */
  shared?: string[] | undefined;
}

interface RuntimeConfig {
  /** Node.js executable that processes of clusters run with, relative to the config file. Default: where fctl runs, its own; elsewhere a pinned one, fetched once with npm. For machines without a registry, with musl or with an old glibc; processes that run already keep theirs. */
  node?: string | undefined;
}

interface ProvidersLocalConfig {
  /** Folder of all local clusters. Default: `FCTL_HOME`, else `$XDG_STATE_HOME/fctl`, else `~/.local/state/fctl`. */
  dir?: string | undefined;
}

interface ProvidersStandaloneHostConfig {
  /** Address or name of the host, or a `Host` of `~/.ssh/config`. */
  address: string;
  /** Which processes it may run. */
  role?: 'jobmanager' | 'taskmanager' | 'both' | undefined;
  /** Address under which the other hosts reach it. Default: the one that `address` stands for. */
  advertise?: string | undefined;
  /** User to log in as. Default: what `~/.ssh/config` says, else the name of this user. */
  user?: string | undefined;
  /** Port of the SSH server. Default: what `~/.ssh/config` says, else 22. */
  port?: number | undefined;
  /** Private key. Default: those of `~/.ssh/config`, of the agent, and `~/.ssh/id_ed25519`, `id_ecdsa`, `id_rsa`. */
  identityFile?: string | undefined;
  /** Hosts to go through, as ssh -J takes them: `user@host:port`, several with commas. `none`: straight, whatever `~/.ssh/config` says. */
  jump?: string | undefined;
}

interface ProvidersStandaloneConfig {
  /** The hosts: an address, or `{ address, role, user, port, identityFile, jump, advertise }`. The JobManager runs on the first one whose role lets it, TaskManagers in turn on all whose role lets them. An address may be there once: for several hosts behind one address, with other ports, give each a name of its own (`Host` of `~/.ssh/config`). */
  hosts: (string | ProvidersStandaloneHostConfig)[];
  /** User to log in as. Default: what `~/.ssh/config` says, else the name of this user. */
  user?: string | undefined;
  /** Port of the SSH server. Default: what `~/.ssh/config` says, else 22. */
  port?: number | undefined;
  /** Private key. Default: those of `~/.ssh/config`, of the agent, and `~/.ssh/id_ed25519`, `id_ecdsa`, `id_rsa`. */
  identityFile?: string | undefined;
  /** Hosts to go through, as ssh -J takes them: `user@host:port`, several with commas. `none`: straight, whatever `~/.ssh/config` says. */
  jump?: string | undefined;
  /** Of the private key. Best by a reference: `${env:NAME}`. */
  passphrase?: string | undefined;
  /** To log in with where no key is accepted. Best by a reference. Without one you are asked, on a terminal. */
  password?: string | undefined;
  /** Whether keys of the SSH agent (`SSH_AUTH_SOCK`) are tried. */
  agent?: boolean | undefined;
  /** Whether `~/.ssh/config` counts, for whatever is not said here. */
  sshConfig?: boolean | undefined;
  /** File of known host keys. */
  knownHosts?: string | undefined;
  /** Hosts without a known key: `strict` refuses them, `accept-new` adds their key to `knownHosts`. A key that changed is always refused. */
  hostKeys?: 'strict' | 'accept-new' | undefined;
  /** Folder of fctl on the hosts; `~` is the home of the user there. */
  dir?: string | undefined;
  /** What starts a crashed process again: units of the system or of the user, or a script. `auto`: units where systemd runs and the user may, else the script. */
  supervisor?: 'auto' | 'systemd' | 'systemd-user' | 'script' | undefined;
  /** How the REST API is reached from here: through an SSH `tunnel`, which `auto` means too, or `direct`. Without TLS, whoever can read what goes over the network takes the token of a `direct` request, and may run code in the cluster. */
  rest?: 'auto' | 'direct' | 'tunnel' | undefined;
  /** How long a host has to answer. */
  connectTimeout?: string | undefined;
  /** A connection that was silent for three times this long is lost. */
  keepAlive?: string | undefined;
  /** How many hosts are worked on at the same time. */
  parallel?: number | undefined;
}

interface ProvidersDockerConfig {
  /** The engine: `unix:///…`, `tcp://HOST:PORT` or `ssh://user@host`. Default: `DOCKER_HOST`, else the Docker context in use, else `/var/run/docker.sock`. */
  host?: string | undefined;
  /** A Docker context, instead of `host`. Default: `DOCKER_CONTEXT`, else the one in use. */
  context?: string | undefined;
  /** Folder with `ca.pem`, `cert.pem` and `key.pem` for an engine on TCP with TLS. Default: `DOCKER_CERT_PATH`, or what the context says. */
  certPath?: string | undefined;
  /** What the image of the runtime is made from. */
  baseImage?: string | undefined;
  /** Whether the base image is pulled where the engine has it not. */
  pull?: 'missing' | 'never' | undefined;
  /** An existing network for the containers. Default: one of their own for each cluster. */
  network?: string | undefined;
  /** Address of the engine on which the REST API is published. Only this machine reaches 127.0.0.1. */
  publish?: string | undefined;
  /** Named volumes that all containers see, by path: `{ /data: flights }`. They are never removed. Name the paths in `storage.shared`. Processes run as user 1000: it gets a volume that is empty; another one must be writable for it. */
  volumes?: Record<string, string> | undefined;
}

interface ProvidersConfig {
  local?: ProvidersLocalConfig | undefined;
  standalone?: ProvidersStandaloneConfig | undefined;
  docker?: ProvidersDockerConfig | undefined;
  /** Options of the kubernetes provider. They count only where it is chosen. */
  kubernetes?: JsonObject | undefined;
  /** Options of the yarn provider. They count only where it is chosen. */
  yarn?: JsonObject | undefined;
}

interface EnvironmentApplicationConfig {
  /** Entry file of the application, relative to the config file. */
  entry?: string | undefined;
  /** Arguments: of the only job, or `ctx.args` of the application's `main()`. */
  args?: ArgumentsObject | undefined;
  /** Parallelism of the jobs, where they do not set it. As in Flink, 1. */
  parallelism?: number | undefined;
  /** Where to start from: `latest`, `none` or a path. In this version only `none`. */
  savepoint?: string | undefined;
  /** Whether state of the savepoint that no operator takes may be dropped. In this version only `false`. */
  allowNonRestoredState?: boolean | undefined;
}

interface EnvironmentConfig {
  /** Id of the cluster: its name for its whole life. */
  cluster?: string | undefined;
  /** Deployment mode. */
  mode?: 'application' | 'per-job' | 'session' | undefined;
  /** Where the cluster runs. In this version only `local`, `standalone`, `docker`. */
  provider?: 'local' | 'standalone' | 'docker' | 'kubernetes' | 'yarn' | undefined;
  /** What runs. In this version only `bundled`. */
  engine?: 'bundled' | 'flink' | undefined;
  application?: EnvironmentApplicationConfig | undefined;
  jobmanager?: JobmanagerConfig | undefined;
  taskmanager?: TaskmanagerConfig | undefined;
  checkpointing?: CheckpointingConfig | undefined;
  savepoints?: SavepointsConfig | undefined;
  state?: StateConfig | undefined;
  restart?: RestartConfig | undefined;
  ha?: HaConfig | undefined;
  heartbeat?: HeartbeatConfig | undefined;
  network?: NetworkConfig | undefined;
  logging?: LoggingConfig | undefined;
  metrics?: MetricsConfig | undefined;
  security?: SecurityConfig | undefined;
  storage?: StorageConfig | undefined;
  runtime?: RuntimeConfig | undefined;
  /** How long outcome and logs of an ended cluster are kept. */
  retention?: string | undefined;
  providers?: ProvidersConfig | undefined;
}

export interface FctlConfig {
  /** Id of the cluster: its name for its whole life. */
  cluster: string;
  /** Deployment mode. */
  mode?: 'application' | 'per-job' | 'session' | undefined;
  /** Where the cluster runs. In this version only `local`, `standalone`, `docker`. */
  provider?: 'local' | 'standalone' | 'docker' | 'kubernetes' | 'yarn' | undefined;
  /** What runs. In this version only `bundled`. */
  engine?: 'bundled' | 'flink' | undefined;
  application?: ApplicationConfig | undefined;
  jobmanager?: JobmanagerConfig | undefined;
  taskmanager?: TaskmanagerConfig | undefined;
  checkpointing?: CheckpointingConfig | undefined;
  savepoints?: SavepointsConfig | undefined;
  state?: StateConfig | undefined;
  restart?: RestartConfig | undefined;
  ha?: HaConfig | undefined;
  heartbeat?: HeartbeatConfig | undefined;
  network?: NetworkConfig | undefined;
  logging?: LoggingConfig | undefined;
  metrics?: MetricsConfig | undefined;
  security?: SecurityConfig | undefined;
  storage?: StorageConfig | undefined;
  runtime?: RuntimeConfig | undefined;
  /** How long outcome and logs of an ended cluster are kept. */
  retention?: string | undefined;
  providers?: ProvidersConfig | undefined;
  /** Overlays by name: `--env production` lays one over the rest of the file. */
  environments?: Record<string, EnvironmentConfig> | undefined;
  /** For editors; it has no other meaning. */
  $schema?: string | undefined;
}
