/** Name in `dist/` → source, of every module that something outside of the bundle starts or imports. */
export const entryPoints = {
  cli: 'src/cli/main.ts',
  inspect: 'src/packaging/inspect-main.ts',
  jobmanager: 'src/runtime/jobmanager/main.ts',
  application: 'src/application/application-main.ts',
  taskmanager: 'src/runtime/taskmanager/main.ts',
  keeper: 'src/runtime/keeper/main.ts',
  'slot-thread': 'src/runtime/taskmanager/slot-thread.ts',
  index: 'src/api/index.ts',
  config: 'src/config/index.ts',
  testing: 'src/testing/index.ts',
  'provider-testing': 'src/providers/testing/index.ts',
  'connectors/collect': 'src/connectors/collect/index.ts',
  'connectors/collection': 'src/connectors/collection/index.ts',
  'connectors/discard': 'src/connectors/discard/index.ts',
  'connectors/files': 'src/connectors/files/index.ts',
  'connectors/generator': 'src/connectors/generator/index.ts',
  'connectors/print': 'src/connectors/print/index.ts',
} as const;

/**
 * Scripts that are built as one file each, with everything they need: the agent goes to hosts alone, and
 * slots start by the hundred.
 */
export const singleFiles = {
  'host-agent': 'src/providers/standalone/agent/main.ts',
  'slot-thread-main': 'src/runtime/taskmanager/slot-thread-main.ts',
} as const;

/** Those that only the command line uses; no process of a cluster does. */
export const clientEntryPoints: readonly string[] = [
  'cli',
  'inspect',
  'host-agent',
  'provider-testing',
];
