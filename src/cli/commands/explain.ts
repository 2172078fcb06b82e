/** What `fctl explain` accepts, and what its help says. */
import { argument } from '../options.ts';
import { defineVerb } from '../verb.ts';

export const explain = defineVerb({
  name: 'explain',
  summary: 'Say what a key of the config means',
  description:
    'Prints the type, the default, the variable and the meaning of a key of the config, or those of all keys below it.',
  reach: 'nothing',
  readsOnly: true,
  lists: true,
  arguments: { key: argument('[key]', 'A key, such as taskmanager.slots. Default: all of them.') },
  options: {},
  examples: [
    'fctl explain taskmanager.slots',
    'fctl explain checkpointing',
    'fctl explain -o name',
  ],
});
