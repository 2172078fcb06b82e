/** What `fctl jobs metrics` accepts, and what its help says. */
import { clusterArgument, jobOption } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const jobsMetrics = defineVerb({
  name: 'jobs metrics',
  summary: 'Show how much each vertex of a job has done, and how busy it is',
  description:
    'Shows records and bytes of each vertex, and while the job runs also how much of the time it was busy, idle, or held up by those behind it.',
  reach: 'cluster',
  readsOnly: true,
  arguments: clusterArgument,
  options: jobOption,
  examples: ['fctl jobs metrics', 'fctl jobs metrics flights --job delays --json'],
});
