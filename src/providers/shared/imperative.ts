/**
 * Carries plans out where processes are started and ended one by one (local, standalone, Docker): the order
 * of the steps, and how a step is taken. What starting and ending mean is the provider's own.
 *
 * I1  All JobManagers that are ended have ended before any is started: what they wrote is in the record then.
 *     The one that leads is ended after the others, or one of those would take over in between.
 * I2  TaskManagers that go away or are replaced have ended before a JobManager starts: no task is deployed
 *     to one that is about to go. TaskManagers start after the JobManager that they look for.
 * I3  Processes of one step are started or ended at the same time, `atOnce` of them. Where one fails no more
 *     are begun, and those that were begun come to their end before the error is thrown.
 * I4  Each start and end can be repeated: a plan that was interrupted is made anew, and does what is left.
 */
import { type Action, ActionKind, type Plan } from '../../contract/plan.ts';
import { type ProcessSpec, Role } from '../../contract/process-spec.ts';
import type { ConvergeOptions } from '../provider.ts';

/** An action after which a process runs. */
export type StartAction = Action & { readonly spec: ProcessSpec };

export interface ProcessDriver {
  /** Ends whatever runs as that process, and starts it. */
  start(action: StartAction): Promise<void>;
  /** Ends whatever runs as that process, and removes what it leaves. */
  stop(action: Action): Promise<void>;
}

/** Processes that are ended, or started, at the same time; or what is waited for in between. */
type Step =
  | { readonly type: 'stop'; readonly actions: readonly Action[] }
  | { readonly type: 'job-managers-ended' }
  | { readonly type: 'start'; readonly actions: readonly StartAction[] };

const defaultAtOnce = 8;

/** The order in which a plan is carried out (I1, I2). */
function stepsOf({ actions, leader }: Pick<Plan, 'actions' | 'leader'>): readonly Step[] {
  const todo = actions.filter((action) => action.kind !== ActionKind.none);
  const isMaster = ({ role }: Action) => role === Role.jobmanager;
  const isLeader = ({ process }: Action) => process === leader;
  const ended = todo.filter((action) => action.spec === null || action.endsProcess);
  const endedMasters = ended.filter(isMaster);
  const areFollowed = endedMasters.some((action) => action.spec !== null);
  const started = todo.filter((action): action is StartAction => action.spec !== null);
  return [
    ...stop(endedMasters.filter((action) => !isLeader(action))),
    ...stop(endedMasters.filter(isLeader)),
    ...(areFollowed ? [{ type: 'job-managers-ended' } as const] : []),
    ...stop(ended.filter((action) => !isMaster(action))),
    ...start(started.filter(isMaster)),
    ...start(started.filter((action) => !isMaster(action))),
  ];
}

const stop = (actions: readonly Action[]): Step[] =>
  actions.length === 0 ? [] : [{ type: 'stop', actions }];
const start = (actions: readonly StartAction[]): Step[] =>
  actions.length === 0 ? [] : [{ type: 'start', actions }];

/** Whether nothing of the cluster runs after a plan. */
export const removesAll = ({ actions }: Plan): boolean =>
  actions.every(({ kind, spec }) => kind !== ActionKind.none && spec === null);

/** @param atOnce how many processes are started or ended at the same time. */
export async function carryOut(
  plan: Plan,
  driver: ProcessDriver,
  options: ConvergeOptions,
  atOnce = defaultAtOnce,
): Promise<void> {
  const told = new Set<string>();
  const begin = (action: Action): void => {
    options.signal.throwIfAborted();
    // One that ends first and starts later is told once.
    if (!told.has(action.process)) options.onStep(action);
    told.add(action.process);
  };
  for (const step of stepsOf(plan)) {
    if (step.type === 'job-managers-ended') await options.onJobManagersEnded();
    else if (step.type === 'stop') {
      await takeStep(step.actions, atOnce, begin, (action) => driver.stop(action));
    } else await takeStep(step.actions, atOnce, begin, (action) => driver.start(action));
  }
}

/** I3 */
async function takeStep<A extends Action>(
  actions: readonly A[],
  atOnce: number,
  begin: (action: A) => void,
  take: (action: A) => Promise<void>,
): Promise<void> {
  const waiting = [...actions];
  const failures: unknown[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      try {
        begin(next);
        await take(next);
      } catch (error) {
        failures.push(error);
        waiting.length = 0;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, actions.length) }, work));
  if (failures.length > 0) throw failures[0];
}
