/** What `fctl lock release` accepts, and what its help says. */
import { clusterArgument } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const lockRelease = defineVerb({
  name: 'lock release',
  summary: 'Take the lock of a cluster away from its holder',
  description:
    'For a holder that hangs. What it does from now on is refused, so it cannot disturb whoever comes next. The lock of a client that is gone becomes free by itself after 15 seconds, and on the same machine at once.',
  reach: 'cluster',
  arguments: clusterArgument,
  options: {},
  examples: ['fctl lock release flights', 'fctl lock release flights --yes'],
});
