/** What `fctl doctor` accepts, and what its help says. */
import { flag } from '../options.ts';
import { defineVerb } from '../verb.ts';

export const doctor = defineVerb({
  name: 'doctor',
  summary: 'Check this machine and find leftovers',
  description:
    'Shows what fctl runs with, and finds processes and files that belong to no cluster any more.',
  reach: 'place',
  arguments: {},
  options: { fix: flag('--fix', 'Remove the leftovers, after a question.') },
  examples: ['fctl doctor', 'fctl doctor --fix --yes'],
});
