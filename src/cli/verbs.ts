/** The verbs, in the order of `--help`: what each accepts, and where the code is that does it. */
import { attach } from './commands/attach.ts';
import { audit } from './commands/audit.ts';
import { bundle } from './commands/bundle.ts';
import { cancel } from './commands/cancel.ts';
import { compile } from './commands/compile.ts';
import { completion } from './commands/completion.ts';
import { configSchema } from './commands/config-schema.ts';
import { configShow } from './commands/config-show.ts';
import { configValidate } from './commands/config-validate.ts';
import { contextAdd } from './commands/context-add.ts';
import { contextList } from './commands/context-list.ts';
import { contextRemove } from './commands/context-remove.ts';
import { contextUse } from './commands/context-use.ts';
import { deploy } from './commands/deploy.ts';
import { destroy } from './commands/destroy.ts';
import { diff } from './commands/diff.ts';
import { doctor } from './commands/doctor.ts';
import { exec } from './commands/exec.ts';
import { explain } from './commands/explain.ts';
import { init } from './commands/init.ts';
import { jobsExceptions } from './commands/jobs-exceptions.ts';
import { jobsList } from './commands/jobs-list.ts';
import { jobsMetrics } from './commands/jobs-metrics.ts';
import { jobsShow } from './commands/jobs-show.ts';
import { list } from './commands/list.ts';
import { lockRelease } from './commands/lock-release.ts';
import { lockStatus } from './commands/lock-status.ts';
import { logs } from './commands/logs.ts';
import { metricsList } from './commands/metrics-list.ts';
import { plan } from './commands/plan.ts';
import { proxy } from './commands/proxy.ts';
import { prune } from './commands/prune.ts';
import { releases } from './commands/releases.ts';
import { restart } from './commands/restart.ts';
import { rollback } from './commands/rollback.ts';
import { scale } from './commands/scale.ts';
import { sessionList } from './commands/session-list.ts';
import { sessionScale } from './commands/session-scale.ts';
import { sessionStart } from './commands/session-start.ts';
import { sessionStatus } from './commands/session-status.ts';
import { sessionStop } from './commands/session-stop.ts';
import { sessionSubmit } from './commands/session-submit.ts';
import { status } from './commands/status.ts';
import { ui } from './commands/ui.ts';
import { version } from './commands/version.ts';
import { wait } from './commands/wait.ts';
import { type Verb, verb } from './verb.ts';

export const groups: Readonly<Record<string, string>> = {
  config: 'Show and check the configuration',
  session: 'Run many jobs on one long-lived cluster',
  metrics: 'See what is measured',
  context: 'Name places where you have clusters, for use outside of projects',
  jobs: 'See the jobs of a cluster; without another word: list them',
  lock: 'See who changes a cluster now, and take its lock away',
};

export const verbs: readonly Verb[] = [
  verb(init, () => import('./verbs/init.ts')),
  verb(configShow, () => import('./verbs/config-show.ts')),
  verb(configValidate, () => import('./verbs/config-validate.ts')),
  verb(configSchema, () => import('./verbs/config-schema.ts')),
  verb(explain, () => import('./verbs/explain.ts')),
  verb(compile, () => import('./verbs/compile.ts')),
  verb(bundle, () => import('./verbs/bundle.ts')),
  verb(plan, () => import('./verbs/plan.ts')),
  verb(deploy, () => import('./verbs/deploy.ts')),
  verb(attach, () => import('./verbs/attach.ts')),
  verb(wait, () => import('./verbs/wait.ts')),
  verb(rollback, () => import('./verbs/rollback.ts')),
  verb(releases, () => import('./verbs/releases.ts')),
  verb(diff, () => import('./verbs/diff.ts')),
  verb(audit, () => import('./verbs/audit.ts')),
  verb(scale, () => import('./verbs/scale.ts')),
  verb(restart, () => import('./verbs/restart.ts')),
  verb(lockStatus, () => import('./verbs/lock-status.ts')),
  verb(lockRelease, () => import('./verbs/lock-release.ts')),
  verb(exec, () => import('./verbs/exec.ts')),
  verb(destroy, () => import('./verbs/destroy.ts')),
  verb(prune, () => import('./verbs/prune.ts')),
  verb(sessionStart, () => import('./verbs/session-start.ts')),
  verb(sessionSubmit, () => import('./verbs/session-submit.ts')),
  verb(sessionList, () => import('./verbs/session-list.ts')),
  verb(sessionStatus, () => import('./verbs/status.ts')),
  verb(sessionScale, () => import('./verbs/session-scale.ts')),
  verb(sessionStop, () => import('./verbs/session-stop.ts')),
  verb(list, () => import('./verbs/list.ts')),
  verb(status, () => import('./verbs/status.ts')),
  verb(jobsList, () => import('./verbs/jobs-list.ts')),
  verb(jobsShow, () => import('./verbs/jobs-show.ts')),
  verb(jobsExceptions, () => import('./verbs/jobs-exceptions.ts')),
  verb(jobsMetrics, () => import('./verbs/jobs-metrics.ts')),
  verb(logs, () => import('./verbs/logs.ts')),
  verb(metricsList, () => import('./verbs/metrics-list.ts')),
  verb(cancel, () => import('./verbs/cancel.ts')),
  verb(contextAdd, () => import('./verbs/context-add.ts')),
  verb(contextList, () => import('./verbs/context-list.ts')),
  verb(contextUse, () => import('./verbs/context-use.ts')),
  verb(contextRemove, () => import('./verbs/context-remove.ts')),
  verb(proxy, () => import('./verbs/proxy.ts')),
  verb(ui, () => import('./verbs/ui.ts')),
  verb(doctor, () => import('./verbs/doctor.ts')),
  verb(version, () => import('./verbs/version.ts')),
  verb(completion, () => import('./verbs/completion.ts')),
];
