/** What `fctl session status` accepts, and what its help says. */
import { clusterArgument } from '../common-options.ts';
import { defineVerb } from '../verb.ts';
import { watch } from './status.ts';

export const sessionStatus = defineVerb({
  name: 'session status',
  summary: 'Show what is true about a session: processes and jobs',
  reach: 'cluster',
  readsOnly: true,
  lists: true,
  arguments: clusterArgument,
  options: watch,
  examples: ['fctl session status', 'fctl session status demo --watch'],
});
