/** What `fctl rollback` accepts, and what its help says. */
import { argument } from '../options.ts';
import { operationOptions } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const rollback = defineVerb({
  name: 'rollback',
  summary: 'Deploy an earlier release again',
  description:
    "Returns to the config and the bundle of a release, with today's secrets. Neither its sources nor an upload are needed: the cluster keeps bundles.",
  reach: 'cluster',
  arguments: {
    release: argument(
      '[release]',
      'Its number or its hash. Default: the last stable one before the current.',
      'release',
    ),
  },
  options: operationOptions,
  examples: ['fctl rollback', 'fctl rollback 3', 'fctl rollback 3f2a9c01 --cluster flights'],
});
