/** What `fctl jobs exceptions` accepts, and what its help says. */
import { clusterArgument, jobOption } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const jobsExceptions = defineVerb({
  name: 'jobs exceptions',
  aliases: ['errors'],
  summary: 'Show what a job threw, newest first',
  description:
    'Shows the exceptions of a job with the task, the process and the stack of each, newest first: all of them while its JobManager runs, and the one that ended it afterwards.',
  reach: 'cluster',
  readsOnly: true,
  arguments: clusterArgument,
  options: jobOption,
  examples: ['fctl jobs exceptions', 'fctl jobs exceptions flights --job delays --json'],
});
