/** `metrics.reporters`: to whom the processes of a cluster report their metrics. */
import { z } from 'zod';
import type { PrometheusReporterConfig } from '../contract/runtime-config.ts';
import { describeKey as about } from './not-yet.ts';

/** Of which every process takes the first that is free. */
const defaultRange = '9249-9348';
const rangePattern = /^(\d{1,5})-(\d{1,5})$/;

const portsOf = (range: string): readonly [number, number] => {
  const [, from, to] = rangePattern.exec(range) ?? [];
  return [Number(from), Number(to)];
};

const isRange = (range: string): boolean => {
  const [from, to] = portsOf(range);
  return from >= 1 && from <= to && to <= 65_535;
};

// Options of reporters that are to come are checked once they are here.
const reporter = z.looseObject({
  type: z.enum(['prometheus', 'pushgateway', 'statsd', 'otlp', 'influxdb']).meta({
    description: about('metrics.reporters.type', 'What is reported to.'),
  }),
  port: z.int().min(1).max(65_535).optional().meta({
    description: 'Port that each process answers Prometheus on. For one process a machine.',
  }),
  range: z
    .string()
    .refine(isRange, "must be two ports, for example '9249-9348'")
    .optional()
    .meta({
      description: `Ports of which each process takes the first that is free. Default: \`${defaultRange}\`.`,
      examples: [defaultRange],
    }),
});

export const reportersSchema = z
  .array(reporter)
  .default([])
  .meta({
    description:
      'To whom the metrics of each process are reported, for example `[{ type: prometheus }]`: ' +
      `Prometheus reads them at \`/metrics\`, on the \`port\` or the first free one of the \`range\` (default: \`${defaultRange}\`). In this version only \`prometheus\`.`,
  });

export const resolveReporters = (
  reporters: z.output<typeof reportersSchema>,
): readonly PrometheusReporterConfig[] =>
  reporters.map(({ port, range = defaultRange }) => {
    const [from, to] = port === undefined ? portsOf(range) : [port, port];
    return { type: 'prometheus', from, to };
  });

export const reporterKeys: readonly string[] = Object.keys(reporter.shape);
