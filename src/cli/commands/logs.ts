/** What `fctl logs` accepts, and what its help says. */
import { flag, instant, numberOfLines, oneOf, option, pattern, role, text } from '../options.ts';
import { processArguments } from '../common-options.ts';
import { defineVerb } from '../verb.ts';

/** From the least important to the most. */
export const levels = ['debug', 'info', 'warn', 'error'] as const;

export const logs = defineVerb({
  name: 'logs',
  summary: 'Print the logs of a cluster',
  description:
    'Prints the logs of all processes of a cluster in the order of time, or of one. Lines that --level, --since, --until or --grep leave out do not count for --tail.',
  reach: 'cluster',
  readsOnly: true,
  arguments: processArguments,
  options: {
    follow: flag('-f, --follow', 'Go on printing what is added, until the cluster has ended.'),
    tail: option('-n, --tail <lines>', 'Print only the last lines of each process.', numberOfLines),
    since: option(
      '--since <time>',
      'Print only lines from this time on: 10m for ten minutes ago, or 2026-01-31T09:05:00Z.',
      instant,
    ),
    until: option('--until <time>', 'Print only lines until this time.', instant),
    grep: option(
      '--grep <pattern>',
      'Print only lines whose message or fields match this regular expression of JavaScript.',
      pattern,
    ),
    previous: flag(
      '--previous',
      'Print only what was written before the latest start of each process: why it crashed.',
    ),
    timestamps: flag(
      '--timestamps',
      'Print times in UTC, as they are in the logs, not in local time.',
    ),
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
  examples: [
    'fctl logs flights',
    'fctl logs taskmanager-0 -f',
    'fctl logs --since 10m --grep checkpoint',
    'fctl logs flights --out -n 20',
  ],
});
