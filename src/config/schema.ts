/** The one schema of the configuration: source of types, defaults, JSON Schema and reference. */
import { z } from 'zod';
import { parseDurationMs, parseSizeBytes } from '../contract/units.ts';

const duration = (description: string) =>
  z
    .string()
    .refine(
      (text) => parseDurationMs(text) !== null,
      "must be a duration, for example '10s' or '5m'",
    )
    .meta({
      description: `${description} A duration: \`500ms\`, \`10s\`, \`5m\`, \`1h\`, \`1d\`.`,
    });

const size = (description: string) =>
  z
    .string()
    .refine((text) => parseSizeBytes(text) !== null, "must be a size, for example '512MiB'")
    .meta({ description: `${description} A size: \`64KiB\`, \`512MiB\`, \`1GiB\`.` });

const count = (description: string, least = 1) =>
  z.int().min(least).max(32_768).meta({ description });

const resources = (memory: string) =>
  z
    .strictObject({
      cpu: z
        .number()
        .positive()
        .default(1)
        .meta({ description: 'Processor cores of one process.' }),
      memory: size('Memory of one process.').default(memory),
    })
    .prefault({});

const application = z.strictObject({
  entry: z
    .string()
    .min(1)
    .meta({ description: 'Entry file of the application, relative to this file.' }),
  args: z.record(z.string(), z.json()).default({}).meta({
    description: "Arguments: of the only job, or `ctx.args` of the application's `main()`.",
  }),
  parallelism: count('Default parallelism of the jobs.').default(1),
});

const jobmanager = z
  .strictObject({
    replicas: z
      .literal(1)
      .default(1)
      .meta({ description: 'How many JobManagers. More than one needs high availability.' }),
    resources: resources('512MiB'),
    rest: z
      .strictObject({
        port: z.int().min(0).max(65_535).default(0).meta({
          description:
            'Port of the REST API. 0: one that is free is chosen, so that clusters never clash.',
        }),
        bind: z
          .string()
          .min(1)
          .default('127.0.0.1')
          .meta({ description: 'Address that the REST API listens on.' }),
      })
      .prefault({}),
  })
  .prefault({});

const taskmanager = z
  .strictObject({
    replicas: count('How many TaskManagers.').default(1),
    slots: count('Slots of one TaskManager: how many subtasks of an operator it runs.').default(1),
    resources: resources('1GiB'),
    registrationTimeout: duration(
      'A TaskManager that finds no JobManager for this long ends itself.',
    ).default('5m'),
    slotRequestTimeout: duration('A job that does not get its slots for this long fails.').default(
      '5m',
    ),
  })
  .prefault({});

/** Everything but `environments`, which holds parts of it. */
const base = z.strictObject({
  cluster: z
    .string()
    .regex(
      /^[a-z][a-z0-9-]{0,38}[a-z0-9]$/,
      'must be 2 to 40 of a-z, 0-9 and -, begin with a letter and not end with -',
    )
    .meta({ description: 'Names the cluster for its whole life.' }),
  mode: z
    .enum(['application', 'per-job', 'session'])
    .default('application')
    .meta({ description: 'Deployment mode. This version has application mode.' }),
  provider: z
    .enum(['local', 'standalone', 'docker', 'kubernetes', 'yarn'])
    .default('local')
    .meta({ description: 'Where the cluster runs. This version has the local provider.' }),
  engine: z
    .enum(['bundled', 'flink'])
    .default('bundled')
    .meta({ description: 'What runs. This version has the bundled engine.' }),
  application: application.optional(),
  jobmanager,
  taskmanager,
  heartbeat: z
    .strictObject({
      interval: duration('How often JobManager and TaskManagers greet each other.').default('1s'),
      timeout: duration('One that was silent for this long is lost.').default('10s'),
    })
    .prefault({}),
  network: z
    .strictObject({
      bufferTimeout: duration('A buffer that is not full is sent after this long.').default(
        '100ms',
      ),
    })
    .prefault({}),
  logging: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error'])
        .default('info')
        .meta({ description: 'The least important messages that are logged.' }),
      maxSize: size('A log file is rotated at this size.').default('10MiB'),
      maxFiles: count('How many rotated files are kept of each log.').default(3),
    })
    .prefault({}),
  security: z
    .strictObject({
      auth: z
        .enum(['token', 'none'])
        .default('token')
        .meta({ description: 'Whether REST, RPC and data plane need the token of the cluster.' }),
    })
    .prefault({}),
  retention: duration('How long outcome and logs of an ended cluster are kept.').default('24h'),
  providers: z
    .strictObject({
      local: z
        .strictObject({
          dir: z.string().min(1).optional().meta({
            description:
              'Folder of all local clusters. Default: `FCTL_HOME`, else `$XDG_STATE_HOME/fctl`, else `~/.local/state/fctl`.',
          }),
        })
        .prefault({}),
    })
    .prefault({}),
});

export const configSchema = base.extend({
  environments: z
    .record(z.string(), z.record(z.string(), z.json()))
    .optional()
    .meta({ description: 'Overlays by name: `--env production` merges one over the file.' }),
});

/** With defaults. */
export type ParsedConfig = z.output<typeof configSchema>;

export const jsonSchema = () => z.toJSONSchema(configSchema, { io: 'input' });
