/** What `fctl cancel` accepts, and what its help says. */
import { option, text } from '../options.ts';
import { clusterArgument } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const cancel = defineVerb({
  name: 'cancel',
  summary: 'Cancel an application, or one of its jobs',
  reach: 'cluster',
  arguments: clusterArgument,
  options: { job: option('--job <id>', 'Cancel only this job.', text, 'job') },
  examples: ['fctl cancel flights', 'fctl cancel flights --job 5f0c…'],
});
