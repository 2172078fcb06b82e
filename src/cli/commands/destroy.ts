/** What `fctl destroy` accepts, and what its help says. */
import { flag } from '../options.ts';
import { clusterArgument, operationOptions } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const destroy = defineVerb({
  name: 'destroy',
  aliases: ['rm', 'down'],
  summary: 'End all processes of a cluster and remove everything of it',
  description:
    'Asks before it ends processes that run, and on a terminal also before it removes what did not end by itself: a deploy could go on with that. What holds state (checkpoints, savepoints, volumes) is kept, and named.',
  reach: 'cluster',
  arguments: clusterArgument,
  options: {
    lockWait: operationOptions.lockWait,
    deleteState: flag('--delete-state', 'Remove checkpoints, savepoints and volumes, too.'),
  },
  examples: ['fctl destroy flights', 'fctl destroy flights --delete-state --yes'],
});
