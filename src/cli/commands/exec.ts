/** What `fctl exec` accepts, and what its help says. */
import { argument } from '../options.ts';
import { defineVerb } from '../verb.ts';

export const exec = defineVerb({
  name: 'exec',
  summary: 'Run a command where a process of a cluster runs',
  description:
    "Runs a command with the environment of the process, in its working folder. Input that is piped reaches the command. The exit code is the command's; fctl's own failures end with 125, so that scripts can tell them apart. Secrets of the config at hand are masked in what the command prints.",
  reach: 'cluster',
  arguments: {
    words: argument(
      '[words...]',
      'The cluster and the process, such as flights taskmanager-0. In a project the process is enough.',
      'process',
    ),
  },
  runsCommand: { usage: '-- <command...>' },
  options: {},
  examples: ['fctl exec taskmanager-0 -- ls -l', 'fctl exec flights jobmanager-0 -- env'],
});
