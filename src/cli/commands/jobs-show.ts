/** What `fctl jobs show` accepts, and what its help says. */
import { clusterArgument, jobOption } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const jobsShow = defineVerb({
  name: 'jobs show',
  summary: 'Show one job, vertex by vertex',
  reach: 'cluster',
  readsOnly: true,
  arguments: clusterArgument,
  options: jobOption,
  examples: ['fctl jobs show', 'fctl jobs show flights --job delays'],
});
