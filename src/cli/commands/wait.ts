/** What `fctl wait` accepts, and what its help says. */
import { UsageError, problem } from '../../contract/errors.ts';
import type { ClusterState } from '../../deployment/status.ts';
import { clusterArgument } from '../common-options.ts';
import { type Parse, optionOr } from '../options.ts';
import { defineVerb } from '../verb.ts';

/** All of them, which the types check; what has the states itself is too heavy to be loaded at each start. */
const named: Readonly<Record<ClusterState, true>> = {
  STARTING: true,
  RUNNING: true,
  SUCCEEDED: true,
  FAILED: true,
  CANCELED: true,
  SUSPENDED: true,
  RESTARTING: true,
  LOST: true,
  UNREACHABLE: true,
  DAMAGED: true,
  INCOMPLETE: true,
};
const states = Object.keys(named) as readonly ClusterState[];
const others = ['running', 'finished', 'gone'] as const;

/** `running`: all tasks run. `finished`: it is over. `gone`: it was destroyed. Else: it is in that state. */
export type Awaited = (typeof others)[number] | ClusterState;

const awaited: Parse<Awaited> = (given) => {
  const word = others.find((known) => known === given.toLowerCase());
  const state = states.find((known) => known === given.toUpperCase());
  if (word !== undefined) return word;
  if (state !== undefined) return state;
  throw new UsageError(
    problem({
      code: 'unknown-state',
      message: `nobody can wait for '${given}'`,
      hint: `one of ${[...others, ...states].join(', ')}`,
    }),
  );
};

export const wait = defineVerb({
  name: 'wait',
  summary: 'Wait until a cluster runs, has finished, or is in a state',
  description:
    "Waits for what --for says: running (all tasks of all jobs run), finished (the application is over), gone (the cluster was destroyed), or a state of fctl status, such as FAILED. Exits with 0 when that has come. When the application ends first, or in another way, the exit code is that of a deploy: 6 when it failed or was cancelled. 'fctl wait --for finished' is what a pipeline needs after 'fctl deploy --detach'.",
  reach: 'cluster',
  readsOnly: true,
  arguments: clusterArgument,
  options: {
    awaited: optionOr(
      '--for <state>',
      'Wait for running, finished, gone, or a state (default: finished).',
      awaited,
      'finished',
      [...others, ...states],
    ),
  },
  examples: ['fctl wait --for running --timeout 1m', 'fctl wait flights --for finished'],
});
