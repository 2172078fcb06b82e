/** What `fctl plan` accepts, and what its help says. */
import { flag, option, text } from '../options.ts';
import { defineVerb } from '../verb.ts';

export const mode = {
  mode: option(
    '--mode <mode>',
    "Deploy in this mode (application or per-job) instead of the config's.",
    text,
    ['application', 'per-job'],
  ),
} as const;

export const plan = defineVerb({
  name: 'plan',
  summary: 'Show what a deploy would do, and change nothing',
  description:
    'Compares what the config file says with what runs: which processes would be created, scaled, restarted, replaced or deleted, and which keys of the config cause it. With --json, `changes` tells whether a deploy would change anything.',
  reach: 'cluster',
  readsOnly: true,
  readsConfig: true,
  arguments: {},
  options: {
    ...mode,
    detailedExitcode: flag(
      '--detailed-exitcode',
      'Exit with 2 where something would change, and with 0 where nothing would.',
    ),
    out: option(
      '--out <file>',
      "Write the plan to this file: 'fctl deploy FILE' then does this, or nothing.",
      text,
      'file',
    ),
  },
  examples: [
    'fctl plan',
    'fctl plan --detailed-exitcode --quiet',
    'fctl plan --set taskmanager.replicas=3 --json',
    'fctl plan --out change.plan && fctl deploy change.plan',
  ],
});
