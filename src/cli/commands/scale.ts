/** What `fctl scale` accepts, and what its help says. */
import { count, option } from '../options.ts';
import { clusterArgument, operationOptions } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const scaleOptions = {
  taskmanagers: option('--taskmanagers <n>', 'Run this many TaskManagers.', count),
  ...operationOptions,
} as const;

export const scale = defineVerb({
  name: 'scale',
  summary: 'Change the number of TaskManagers of a cluster that runs',
  description:
    'Starts or ends TaskManagers and leaves all other processes alone, in any mode; no config file is needed. An application starts again when one of its TaskManagers goes away. The next deploy makes the number what the config file says.',
  reach: 'cluster',
  arguments: clusterArgument,
  options: scaleOptions,
  examples: ['fctl scale --taskmanagers 4', 'fctl scale flights --taskmanagers 2 --json'],
});
