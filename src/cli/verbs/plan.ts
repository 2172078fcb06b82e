/** `fctl plan`: what a deploy would do. */
import type { Plan } from '../../deployment/plan.ts';
import { planDeployment } from '../../deployment/deploy.ts';
import type { Context } from '../context.ts';
import { out, table } from '../output/style.ts';
import { type ModeOption, loadDeployable, prepareDeployment } from './prepare.ts';

export async function run(context: Context<ModeOption>): Promise<void> {
  const input = await prepareDeployment(context, await loadDeployable(context));
  const plan = await planDeployment(input);
  context.report.result(planData(plan), () => describePlan(plan));
}

/** What scripts see: no specs, which name files and folders. */
export function planData(plan: Plan) {
  const { clusterId, release, changes, restartsApplication } = plan;
  const actions = plan.actions.map(({ kind, process, role, index, reason, causes }) => ({
    kind,
    process,
    role,
    index,
    reason,
    causes,
  }));
  return { clusterId, release, changes, restartsApplication, actions };
}

const colors: Readonly<Record<string, (text: string) => string>> = {
  create: out.green,
  replace: out.yellow,
  restart: out.yellow,
  delete: out.red,
};

export function describePlan(plan: Plan): string {
  const rows = plan.actions.map((a) => [(colors[a.kind] ?? out.dim)(a.kind), a.process, a.reason]);
  const head = `cluster ${out.bold(plan.clusterId)}, release ${plan.release}`;
  const last = plan.changes ? '' : `\n\nNothing would change.`;
  return `${head}\n\n${table(['ACTION', 'PROCESS', 'REASON'], rows)}${last}`;
}
