/** What `fctl config validate` accepts, and what its help says. */
import { defineVerb } from '../verb.ts';

export const configValidate = defineVerb({
  name: 'config validate',
  summary: 'Check the configuration and report every problem at once',
  reach: 'place',
  readsOnly: true,
  readsConfig: true,
  arguments: {},
  options: {},
  examples: ['fctl config validate', 'fctl config validate --set taskmanager.slots=4 --json'],
});
