/** What REST sees of the JobManager as a process. */
import type { LoggingConfig } from '../../../contract/runtime-config.ts';
import { listLogFiles, readLogFile } from '../../logging/log-files.ts';
import { ProcessMeter } from '../../metrics/process-meter.ts';
import { mainThread } from '../../metrics/thread-dump.ts';
import type { ClusterView, LogFiles } from './cluster-view.ts';

export type LocalView = Pick<ClusterView, 'environment' | 'logs' | 'process' | 'threads'>;

interface LocalViewOptions {
  readonly logging: LoggingConfig;
  /** `jobmanager-0` */
  readonly resourceId: string;
}

/** `close` ends its measuring. */
export function createLocalView({ logging, resourceId }: LocalViewOptions): {
  readonly view: LocalView;
  readonly close: () => void;
} {
  const meter = new ProcessMeter();
  const { arch, argv, execArgv, version, versions } = process;
  return {
    view: {
      environment: {
        version: `Node.js ${version} (V8 ${versions.v8})`,
        arch,
        options: execArgv,
        script: argv[1] ?? '',
      },
      logs: {
        current: currentLogs(resourceId),
        list: () => listLogFiles(logging.directory),
        read: (range) => readLogFile(logging.directory, range),
      },
      process: () => meter.measure(),
      threads: () => [mainThread()],
    },
    close: () => meter.close(),
  };
}

/** Of a process by its name: `taskmanager-0`. */
export const currentLogs = (name: string): LogFiles['current'] => ({
  log: `${name}.log`,
  out: `${name}.out`,
});
