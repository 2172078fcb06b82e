/** What `fctl restart` accepts, and what its help says. */
import { option, role } from '../options.ts';
import { operationOptions, processArguments } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const restart = defineVerb({
  name: 'restart',
  summary: 'End processes of a cluster and start them again',
  description:
    'Restarts all processes, those of a role, or one, as they are. An application starts again with its JobManager, and when one of its TaskManagers goes away.',
  reach: 'cluster',
  arguments: processArguments,
  options: {
    role: option(
      '--role <role>',
      'Restart only processes of this role: jobmanager or taskmanager.',
      role,
      ['jobmanager', 'taskmanager'],
    ),
    ...operationOptions,
  },
  examples: [
    'fctl restart flights',
    'fctl restart taskmanager-0',
    'fctl restart flights --role taskmanager',
  ],
});
