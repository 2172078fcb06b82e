/** What `fctl context add` accepts, and what its help says. */
import { argument } from '../options.ts';
import { defineVerb } from '../verb.ts';

export const contextAdd = defineVerb({
  name: 'context add',
  summary: 'Name a place where you have clusters',
  description:
    "Keeps --config, --env, --provider and --set under a name, for use outside of a project: 'fctl --context NAME', FCTL_CONTEXT, or 'fctl context use NAME'. A context of that name is replaced. What you give to --set is kept as it is, in a file that only you may read.",
  reach: 'place',
  arguments: { name: argument('<name>', 'How you will call it.') },
  options: {},
  examples: [
    'fctl context add production --config ~/flights/fctl.config.yaml --env production',
    'fctl context add box --provider docker --set providers.docker.host=ssh://me@box',
  ],
});
