/** What `fctl context list` accepts, and what its help says. */
import { defineVerb } from '../verb.ts';

export const contextList = defineVerb({
  name: 'context list',
  aliases: ['ls'],
  summary: 'List your contexts',
  reach: 'nothing',
  readsOnly: true,
  lists: true,
  isDefault: true,
  arguments: {},
  options: {},
  examples: ['fctl context list', 'fctl context list -o name'],
});
