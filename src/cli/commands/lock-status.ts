/** What `fctl lock status` accepts, and what its help says. */
import { clusterArgument } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const lockStatus = defineVerb({
  name: 'lock status',
  summary: 'Show who changes a cluster now',
  reach: 'cluster',
  readsOnly: true,
  arguments: clusterArgument,
  options: {},
  examples: ['fctl lock status', 'fctl lock status flights --json'],
});
