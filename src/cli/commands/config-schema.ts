/** What `fctl config schema` accepts, and what its help says. */
import { defineVerb } from '../verb.ts';

export const configSchema = defineVerb({
  name: 'config schema',
  summary: 'Print the JSON Schema of the configuration, for editors',
  reach: 'nothing',
  readsOnly: true,
  arguments: {},
  options: {},
  examples: ['fctl config schema > fctl.schema.json'],
});
