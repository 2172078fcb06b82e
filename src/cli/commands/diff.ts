/** What `fctl diff` accepts, and what its help says. */
import { argument } from '../options.ts';
import { defineVerb } from '../verb.ts';

export const diff = defineVerb({
  name: 'diff',
  summary: 'Show what differs between two releases of a cluster',
  description:
    "Compares the configuration, the application and the version of fctl of two releases. Without a word it compares the current release with the last other one that was stable; 'fctl plan' compares what runs with what the config says.",
  reach: 'cluster',
  readsOnly: true,
  arguments: {
    from: argument(
      '[from]',
      'The number or the hash of a release. Default: the last stable one before the other.',
      'release',
    ),
    to: argument('[to]', 'The same of the other one. Default: the current one.', 'release'),
  },
  options: {},
  examples: ['fctl diff', 'fctl diff 3', 'fctl diff 3 5 --cluster flights'],
});
