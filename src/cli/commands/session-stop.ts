/** What `fctl session stop` accepts, and what its help says. */
import { flag } from '../options.ts';
import { clusterArgument } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const sessionStop = defineVerb({
  name: 'session stop',
  summary: 'End a session',
  description: 'Ends a session. While jobs run on it this is refused, unless --cancel is given.',
  reach: 'cluster',
  arguments: clusterArgument,
  options: { cancel: flag('--cancel', 'Cancel the jobs that run.') },
  examples: ['fctl session stop', 'fctl session stop demo --cancel'],
});
