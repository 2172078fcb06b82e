/** `fctl plan`: what a deploy would do. */
import { ExitCode } from '../../contract/exit-codes.ts';
import { planDeployment } from '../../deployment/deploy.ts';
import type { Plan } from '../../contract/plan.ts';
import { planData } from '../../deployment/operation/plan-data.ts';
import type { plan as declaration } from '../commands/plan.ts';
import type { Context } from '../context.ts';
import { describeRestore } from '../output/restore.ts';
import { out } from '../output/style.ts';
import { table } from '../output/table.ts';
import type { Given } from '../verb.ts';
import { writePlan } from './plan-file.ts';
import { loadDeployable, prepareDeployment } from './prepare.ts';

/** As `terraform plan` and `diff` have it: 0 nothing, 2 something would change. */
const wouldChange = 2;

export async function run(context: Context, given: Given<typeof declaration>): Promise<number> {
  const loaded = await loadDeployable(context, given);
  const input = await prepareDeployment(context, { noHooks: false }, loaded);
  const plan = await planDeployment(input);
  const file = given.out === null ? null : await writePlan(context, given.out, plan);
  context.report.result({ ...planData(plan), ...(file !== null && { file }) }, () =>
    file === null ? describePlan(plan) : `${describePlan(plan)}\n\nWritten to ${file}.`,
  );
  return given.detailedExitcode && plan.changes ? wouldChange : ExitCode.done;
}

const colors: Readonly<Record<string, (text: string) => string>> = {
  create: out.green,
  scale: out.green,
  replace: out.yellow,
  restart: out.yellow,
  delete: out.red,
};

export function describePlan(plan: Plan): string {
  const rows = plan.actions.map((a) => [(colors[a.kind] ?? out.dim)(a.kind), a.process, a.reason]);
  const { changes, config, previousRelease, release, restore, stateLoss } = plan;
  const before =
    previousRelease === null || previousRelease === release ? '' : ` (${previousRelease} is there)`;
  return [
    `cluster ${out.bold(plan.clusterId)}, release ${release}${before}`,
    table(['ACTION', 'PROCESS', 'REASON'], rows),
    ...(config.length === 0
      ? []
      : [`Changed keys:\n${config.map((key) => `  ${key}`).join('\n')}`]),
    ...(restore.length === 0
      ? []
      : [`Restored jobs:\n${restore.map((entry) => `  ${describeRestore(entry)}`).join('\n')}`]),
    ...(stateLoss.length === 0
      ? []
      : [
          `Refused without --allow-state-loss:\n${stateLoss.map((loss) => `  ${loss}`).join('\n')}`,
        ]),
    ...(changes ? (isRecordedOnly(plan) ? [recordedOnly] : []) : ['Nothing would change.']),
  ].join('\n\n');
}

const recordedOnly = 'No process would change; the release would be recorded.';

const isRecordedOnly = ({ actions }: Plan) => actions.every((a) => a.kind === 'none');
