/** What `fctl prune` accepts, and what its help says. */
import { defineVerb } from '../verb.ts';

export const prune = defineVerb({
  name: 'prune',
  summary: 'Remove ended clusters after their retention, and what no cluster uses any more',
  reach: 'place',
  arguments: {},
  options: {},
  examples: ['fctl prune', 'fctl prune --env production --yes --json'],
});
