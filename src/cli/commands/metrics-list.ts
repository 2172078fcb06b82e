/** What `fctl metrics list` accepts, and what its help says. */
import { defineVerb } from '../verb.ts';

export const metricsList = defineVerb({
  name: 'metrics list',
  aliases: ['ls'],
  summary: 'List all metrics, with what each is',
  description:
    'List all metrics with the names that Flink has for them. No cluster is asked. `-o wide` also says how those of several subtasks or processes are one.',
  reach: 'nothing',
  readsOnly: true,
  lists: true,
  arguments: {},
  options: {},
  examples: ['fctl metrics list', 'fctl metrics list -o name', 'fctl metrics list --json'],
});
