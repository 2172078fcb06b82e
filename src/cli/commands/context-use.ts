/** What `fctl context use` accepts, and what its help says. */
import { argument, flag } from '../options.ts';
import { defineVerb } from '../verb.ts';

export const contextUse = defineVerb({
  name: 'context use',
  summary: 'Choose the context that counts outside of projects',
  description:
    'Makes a context the one that counts outside of projects. A config file, a variable or an option that says where clusters are takes precedence over it.',
  reach: 'nothing',
  arguments: { name: argument('[name]', 'The context.', 'context') },
  options: { none: flag('--none', 'Use none: outside of projects local clusters are meant.') },
  examples: ['fctl context use production', 'fctl context use --none'],
});
