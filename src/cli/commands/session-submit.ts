/** What `fctl session submit` accepts, and what its help says. */
import { argument, count, flag, option, text } from '../options.ts';
import { defineVerb } from '../verb.ts';

export const sessionSubmit = defineVerb({
  name: 'session submit',
  summary: 'Run an application on a session and follow it to its end',
  description:
    'Bundles the application, uploads it unless the session has it, and runs main() here; its jobs run on the session. Ctrl-C ends main(); jobs go on.',
  reach: 'cluster',
  arguments: {
    app: argument('[app]', "The entry file. Default: the config's application.", 'file'),
  },
  options: {
    job: option('--job <name>', 'Run only this job, and not main().', text),
    args: option('--args <json>', "Use these arguments instead of the config's.", text),
    parallelism: option(
      '--parallelism <n>',
      "Run with this default parallelism instead of the config's.",
      count,
    ),
    detach: flag(
      '--detach',
      'End with main(), and do not wait for jobs that it does not wait for.',
    ),
  },
  examples: [
    'fctl session submit',
    'fctl session submit ./src/app.ts --cluster demo --args \'{"input":"a.csv"}\'',
    'fctl session submit --job delays --detach --json',
  ],
});
