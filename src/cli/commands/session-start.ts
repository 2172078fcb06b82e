/** What `fctl session start` accepts, and what its help says. */
import { count, option } from '../options.ts';
import { clusterArgument, operationOptions, rollbackOnFailure } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const sessionStart = defineVerb({
  name: 'session start',
  summary: 'Start a session cluster, or change the one that runs',
  reach: 'cluster',
  arguments: clusterArgument,
  options: {
    taskmanagers: option(
      '--taskmanagers <n>',
      "Run this many TaskManagers. Default: the config's number.",
      count,
    ),
    slots: option(
      '--slots <n>',
      "Give each TaskManager this many slots. Default: the config's number.",
      count,
    ),
    ...rollbackOnFailure,
    ...operationOptions,
  },
  examples: ['fctl session start', 'fctl session start demo --taskmanagers 2 --slots 4'],
});
