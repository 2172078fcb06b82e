/** What `fctl init` accepts, and what its help says. */
import { argument, optionOr, text } from '../options.ts';
import { defineVerb } from '../verb.ts';

export const init = defineVerb({
  name: 'init',
  summary: 'Make a new project',
  description:
    'Makes a project with an application, a config file and a test. Files that exist are never changed.',
  reach: 'nothing',
  arguments: { folder: argument('[folder]', 'Where to make it. Default: this folder.', 'file') },
  options: {
    template: optionOr(
      '--template <name>',
      'Start from this template (default: word-count).',
      text,
      'word-count',
      'template',
    ),
  },
  examples: ['fctl init my-job', 'fctl init --template word-count .'],
});
