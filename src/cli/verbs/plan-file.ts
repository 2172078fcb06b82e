/**
 * A plan in a file, for a deployment that does what was planned or nothing.
 *
 * It holds no configuration, for that may hold secrets: `deploy FILE` plans again with the options that it is
 * given, and refuses where something else would be done.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ClusterError, UsageError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { Plan } from '../../contract/plan.ts';
import { FCTL_VERSION } from '../../contract/version.ts';
import { planData } from '../../deployment/operation/plan-data.ts';
import type { Context } from '../context.ts';

const format = 1;

/** @throws UsageError when it cannot be written. */
export async function writePlan(
  { place, report }: Context,
  path: string,
  plan: Plan,
): Promise<string> {
  const file = resolve(place.cwd, path);
  const content = { plan: format, fctl: FCTL_VERSION, createdAt: Date.now(), ...planData(plan) };
  const text = `${report.redactor.stringify(content)}\n`;
  await writeFile(file, text, { mode: 0o600 }).catch((error: Error) => {
    const message = `the plan cannot be written to ${file}: ${error.message}`;
    throw new UsageError(problem({ code: 'not-writable', message }));
  });
  return file;
}

/** What of a plan a deployment must agree with. */
const essence = ({
  actions,
  clusterId,
  release,
}: Pick<Plan, 'clusterId' | 'release'> & {
  readonly actions: readonly Pick<Plan['actions'][number], 'kind' | 'process'>[];
}) => ({ clusterId, release, actions: actions.map(({ kind, process }) => ({ kind, process })) });

type Essence = ReturnType<typeof essence>;

/** @throws UsageError when it cannot be read, or is no plan. */
export async function readPlan({ place }: Context, path: string): Promise<Essence> {
  const file = resolve(place.cwd, path);
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    const message = `the plan ${file} cannot be read: ${error.message}`;
    throw new UsageError(problem({ code: 'plan-missing', message, hint: makesOne(path) }));
  });
  try {
    const content = JSON.parse(text) as Essence & { readonly plan: number };
    if (content.plan === format) return essence(content);
  } catch {
    // told below
  }
  const message = `${file} is no plan of this version of fctl`;
  throw new UsageError(problem({ code: 'not-a-plan', message, hint: makesOne(path) }));
}

const makesOne = (path: string) => `'fctl plan --out ${path}' makes one`;

/** @throws ClusterError (exit 8) when something else would be done now than was planned. */
export function refuseOther(planned: Essence, plan: Plan): void {
  const now = essence(plan);
  if (isDeepStrictEqual(planned, now)) return;
  const what =
    planned.clusterId !== now.clusterId
      ? `it is for cluster ${planned.clusterId}, and this would be ${now.clusterId}`
      : planned.release !== now.release
        ? `it is for release ${planned.release}, and this would be ${now.release}: the config, the application or the options of fctl are not the same`
        : 'the cluster has changed since it was made';
  throw new ClusterError(
    ExitCode.conflict,
    problem({
      code: 'plan-outdated',
      message: `the plan does not hold any more: ${what}`,
      hint: "'fctl plan' shows what would be done now; give deploy the same options as plan",
    }),
  );
}
