/** What `fctl jobs list` accepts, and what its help says. */
import { clusterArgument } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const jobsList = defineVerb({
  name: 'jobs list',
  aliases: ['ls'],
  summary: 'List the jobs of a cluster',
  description:
    'Lists the jobs of a cluster, oldest first, also those that have ended, and those of a cluster that has ended.',
  reach: 'cluster',
  readsOnly: true,
  lists: true,
  isDefault: true,
  arguments: clusterArgument,
  options: {},
  examples: ['fctl jobs', 'fctl jobs list flights -o name'],
});
