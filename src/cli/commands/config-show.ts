/** What `fctl config show` accepts, and what its help says. */
import { flag } from '../options.ts';
import { defineVerb } from '../verb.ts';

export const configShow = defineVerb({
  name: 'config show',
  summary: 'Show the configuration that counts, with secrets masked',
  description:
    'Prints every value of the configuration, defaults included, after the environment, variables and options were applied. Secrets are masked.',
  reach: 'place',
  readsOnly: true,
  readsConfig: true,
  arguments: {},
  options: { origin: flag('--origin', 'Say of each value where it came from.') },
  examples: ['fctl config show', 'fctl config show --origin --env production'],
});
