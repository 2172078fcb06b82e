/**
 * The verbs: what the command line accepts and what `--help` says. Their code is loaded when they run, so
 * nothing else may be imported here.
 */
import { lifecycleVerbs } from './lifecycle-verbs.ts';
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

export const groups: Readonly<Record<string, string>> = {
  config: 'Show and check the configuration',
  session: 'Run many jobs on one long-lived cluster',
  lock: 'See who changes a cluster now, and take it away',
};

export const verbs: readonly Verb[] = [
  {
    name: 'init',
    summary: 'Scaffold a new project',
    description:
      'Makes a project with an application, a config file and a test. Existing files are never changed.',
    arguments: [{ usage: '[folder]', description: 'where; default: this folder' }],
    options: [{ flags: '--template <name>', description: 'which template (default: word-count)' }],
    examples: ['fctl init my-job', 'fctl init --template word-count .'],
    load: () => import('./verbs/init.ts'),
  },
  {
    name: 'config show',
    summary: 'Print the resolved configuration, secrets masked',
    readsOnly: true,
    options: [{ flags: '--origin', description: 'say of each value where it came from' }],
    examples: ['fctl config show', 'fctl config show --origin --env production'],
    load: () => import('./verbs/config-show.ts'),
  },
  {
    name: 'config validate',
    summary: 'Check the configuration and report every problem at once',
    readsOnly: true,
    examples: ['fctl config validate', 'fctl config validate --set taskmanager.slots=4 --json'],
    load: () => import('./verbs/config-validate.ts'),
  },
  {
    name: 'config schema',
    summary: 'Print the JSON Schema of the configuration, for editors',
    readsOnly: true,
    examples: ['fctl config schema > fctl.schema.json'],
    load: () => import('./verbs/config-schema.ts'),
  },
  {
    name: 'compile',
    summary: "Print the JobGraph of the application's jobs",
    description:
      'Prints what would be executed. The main() of an application runs for that, here and without a cluster: each job that it executes is compiled and counts as finished at once, with no results.',
    readsOnly: true,
    options: [
      { flags: '--job <name>', description: 'only this job' },
      {
        flags: '--args <json>',
        description:
          "arguments of the application or, with --job, of that job alone; default: the config's",
      },
      {
        flags: '--format <format>',
        description:
          'text, json, mermaid, or schema: the JSON Schema of a JobGraph (default: text)',
      },
    ],
    examples: [
      'fctl compile',
      'fctl compile --job delays --args \'{"input":"a.csv","output":"out"}\' --format mermaid',
    ],
    load: () => import('./verbs/compile.ts'),
  },
  {
    name: 'bundle',
    summary: 'Write the application as one file, to upload it',
    description:
      "Makes the file that a deployment ships, for whoever submits it without fctl: the page Submit New Job of Flink's Web UI before a session, or POST /jars/upload.",
    arguments: [{ usage: '[file]', description: 'where; default: the id of the cluster and .mjs' }],
    examples: [
      'fctl bundle',
      'fctl bundle flights.mjs && curl -F jarfile=@flights.mjs http://127.0.0.1:8081/jars/upload',
    ],
    load: () => import('./verbs/bundle.ts'),
  },
  ...lifecycleVerbs,
  {
    name: 'session start',
    summary: 'Start a session cluster, or change the one that runs',
    arguments: [cluster],
    options: [
      { flags: '--taskmanagers <n>', description: "how many; default: the config's" },
      { flags: '--slots <n>', description: "slots of each TaskManager; default: the config's" },
      rollbackOnFailure,
      allowStateLoss,
      lockWait,
      healthTimeout,
      noHooks,
    ],
    examples: ['fctl session start', 'fctl session start demo --taskmanagers 2 --slots 4'],
    load: () => import('./verbs/session-start.ts'),
  },
  {
    name: 'session submit',
    summary: 'Run an application on a session and follow it to its end',
    description:
      'Bundles the application, uploads it unless the session has it, and runs main() here; its jobs run on the session. Ctrl-C ends main(); jobs go on.',
    arguments: [{ usage: '[app]', description: "entry file; default: the config's application" }],
    options: [
      { flags: '--cluster <id>', description: "the session; default: the config's cluster" },
      { flags: '--job <name>', description: 'run only this job, and not main()' },
      { flags: '--args <json>', description: "arguments; default: the config's" },
      { flags: '--parallelism <n>', description: "default parallelism; default: the config's" },
      {
        flags: '--detach',
        description: 'end with main(), and do not wait for jobs that it does not wait for',
      },
    ],
    examples: [
      'fctl session submit',
      'fctl session submit ./src/app.ts --cluster demo --args \'{"input":"a.csv"}\'',
      'fctl session submit --job delays --detach --json',
    ],
    load: () => import('./verbs/session-submit.ts'),
  },
  {
    name: 'session list',
    summary: 'List all sessions',
    readsOnly: true,
    examples: ['fctl session list', 'fctl session list --json'],
    load: () => import('./verbs/session-list.ts'),
  },
  {
    name: 'session status',
    summary: 'Show what is true about a session: processes and jobs',
    readsOnly: true,
    arguments: [cluster],
    options: [
      {
        flags: '--watch',
        description: 'show it again whenever it changes, until the session has ended',
      },
    ],
    examples: ['fctl session status', 'fctl session status demo --watch'],
    load: () => import('./verbs/status.ts'),
  },
  {
    name: 'session scale',
    summary: 'Change the number of TaskManagers of a session that runs: the same as scale',
    arguments: [cluster],
    options: [taskManagers, allowStateLoss, lockWait, healthTimeout, noHooks],
    examples: ['fctl session scale demo --taskmanagers 3'],
    load: () => import('./verbs/session-scale.ts'),
  },
  {
    name: 'session stop',
    summary: 'End a session',
    arguments: [cluster],
    options: [{ flags: '--cancel', description: 'cancel the jobs that run' }],
    examples: ['fctl session stop', 'fctl session stop demo --cancel'],
    load: () => import('./verbs/session-stop.ts'),
  },
  {
    name: 'list',
    summary: 'List all clusters',
    description:
      'Of hosts that do not answer a warning tells: what they have is not listed, and the exit code is 4.',
    readsOnly: true,
    examples: ['fctl list', 'fctl list --json'],
    load: () => import('./verbs/list.ts'),
  },
  {
    name: 'status',
    summary: 'Show what is true about a cluster: processes, jobs, outcome',
    readsOnly: true,
    arguments: [cluster],
    options: [
      {
        flags: '--watch',
        description: 'show it again whenever it changes, until the cluster has ended',
      },
    ],
    examples: ['fctl status flights', 'fctl status --watch', 'fctl status flights --json'],
    load: () => import('./verbs/status.ts'),
  },
  {
    name: 'logs',
    summary: 'Print the logs of a cluster',
    readsOnly: true,
    arguments: [
      cluster,
      { usage: '[process]', description: 'only this process, such as taskmanager-0' },
    ],
    options: [
      {
        flags: '-f, --follow',
        description: 'go on printing what is added, until the cluster has ended',
      },
      { flags: '-n, --tail <lines>', description: 'only the last lines of each process' },
      {
        flags: '--out',
        description: 'what the processes and user code printed, instead of their logs',
      },
      {
        flags: '--role <role>',
        description: 'only processes of a role: jobmanager or taskmanager',
      },
      { flags: '--host <host>', description: 'only processes on a host, as the config names it' },
      {
        flags: '--level <level>',
        description: 'only lines of this level and above (debug, info, warn, error)',
      },
    ],
    examples: [
      'fctl logs flights',
      'fctl logs flights taskmanager-0 -f',
      'fctl logs flights --out -n 20',
    ],
    load: () => import('./verbs/logs.ts'),
  },
  {
    name: 'cancel',
    summary: 'Cancel an application, or one of its jobs',
    arguments: [cluster],
    options: [{ flags: '--job <id>', description: 'only this job' }],
    examples: ['fctl cancel flights', 'fctl cancel flights --job 5f0c…'],
    load: () => import('./verbs/cancel.ts'),
  },
  {
    name: 'proxy',
    summary:
      "Serve a cluster's REST API on loopback, with the token added: whoever uses this machine meanwhile may do what the token allows",
    arguments: [cluster],
    options: [
      { flags: '--port <port>', description: 'port to listen on (default: a free one)' },
      { flags: '--ui <dir>', description: "serve a Web UI's files from this folder, too" },
    ],
    examples: ['fctl proxy flights', 'fctl proxy flights --port 8081 --ui ./flink-web'],
    load: () => import('./verbs/proxy.ts'),
  },
  {
    name: 'doctor',
    summary: 'Check this machine and find leftovers',
    options: [{ flags: '--fix', description: 'remove the leftovers' }],
    examples: ['fctl doctor', 'fctl doctor --fix --yes'],
    load: () => import('./verbs/doctor.ts'),
  },
  {
    name: 'completion',
    summary: 'Print a completion script for your shell',
    arguments: [{ usage: '<shell>', description: 'bash, zsh or fish' }],
    examples: [
      'source <(fctl completion bash)',
      'fctl completion fish > ~/.config/fish/completions/fctl.fish',
    ],
    load: () => import('./verbs/completion.ts'),
  },
];

/** Options that every verb understands. */
export const commonOptions: readonly VerbOption[] = [
  {
    flags: '-c, --config <file>',
    description: 'config file; default: looked for in this folder and above',
  },
  {
    flags: '-e, --env <name>',
    description: "environment: an overlay of the config's `environments`",
  },
  {
    flags: '--provider <name>',
    description: "where clusters are: local, standalone or docker; default: the config's",
  },
  { flags: '-D, --set <key=value>', description: 'set one config value; may be repeated' },
  { flags: '--json', description: 'one JSON document on stdout' },
  { flags: '-q, --quiet', description: 'no progress and messages' },
  { flags: '-v, --verbose', description: 'more messages; stack traces' },
  { flags: '-y, --yes', description: 'do not ask' },
  { flags: '--timeout <duration>', description: 'give up after this long (exit 124)' },
];
