/** What `fctl logs` accepts, and what its help says. */
import { flag, numberOfLines, oneOf, option, role, text } from '../options.ts';
import { processArguments } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

/** From the least important to the most. */
export const levels = ['debug', 'info', 'warn', 'error'] as const;

export const logs = defineVerb({
  name: 'logs',
  summary: 'Print the logs of a cluster',
  reach: 'cluster',
  readsOnly: true,
  arguments: processArguments,
  options: {
    follow: flag('-f, --follow', 'Go on printing what is added, until the cluster has ended.'),
    tail: option('-n, --tail <lines>', 'Print only the last lines of each process.', numberOfLines),
    out: flag('--out', 'Print what the processes and user code printed, instead of their logs.'),
    role: option(
      '--role <role>',
      'Print only processes of this role: jobmanager or taskmanager.',
      role,
      ['jobmanager', 'taskmanager'],
    ),
    host: option(
      '--host <host>',
      'Print only processes on this host, as the config names it.',
      text,
    ),
    level: option(
      '--level <level>',
      'Print only lines of this level and above: debug, info, warn or error.',
      oneOf('level', levels),
      levels,
    ),
  },
  examples: ['fctl logs flights', 'fctl logs taskmanager-0 -f', 'fctl logs flights --out -n 20'],
});
