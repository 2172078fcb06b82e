/** What `fctl session list` accepts, and what its help says. */
import { defineVerb } from '../verb.ts';

export const sessionList = defineVerb({
  name: 'session list',
  aliases: ['ls'],
  summary: 'List all sessions',
  reach: 'place',
  readsOnly: true,
  lists: true,
  arguments: {},
  options: {},
  examples: ['fctl session list', 'fctl session list --json'],
});
