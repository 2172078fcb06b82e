/** What `fctl ui` accepts, and what its help says. */
import { clusterArgument } from '../common-options.ts';
import { flag, option, optionOr, port, text } from '../options.ts';
import { defineVerb } from '../verb.ts';

export const ui = defineVerb({
  name: 'ui',
  summary: 'Open a Web UI of a cluster in the browser',
  description:
    "Does what proxy does, with the files of a Web UI, and opens it in the browser. The files are those of Flink's Web UI, which a distribution of Flink holds. Ctrl-C ends it; the cluster goes on.",
  reach: 'cluster',
  arguments: clusterArgument,
  options: {
    files: option(
      '--files <dir>',
      "Serve the Web UI's files from this folder. Without it FCTL_UI names the folder.",
      text,
      'file',
    ),
    port: optionOr('--port <port>', 'Listen on this port (default: a free one).', port, 0),
    noOpen: flag('--no-open', 'Open no browser.'),
  },
  examples: ['fctl ui flights --files ./flink-web', 'fctl ui --port 8081 --no-open'],
});
