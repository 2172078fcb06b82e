/** What `fctl attach` accepts, and what its help says. */
import { clusterArgument } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const attach = defineVerb({
  name: 'attach',
  summary: 'Follow an application that runs to its end',
  description:
    'Follows an application as deploy does, also one that does not end by itself, and ends with the same exit code. Ctrl-C detaches: the application goes on. Where it has ended already, it shows how.',
  reach: 'cluster',
  arguments: clusterArgument,
  options: {},
  examples: ['fctl attach', 'fctl attach flights --json'],
});
