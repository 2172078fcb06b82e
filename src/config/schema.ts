/**
 * The one schema of the configuration: source of checks, types, defaults, JSON Schema and reference.
 * What of it this version cannot honour is in not-yet.ts.
 */
import { z } from 'zod';
import { clusterIdPattern, clusterIdRule } from '../contract/cluster-id.ts';
import { describeKey as about } from './not-yet.ts';
import { providerNames, providerSections } from './providers/sections.ts';
import { reportersSchema } from './reporters.ts';
import {
  choice,
  count,
  duration,
  environment,
  resources,
  section,
  size,
  text,
  timeout,
} from './schema-parts.ts';

const application = z.strictObject({
  entry: text('Entry file of the application, relative to the config file.'),
  args: z.record(z.string(), z.json()).default({}).meta({
    description: "Arguments: of the only job, or `ctx.args` of the application's `main()`.",
  }),
  parallelism: count('Parallelism of the jobs, where they do not set it. As in Flink, 1.').default(
    1,
  ),
  savepoint: text(
    about('application.savepoint', 'Where to start from: `latest`, `none` or a path.'),
  ).default('none'),
  allowNonRestoredState: z
    .boolean()
    .default(false)
    .meta({
      description: about(
        'application.allowNonRestoredState',
        'Whether state of the savepoint that no operator takes may be dropped.',
      ),
    }),
});

