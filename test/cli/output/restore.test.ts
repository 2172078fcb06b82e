/** From what jobs are restored, as people are told. */
import { afterEach, expect, it, vi } from 'vitest';
import { demo } from '../../demo.ts';
import type { RestoreEntry } from '../../../src/contract/restore.ts';
import { createProgress } from '../../../src/cli/output/progress.ts';
import { showDeployEvent } from '../../../src/cli/verbs/deploy-events.ts';
import { describePlan } from '../../../src/cli/verbs/plan.ts';
import { planCluster } from '../../../src/deployment/operation/plan.ts';
import { smallCluster } from '../../../src/providers/testing/small-cluster.ts';

afterEach(() => vi.restoreAllMocks());

const entry: RestoreEntry = {
  executeIndex: 0,
  jobId: 'a',
  name: 'counts',
  directory: '/state/release-2-a',
  path: null,
  kind: 'savepoint',
};
const known: RestoreEntry = { ...entry, path: '/state/checkpoints/chk-7', kind: 'checkpoint' };

it('is told by a plan, with what would be refused', () => {
  const spec = smallCluster({ clusterId: demo, clientDir: '/' });
  const plan = planCluster(spec, null, { explain: () => [] });
  expect(describePlan(plan)).not.toMatch(/Restored|Refused/);
  const text = describePlan({ ...plan, restore: [entry, known], stateLoss: ['no state of x'] });
  expect(text).toContain(
    [
      'Restored jobs:',
      "  'counts' from a savepoint that is taken first, into /state/release-2-a",
      "  'counts' from checkpoint /state/checkpoints/chk-7",
      '',
      'Refused without --allow-state-loss:',
      '  no state of x',
    ].join('\n'),
  );
});

it('is told by a deployment, once it is known', async () => {
  const lines: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    lines.push(String(text).trimEnd());
    return true;
  });
  const progress = await createProgress({ json: false, quiet: false });
  showDeployEvent(progress, { type: 'suspending', jobs: ['counts'] });
  showDeployEvent(progress, { type: 'not-suspended', reason: 'it hangs' });
  showDeployEvent(progress, { type: 'restoring', restore: [known] });
  expect(lines).toEqual([
    'Suspending counts with a savepoint',
    'Going on without a savepoint, as allowed: it hangs',
    "Restoring 'counts' from checkpoint /state/checkpoints/chk-7",
  ]);
});
