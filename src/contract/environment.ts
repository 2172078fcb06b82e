/** Environment variables of the process contract and of the launcher. None of them is a config key. */
export const ProcessEnvironment = {
  /** Path of the JSON config file of a JobManager or TaskManager (`runtime-config.ts`). */
  config: 'FCTL_CONFIG',
  /** Path of the file that holds the cluster's token. */
  tokenFile: 'FCTL_TOKEN_FILE',
  /** Folder of all local clusters. Default: `$XDG_STATE_HOME/fctl`, else `~/.local/state/fctl`. */
  home: 'FCTL_HOME',
  /** Marks every process of a cluster with its id, so that orphans can be found by it. */
  clusterId: 'FCTL_CLUSTER_ID',
  /** Name of the process within its cluster: `taskmanager-1`. */
  processName: 'FCTL_PROCESS',
  /** The process's own folder: tells processes of equal clusters in different homes apart. */
  processDir: 'FCTL_PROCESS_DIR',
  /** 0-based index within its role. */
  index: 'FCTL_INDEX',
  /** The release that it was started for. */
  release: 'FCTL_RELEASE',
  /** Where it finds the cluster's record (`RecordUrl`). */
  record: 'FCTL_RECORD',
  /** A folder for its working files, removed with the cluster. */
  workDir: 'FCTL_WORK_DIR',
  /** What its servers listen on. */
  bind: 'FCTL_BIND',
  /** Under which its peers reach it; absent where the place does not know it beforehand. */
  address: 'FCTL_ADDRESS',
  /**
   * Exit code of a TaskManager that found no JobManager, for a platform on which one code alone says "not
   * again". Default: `ProcessExit.noJobManager`.
   */
  orphanExit: 'FCTL_ORPHAN_EXIT',
  /** Names a context of the client's user: where its clusters are. */
  context: 'FCTL_CONTEXT',
  /** The folder with the files of a Web UI, for the client. */
  ui: 'FCTL_UI',
  /** Version of the fctl that made the process's spec. */
  version: 'FCTL_VERSION',
} as const;

const reserved: ReadonlySet<string> = new Set(Object.values(ProcessEnvironment));

const portPrefix = 'FCTL_PORT_';

/** Holds the port of that name; 0: the process chooses one itself, and publishes it. */
export const portVariable = (name: string): string =>
  portPrefix + name.toUpperCase().replace(/[^A-Z0-9]/g, '_');

/** Whether a variable may set a key of the configuration: `FCTL_PROVIDER`, `FCTL_TASKMANAGER__SLOTS`. */
export const isConfigVariable = (name: string): boolean =>
  name.startsWith('FCTL_') && !name.startsWith(portPrefix) && !reserved.has(name);
