/** The verbs that change clusters, and say what was changed: what `--help` says of them. */
import {
  type Verb,
  type VerbOption,
  allowStateLoss,
  cluster,
  lockWait,
  healthTimeout,
  noHooks,
  rollbackOnFailure,
  taskManagers,
} from './verb.ts';

const mode: VerbOption = {
  flags: '--mode <mode>',
  description: "deployment mode; default: the config's",
};

export const lifecycleVerbs: readonly Verb[] = [
  {
    name: 'plan',
    summary: 'Show what a deploy would do, and change nothing',
    readsOnly: true,
    description:
      'Compares what the config file says with what runs: which processes would be created, scaled, restarted, replaced or deleted, and which keys of the config cause it. `changes` in --json tells whether a deploy would change anything.',
    options: [
      mode,
      {
        flags: '--detailed-exitcode',
        description: 'exit 2 where something would change, 0 where nothing would',
      },
    ],
    examples: [
      'fctl plan',
      'fctl plan --detailed-exitcode --quiet',
      'fctl plan --set taskmanager.replicas=3 --json',
    ],
    load: () => import('./verbs/plan.ts'),
  },
  {
    name: 'deploy',
    summary: 'Deploy the application and follow it to its end',
    description:
      'Bundles the application, starts what is missing, waits until the cluster is healthy and follows a bounded application to its end, an unbounded one until it runs. Ctrl-C while following detaches; the application goes on.',
    options: [
      mode,
      { flags: '--detach', description: 'return as soon as the cluster is healthy' },
      { flags: '--dry-run', description: 'the same as plan' },
      { flags: '--if-changed', description: 'do nothing when this release has run already' },
      rollbackOnFailure,
      allowStateLoss,
      lockWait,
      healthTimeout,
      noHooks,
    ],
    examples: [
      'fctl deploy --mode application',
      'fctl deploy --env production --detach --rollback-on-failure',
      'fctl deploy --set application.parallelism=4 --json',
    ],
    load: () => import('./verbs/deploy.ts'),
  },
  {
    name: 'rollback',
    summary: 'Deploy an earlier release again',
    description:
      "Returns to the config and the bundle of a release, with today's secrets. Neither its sources nor an upload are needed: the cluster keeps bundles.",
    arguments: [
      {
        usage: '[release]',
        description: 'its number or hash; default: the last stable one before the current',
      },
    ],
    options: [
      { flags: '--cluster <id>', description: "id of the cluster; default: the config file's" },
      allowStateLoss,
      lockWait,
      healthTimeout,
      noHooks,
    ],
    examples: ['fctl rollback', 'fctl rollback 3', 'fctl rollback 3f2a9c01 --cluster flights'],
    load: () => import('./verbs/rollback.ts'),
  },
  {
    name: 'releases',
    summary: 'Show the releases of a cluster, newest first',
    readsOnly: true,
    arguments: [cluster],
    examples: ['fctl releases', 'fctl releases flights --json'],
    load: () => import('./verbs/releases.ts'),
  },
  {
    name: 'audit',
    summary: 'Show who did what to a cluster, newest first',
    readsOnly: true,
    arguments: [cluster],
    examples: ['fctl audit', 'fctl audit flights --json'],
    load: () => import('./verbs/audit.ts'),
  },
  {
    name: 'scale',
    summary: 'Change the number of TaskManagers of a cluster that runs',
    description:
      'Starts or ends TaskManagers and leaves all other processes alone, in any mode; no config file is needed. An application starts again when one of its TaskManagers goes away. The next deploy makes it what the config file says.',
    arguments: [cluster],
    options: [taskManagers, allowStateLoss, lockWait, healthTimeout, noHooks],
    examples: ['fctl scale --taskmanagers 4', 'fctl scale flights --taskmanagers 2 --json'],
    load: () => import('./verbs/scale.ts'),
  },
  {
    name: 'restart',
    summary: 'End processes of a cluster and start them again',
    description:
      'Restarts all processes, those of a role, or one, as they are. An application starts again with its JobManager, and when one of its TaskManagers goes away.',
    arguments: [
      cluster,
      { usage: '[process]', description: 'only this one, such as taskmanager-0' },
    ],
    options: [
      { flags: '--role <role>', description: 'only those of a role: jobmanager or taskmanager' },
      allowStateLoss,
      lockWait,
      healthTimeout,
      noHooks,
    ],
    examples: [
      'fctl restart flights',
      'fctl restart flights taskmanager-0',
      'fctl restart flights --role taskmanager',
    ],
    load: () => import('./verbs/restart.ts'),
  },
  {
    name: 'lock status',
    summary: 'Show who changes a cluster now',
    readsOnly: true,
    arguments: [cluster],
    examples: ['fctl lock status', 'fctl lock status flights --json'],
    load: () => import('./verbs/lock-status.ts'),
  },
  {
    name: 'lock release',
    summary: 'Take the lock of a cluster away from its holder',
    description:
      'For a holder that hangs. What it does from now on is refused, so it cannot disturb whoever comes next. The lock of a client that is gone is free by itself after 15 seconds, on the same machine at once.',
    arguments: [cluster],
    examples: ['fctl lock release flights', 'fctl lock release flights --yes'],
    load: () => import('./verbs/lock-release.ts'),
  },
  {
    name: 'exec',
    summary: 'Run a command where a process of a cluster runs',
    description:
      "With the environment of the process, in its working folder. Input that is piped reaches the command; the exit code is the command's. Secrets of the config at hand are masked in what it prints.",
    arguments: [
      { usage: '<cluster>', description: 'id of the cluster' },
      { usage: '<process>', description: 'such as taskmanager-0' },
      { usage: '<command...>', description: 'after --' },
    ],
    examples: ['fctl exec flights taskmanager-0 -- ls -l', 'fctl exec flights jobmanager-0 -- env'],
    load: () => import('./verbs/exec.ts'),
  },
  {
    name: 'destroy',
    summary: 'End all processes of a cluster and remove everything of it',
    description:
      'Asks before it ends processes that run. What holds state (checkpoints, savepoints, volumes) is kept, and named.',
    arguments: [cluster],
    options: [
      { flags: '--delete-state', description: 'remove checkpoints, savepoints and volumes, too' },
    ],
    examples: ['fctl destroy flights', 'fctl destroy flights --delete-state --yes'],
    load: () => import('./verbs/destroy.ts'),
  },
  {
    name: 'prune',
    summary: 'Remove ended clusters after their retention, and what no cluster uses any more',
    examples: ['fctl prune', 'fctl prune --env production --yes --json'],
    load: () => import('./verbs/prune.ts'),
  },
];
