/** What `fctl version` accepts, and what its help says. */
import { clusterArgument } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const version = defineVerb({
  name: 'version',
  summary: 'Show the version of fctl and, where a cluster is named, of the cluster',
  description:
    'Shows the version of this fctl and of its Node.js. Where a cluster is named, by a word or an option, it also shows what that cluster was deployed with.',
  reach: 'cluster',
  readsOnly: true,
  arguments: clusterArgument,
  options: {},
  examples: ['fctl version', 'fctl version flights --json'],
});
