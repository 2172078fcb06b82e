/** `fctl metrics list`: every metric, from the table. */
import { metricRows, shownName } from '../../contract/metrics/table.ts';
import type { Context } from '../context.ts';
import { table } from '../output/table.ts';

export async function run(context: Context): Promise<void> {
  const metrics = metricRows.flatMap(({ flink, help, kind, name, over, scope, unit }) =>
    flink.map((metric) => ({
      name: shownName(metric),
      scope,
      kind: metric.of === 'second' ? 'meter' : metric.of === 'growth' ? 'gauge' : kind,
      unit,
      over,
      key: name,
      isOfFlink: metric.isOwn !== true,
      help,
    })),
  );
  context.report.listing(
    { metrics },
    {
      names: () => metrics.map(({ name }) => name),
      table: (isWide) =>
        table(
          [
            'NAME',
            'OF',
            'KIND',
            ...(isWide ? ['UNIT', 'SEVERAL', 'IN OUTCOMES'] : []),
            'WHAT IT IS',
          ],
          metrics.map((metric) => [
            metric.name,
            metric.scope,
            metric.kind,
            ...(isWide
              ? [metric.unit, metric.over, metric.scope === 'task' ? metric.key : '']
              : []),
            metric.help,
          ]),
        ),
    },
  );
}
