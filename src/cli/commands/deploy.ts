/** What `fctl deploy` accepts, and what its help says. */
import { argument, flag } from '../options.ts';
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
  arguments: {
    plan: argument(
      '[plan]',
      "A file of 'fctl plan --out': do what it says, or nothing. Give the same options as to plan.",
      'file',
    ),
  },
  options: {
    ...mode,
    detach: flag('--detach', 'Return as soon as the cluster is healthy.'),
    dryRun: flag('--dry-run', 'Do the same as plan.'),
    confirm: flag(
      '--confirm',
      'Show the plan and ask before anything is done. On a terminal fctl asks by itself before it ends what runs.',
    ),
    ifChanged: flag('--if-changed', 'Do nothing when this release has run already.'),
    ...rollbackOnFailure,
    ...operationOptions,
  },
  examples: [
    'fctl deploy --mode application',
    'fctl deploy --confirm',
    'fctl deploy --env production --detach --rollback-on-failure',
    'fctl deploy --set application.parallelism=4 --json',
  ],
});
