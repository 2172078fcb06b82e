/** Building blocks of the schema. */
import { z } from 'zod';
import { formatBytes, parseDurationMs, parseSizeBytes } from '../contract/units.ts';

/** Timers of JavaScript hold 31 bits of milliseconds; a longer one fires at once. */
const longestTimerMs = 24 * 86_400_000;

/** Units as in contract/units.ts; a reference stands for what it becomes. For editors: the check is ours. */
const pattern = (units: string) => `^\\s*\\d+(\\.\\d+)?\\s*(${units})\\s*$|\\$\\{`;
const durationPattern = pattern('ms|s|m|min|h|d');
const sizePattern = pattern('B|KB|MB|GB|KiB|MiB|GiB');

/** A duration of any length, zero too. */
export const duration = (description: string) =>
  z
    .string()
    .refine(
      (text) => parseDurationMs(text) !== null,
      "must be a duration, for example '10s' or '5m'",
    )
    .meta({ description, pattern: durationPattern, examples: ['10s', '500ms', '5m'] });

/** A duration that becomes a timer. @param leastMs 1, or 0 where "at once" makes sense. */
export const timeout = (description: string, leastMs: 0 | 1 = 1) =>
  duration(description).refine(
    (text) => {
      const ms = parseDurationMs(text);
      return ms === null || (ms >= leastMs && ms <= longestTimerMs);
    },
    `must be ${leastMs === 0 ? '' : 'above 0 and '}at most 24d`,
  );

export const size = (description: string, leastBytes: number) =>
  z
    .string()
    .refine((text) => parseSizeBytes(text) !== null, "must be a size, for example '512MiB'")
    .refine(
      (text) => (parseSizeBytes(text) ?? leastBytes) >= leastBytes,
      `must be at least ${formatBytes(leastBytes)}`,
    )
    .meta({ description, pattern: sizePattern, examples: ['512MiB', '64KiB', '1GiB'] });

/** A whole number from 1. */
export const count = (description: string) => z.int().min(1).max(32_768).meta({ description });

export const choice = <const Values extends readonly [string, ...string[]]>(
  values: Values,
  description: string,
) => z.enum(values).meta({ description });

export const text = (description: string) => z.string().min(1).meta({ description });

/** A section all of whose keys have defaults or may be absent. */
export const section = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape).prefault({} as never);

/** Variables of processes; what must not be in it is found by check.ts. */
export const environment = (whose: string) =>
  z
    .record(z.string(), z.string())
    .default({})
    .meta({
      description: `Environment variables of ${whose}, by name. They are in the cluster's record and in plans as they are: references and secrets are refused, which belong into \`application.args\`. Beside them processes have \`PATH\`, \`HOME\`, \`USER\`, \`LOGNAME\` and \`TMPDIR\` of their machine, \`TZ=UTC\` and \`LANG=C.UTF-8\`; nothing of the shell that deploys.`,
    });

/** @param memory the default. */
export const resources = (memory: string) =>
  section({
    cpu: z.number().positive().default(1).meta({ description: 'Processor cores of one process.' }),
    memory: size('Memory of one process.', 64 * 1024 * 1024).default(memory),
  });
