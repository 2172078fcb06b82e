/** What `fctl releases` accepts, and what its help says. */
import { clusterArgument } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const releases = defineVerb({
  name: 'releases',
  aliases: ['history'],
  summary: 'Show the releases of a cluster, newest first',
  reach: 'cluster',
  readsOnly: true,
  lists: true,
  arguments: clusterArgument,
  options: {},
  examples: ['fctl releases', 'fctl releases flights --json'],
});
