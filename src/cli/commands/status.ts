/** What `fctl status` accepts, and what its help says. */
import { flag } from '../options.ts';
import { clusterArgument } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const watch = {
  watch: flag(
    '-w, --watch',
    'Show it again whenever it changes, until the cluster has ended. The exit code is then that of a deploy: 6 for a job that failed.',
  ),
} as const;

export const status = defineVerb({
  name: 'status',
  aliases: ['ps'],
  summary: 'Show what is true about a cluster: processes, jobs, outcome',
  reach: 'cluster',
  readsOnly: true,
  lists: true,
  arguments: clusterArgument,
  options: watch,
  examples: ['fctl status flights', 'fctl status --watch', 'fctl status flights --json'],
});
