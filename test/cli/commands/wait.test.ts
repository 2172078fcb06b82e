/** What can be waited for. */
import { expect, it } from 'vitest';
import { wait } from '../../../src/cli/commands/wait.ts';
import { ClusterState } from '../../../src/deployment/status.ts';

it.each(Object.values(ClusterState))('%s can be waited for', (state) => {
  const { completes, parse } = wait.options.awaited;
  // `running` says more than that state, and is taken for it.
  const awaited = state === ClusterState.running ? 'running' : state;
  expect(parse?.(state, '--for')).toBe(awaited);
  expect(completes).toContain(state);
});
