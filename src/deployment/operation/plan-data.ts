/** A plan as scripts and hooks see it: without specs, which name files and folders. */
import type { Plan } from '../../contract/plan.ts';

export function planData(plan: Plan) {
  const { changes, clusterId, config, previousRelease, release, restartsApplication } = plan;
  const { restore, stateLoss } = plan;
  const actions = plan.actions.map(({ kind, process, role, index, reason, causes }) => ({
    kind,
    process,
    role,
    index,
    reason,
    causes,
  }));
  return {
    clusterId,
    release,
    previousRelease,
    changes,
    restartsApplication,
    config,
    actions,
    restore,
    stateLoss,
  };
}
