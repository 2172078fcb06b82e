/** What `fctl bundle` accepts, and what its help says. */
import { argument } from '../options.ts';
import { defineVerb } from '../verb.ts';

export const bundle = defineVerb({
  name: 'bundle',
  summary: 'Write the application as one file, to upload it',
  description:
    "Makes the file that a deployment ships, for whoever submits it without fctl: on the page Submit New Job of Flink's Web UI before a session, or by POST /jars/upload.",
  reach: 'place',
  arguments: {
    file: argument('[file]', 'Where to write it. Default: the id of the cluster and .mjs.', 'file'),
  },
  options: {},
  examples: [
    'fctl bundle',
    'fctl bundle flights.mjs && curl -F jarfile=@flights.mjs http://127.0.0.1:8081/jars/upload',
  ],
});
