/** What `fctl compile` accepts, and what its help says. */
import { oneOf, option, optionOr, text } from '../options.ts';
import { defineVerb } from '../verb.ts';

const formats = ['text', 'json', 'mermaid', 'schema'] as const;

export const compile = defineVerb({
  name: 'compile',
  summary: "Print the JobGraph of the application's jobs",
  description:
    'Prints what would be executed. The main() of an application runs for that, here and without a cluster: each job that it executes is compiled and counts as finished at once, with no results.',
  reach: 'place',
  readsOnly: true,
  readsConfig: true,
  arguments: {},
  options: {
    job: option('--job <name>', 'Print only this job.', text),
    args: option(
      '--args <json>',
      "Use these arguments for the application or, with --job, for that job alone. Default: the config's.",
      text,
    ),
    format: optionOr(
      '--format <format>',
      'Print text, json, mermaid, or schema: the JSON Schema of a JobGraph (default: text).',
      oneOf('format', formats),
      'text',
      formats,
    ),
  },
  examples: [
    'fctl compile',
    'fctl compile --job delays --args \'{"input":"a.csv","output":"out"}\' --format mermaid',
  ],
});
