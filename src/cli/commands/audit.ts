/** What `fctl audit` accepts, and what its help says. */
import { clusterArgument } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const audit = defineVerb({
  name: 'audit',
  summary: 'Show who did what to a cluster, newest first',
  reach: 'cluster',
  readsOnly: true,
  arguments: clusterArgument,
  options: {},
  examples: ['fctl audit', 'fctl audit flights --json'],
});