const jobmanager = section({
  replicas: count(about('jobmanager.replicas', 'How many JobManagers.')).default(1),
  resources: resources('512MiB'),
  environment: environment('JobManagers, and of `main()` on them'),
  maxConcurrentRestarts: count(
    'How many jobs are deployed again at the same time, after failures or after a restart of the JobManager. The others wait in order.',
  ).default(10),
  submissionTimeout: timeout(
    'Per-job mode: a JobManager that gets no job for this long ends, for its client may have died. Uploads of cached files count as a sign of life.',
  ).default('2m'),
  rest: section({
    port: z.int().min(0).max(65_535).default(0).meta({
      description:
        'Port of the REST API. 0: one that is free is chosen, so that clusters on one machine never clash.',
    }),
    bind: text(
      'Address that the REST API listens on. Default: what its provider needs, so that TaskManagers reach it and as few others as possible: loopback, the address of its host, or all of its container.',
    ).optional(),
    hosts: z
      .array(z.string().regex(/^[\w.-]+$/, 'must be a host name, without a port'))
      .default([])
      .meta({
        description:
          "Names by which the REST API is reached, beside IP addresses, `localhost` and the machine's own name. Requests for other names are refused.",
      }),
    allowedOrigins: z
      .array(
        z
          .string()
          .regex(/^https?:\/\/[^/*\s]+$/, "must be an origin, for example 'https://ui.example'"),
      )
      .default([])
      .meta({
        description:
          'Origins of other web pages that may use the REST API with the token (CORS), for example `[https://ui.example]`.',
      }),
  }),
});

const taskmanager = section({
  replicas: count('How many TaskManagers.').default(1),
  slots: count('Slots of one TaskManager: how many subtasks of an operator it runs.').default(1),
  resources: resources('1GiB'),
  environment: environment('TaskManagers, and so of operators'),
  registrationTimeout: timeout(
    'A TaskManager that finds no JobManager for this long ends itself.',
  ).default('5m'),
  slotRequestTimeout: timeout('A job that does not get its slots for this long fails.').default(
    '5m',
  ),
  loadBalance: section({
    mode: choice(
      ['none', 'slots'],
      'Which slots a job gets. `none`: TaskManagers are filled one after the other; `slots`: slots in use are spread evenly over them.',
    ).default('none'),
  }),
});

const restart = section({
  strategy: choice(
    ['none', 'fixed-delay', 'exponential-delay', 'failure-rate'],
    'What happens to a job that failed while it ran. `none`: it has failed; otherwise it starts again from its beginning.',
  ).default('none'),
  fixedDelay: section({
    attempts: count('How often the job starts again.').default(1),
    delay: timeout('From a failure to the next start.', 0).default('1s'),
  }),
  exponentialDelay: section({
    initialBackoff: timeout('From the first failure to the next start.').default('1s'),
    maxBackoff: timeout('The longest backoff. At least `initialBackoff`.').default('1m'),
    backoffMultiplier: z.number().gt(1).max(1000).default(1.5).meta({
      description: 'By how much the backoff grows with every failure.',
    }),
    resetBackoffThreshold: duration(
      'A job that ran for this long without a failure begins with `initialBackoff` again.',
    ).default('1h'),
    jitterFactor: z.number().min(0).max(1).default(0.1).meta({
      description:
        'The part of the backoff that is added or taken away by chance, so that jobs do not start all at once.',
    }),
    attemptsBeforeResetBackoff: count(
      'How often the job starts again before the backoff was reset. By default without end.',
    ).optional(),
  }),
  failureRate: section({
    maxFailuresPerInterval: count(
      'How many failures there may be within `failureRateInterval`.',
    ).default(1),
    failureRateInterval: duration('Within which failures are counted.').default('1m'),
    delay: timeout('From a failure to the next start.', 0).default('1s'),
  }),
});

/** What later versions keep safe, and how they recover. */
const recovery = {
  checkpointing: section({
    interval: timeout(about('checkpointing', 'How often a checkpoint is taken.')).optional(),
    mode: choice(
      ['exactly-once', 'at-least-once'],
      about('checkpointing', 'Guarantee of checkpoints.'),
    ).default('exactly-once'),
    dir: text(about('checkpointing', 'Folder of checkpoints.')).optional(),
  }),
  savepoints: section({ dir: text(about('savepoints', 'Folder of savepoints.')).optional() }),
  state: section({
    backend: choice(
      ['heap', 'lmdb'],
      about('state.backend', 'Where operators keep their state while they run.'),
    ).default('heap'),
  }),
  restart,
  ha: section({
    type: choice(
      ['none', 'filesystem', 'zookeeper', 'kubernetes', 'etcd'],
      about('ha.type', 'Where JobManagers elect their leader.'),
    ).default('none'),
  }),
};

const operations = {
  heartbeat: section({
    interval: timeout('How often JobManager and TaskManagers greet each other.').default('1s'),
    timeout: timeout(
      'One that was silent for this long is lost. Longer than `heartbeat.interval`.',
    ).default('10s'),
  }),
  network: section({
    bufferTimeout: timeout(
      'A buffer that is not full is sent after this long. `0ms`: after every record.',
      0,
    ).default('100ms'),
  }),
  logging: section({
    level: choice(
      ['debug', 'info', 'warn', 'error'],
      'The least important messages that are logged.',
    ).default('info'),
    maxSize: size('A log file is rotated at this size.', 1024).default('10MiB'),
    maxFiles: count('How many rotated files are kept of each log.').default(3),
  }),
  metrics: section({ reporters: reportersSchema }),
  security: section({
    auth: choice(
      ['token', 'none'],
      'Whether REST, RPC and data plane need the token of the cluster.',
    ).default('token'),
    allowOpenAccess: z.boolean().default(false).meta({
      description:
        'Whether `auth: none` is allowed where `jobmanager.rest.bind` is not on loopback: whoever reaches it can run code in the cluster.',
    }),
    tls: choice(['off', 'on'], about('security.tls', 'Whether connections are encrypted.')).default(
      'off',
    ),
  }),
  storage: section({
    shared: z.array(z.string().min(1)).default([]).meta({
      description:
        'Paths and schemes that every process of the cluster sees, for example `[hdfs, /mnt/data]`.',
    }),
  }),
  runtime: section({
    node: text(
      'Node.js executable that processes of clusters run with, relative to the config file. Default: where fctl runs, its own; elsewhere a pinned one, fetched once with npm. For machines without a registry, with musl or with an old glibc; processes that run already keep theirs.',
    ).optional(),
  }),
  retention: duration('How long outcome and logs of an ended cluster are kept.').default('24h'),
};

/** Sections of providers that are to come: their options are checked once they are here. */
const laterProvider = (name: string) =>
  z
    .record(z.string(), z.json())
    .optional()
    .meta({ description: `Options of the ${name} provider. They count only where it is chosen.` });

/** The whole configuration, once its layers are merged. */
export const configSchema = z.strictObject({
  cluster: z
    .string()
    .regex(clusterIdPattern, clusterIdRule)
    .meta({ description: 'Id of the cluster: its name for its whole life.' }),
  mode: choice(['application', 'per-job', 'session'], about('mode', 'Deployment mode.')).default(
    'application',
  ),
  provider: choice(
    [...providerNames, 'kubernetes', 'yarn'],
    about('provider', 'Where the cluster runs.'),
  ).default('local'),
  engine: choice(['bundled', 'flink'], about('engine', 'What runs.')).default('bundled'),
  application: application.optional(),
  jobmanager,
  taskmanager,
  ...recovery,
  ...operations,
  providers: section({
    local: providerSections.local.schema,
    standalone: providerSections.standalone.schema.optional(),
    docker: providerSections.docker.schema,
    kubernetes: laterProvider('kubernetes'),
    yarn: laterProvider('yarn'),
  }),
});

/** What of it says where clusters are, and how they are reached. */
export const providerChoiceSchema = configSchema
  .pick({ cluster: true, provider: true, providers: true, runtime: true, logging: true })
  .partial({ cluster: true });

/** An overlay holds any part of a configuration. */
export const overlaySchema = configSchema
  .extend({ application: application.partial().optional() })
  .partial();

/** What a config file may hold. */
export const configFileSchema = configSchema
  .extend({
    environments: z.record(z.string(), overlaySchema).optional().meta({
      description: 'Overlays by name: `--env production` lays one over the rest of the file.',
    }),
    $schema: z.string().optional().meta({ description: 'For editors; it has no other meaning.' }),
  })
  .meta({ title: 'Configuration of fctl' });

/** As written by users. */
export type UserConfig = z.input<typeof configFileSchema>;
/** With defaults, in the user's units. */
export type ParsedConfig = z.output<typeof configSchema>;
