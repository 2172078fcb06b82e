/** What `fctl proxy` accepts, and what its help says. */
import { option, optionOr, port, text } from '../options.ts';
import { clusterArgument } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

export const proxy = defineVerb({
  name: 'proxy',
  summary: "Serve a cluster's REST API on this machine",
  description:
    "Serves a cluster's REST API on loopback and adds the token to each request: whoever uses this machine meanwhile may do what the token allows. Ctrl-C ends it; the cluster goes on.",
  reach: 'cluster',
  arguments: clusterArgument,
  options: {
    port: optionOr('--port <port>', 'Listen on this port (default: a free one).', port, 0),
    ui: option('--ui <dir>', "Serve a Web UI's files from this folder, too.", text, 'file'),
  },
  examples: ['fctl proxy flights', 'fctl proxy flights --port 8081 --ui ./flink-web'],
});
