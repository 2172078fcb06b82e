/** docs/metrics.md, made from the table of metrics. */
import { fixedJobMetrics, jobMetricRows } from '../src/contract/metrics/job-metrics.ts';
import type { FixedMetric, FlinkMetric, MetricRow } from '../src/contract/metrics/metric.ts';
import {
  fixedProcessMetrics,
  fixedTaskManagerMetrics,
  jobManagerMetricRows,
  processMetricRows,
} from '../src/contract/metrics/process-metrics.ts';
import { shownName } from '../src/contract/metrics/table.ts';
import { taskMetricRows } from '../src/contract/metrics/task-metrics.ts';

const code = (text: string) => `\`${text}\``;

const sections: readonly {
  readonly title: string;
  readonly about: string;
  readonly rows: readonly MetricRow[];
  readonly fixed: readonly FixedMetric[];
}[] = [
  {
    title: 'Tasks',
    about:
      'Of each subtask of a vertex: `/jobs/:jobid/vertices/:vertexid/metrics` (`SUBTASK.NAME`), `…/subtasks/metrics` (over subtasks), `…/subtasks/:subtaskindex/metrics`. The sums over subtasks are in the outcome of a job, under the names in the first column, and remain when it has ended.',
    rows: taskMetricRows,
    fixed: [],
  },
  {
    title: 'Jobs',
    about: 'Of each job: `/jobs/:jobid/metrics`, `/jobs/metrics`.',
    rows: jobMetricRows,
    fixed: fixedJobMetrics,
  },
  {
    title: 'Processes',
    about:
      "Of each JobManager and TaskManager: `/jobmanager/metrics`, `/taskmanagers/:taskmanagerid/metrics`, `/taskmanagers/metrics`. Flink's names are those for a JVM: `Heap` is the heap of the main thread, `Direct` the buffers outside of it, `NonHeap` what else the process occupies.",
    rows: processMetricRows,
    fixed: [...fixedProcessMetrics, ...fixedTaskManagerMetrics],
  },
  {
    title: 'JobManagers',
    about: 'Of a JobManager besides: `/jobmanager/metrics`.',
    rows: jobManagerMetricRows,
    fixed: [],
  },
];

/** The page as Markdown. */
export function metricsReference(): string {
  return [introduction, ...sections.map(describe)].join('\n\n') + '\n';
}

const introduction = `# Metrics

Generated from the table of metrics (\`src/contract/metrics/\`) by \`npm run docs\`.

Metrics have Flink's names and are told by the same endpoints of the [REST API](rest.md): a list of names, or with \`?get=NAME,NAME\` their values. Rates (\`…PerSecond\`) are of the last ten seconds. Counters begin at 0 again with each attempt of a job. Of several subtasks or processes a metric is their sum, the smallest or the largest value, as told below; a gauge that one of them does not know yet is not known.`;

function describe({ about, fixed, rows, title }: (typeof sections)[number]): string {
  const lines = rows.map((row) =>
    [
      code(row.name),
      row.flink.map((metric) => nameOf(metric, row)).join('<br>'),
      row.kind,
      row.unit === 'number' ? '' : row.unit,
      row.over,
      row.help,
    ].join(' | '),
  );
  const table = [
    "| name | Flink's names | kind | unit | several | what it is |",
    '|---|---|---|---|---|---|',
    ...lines.map((line) => `| ${line} |`),
  ].join('\n');
  const none = fixed.map(({ name, value }) => `${code(name)} (${value})`).join(', ');
  const absent = fixed.length === 0 ? [] : [`Of what there is nothing here, always: ${none}.`];
  return [`## ${title}`, about, table, ...absent].join('\n\n');
}

/** As it is in REST; with what it tells where that is not the value itself. */
function nameOf(metric: FlinkMetric, { unit }: MetricRow): string {
  const { isOwn, of } = metric;
  const full = code(shownName(metric));
  if (of === 'second') return `${full} (meter, ${unit} a second)`;
  if (isOwn) return `${full} (not of Flink)`;
  return of === 'growth' ? `${full} (gauge, whether it grew lately)` : full;
}
