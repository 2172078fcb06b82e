/** What `fctl context use` accepts, and what its help says. */
import { argument, flag } from '../options.ts';
import { defineVerb } from '../verb.ts';

export const contextUse = defineVerb({
  name: 'context use',
  summary: 'Choose the context that counts outside of projects',
  description:
    'Where a config file, a variable or an option says where clusters are, that counts, and not this context.',
  reach: 'nothing',
  arguments: { name: argument('[name]', 'The context.', 'context') },
  options: { none: flag('--none', 'Use none: outside of projects local clusters are meant.') },
  examples: ['fctl context use production', 'fctl context use --none'],
});
