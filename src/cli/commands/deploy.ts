/** What `fctl deploy` accepts, and what its help says. */
import { flag } from '../options.ts';
import { operationOptions, rollbackOnFailure } from '../common-options.ts';
import { defineVerb } from '../verb.ts';
import { mode } from './plan.ts';

export const deploy = defineVerb({
  name: 'deploy',
  aliases: ['up', 'apply'],
  summary: 'Deploy the application and follow it to its end',
  description:
    'Bundles the application, starts what is missing, waits until the cluster is healthy, and follows a bounded application to its end, an unbounded one until it runs. Ctrl-C while following detaches: the application goes on.',
  reach: 'cluster',
  arguments: {},
  options: {
    ...mode,
    detach: flag('--detach', 'Return as soon as the cluster is healthy.'),
    dryRun: flag('--dry-run', 'Do the same as plan.'),
    ifChanged: flag('--if-changed', 'Do nothing when this release has run already.'),
    ...rollbackOnFailure,
    ...operationOptions,
  },
  examples: [
    'fctl deploy --mode application',
    'fctl deploy --env production --detach --rollback-on-failure',
    'fctl deploy --set application.parallelism=4 --json',
  ],
});
