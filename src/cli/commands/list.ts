/** What `fctl list` accepts, and what its help says. */
import { flag } from '../options.ts';
import { defineVerb } from '../verb.ts';

export const list = defineVerb({
  name: 'list',
  aliases: ['ls'],
  summary: 'List all clusters',
  description:
    'Lists the clusters of the provider or, with --all, of all environments of the project and all contexts. A host that does not answer is named in a warning, and the exit code is 4: the clusters that it has are not in the list.',
  reach: 'place',
  readsOnly: true,
  lists: true,
  arguments: {},
  options: {
    all: flag('-a, --all', 'List those of all environments and all contexts.'),
  },
  examples: ['fctl list', 'fctl list --all', 'fctl list --provider docker', 'fctl list --json'],
});
