/** What `fctl context remove` accepts, and what its help says. */
import { argument } from '../options.ts';
import { defineVerb } from '../verb.ts';

export const contextRemove = defineVerb({
  name: 'context remove',
  aliases: ['rm'],
  summary: 'Forget a context',
  description: 'Forgets a context. Its clusters stay as they are.',
  reach: 'nothing',
  arguments: { name: argument('<name>', 'The context.', 'context') },
  options: {},
  examples: ['fctl context remove box'],
});
