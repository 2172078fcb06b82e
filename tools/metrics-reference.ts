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
  return (
    [introduction, ofTheApplication, prometheus, ...sections.map(describe)].join('\n\n') + '\n'
  );
}

const introduction = `# Metrics

Generated from the table of metrics (\`src/contract/metrics/\`) by \`npm run docs\`.

Metrics have Flink's names and are told by the same endpoints of the [REST API](rest.md): a list of names, or with \`?get=NAME,NAME\` their values. Rates (\`…PerSecond\`) are of the last ten seconds. Counters begin at 0 again with each attempt of a job. Of several subtasks or processes a metric is their sum, the smallest or the largest value, as told below; a gauge that one of them does not know yet is not known.`;

const ofTheApplication = `## Metrics of the application

Functions make metrics of their own as in Flink, through the runtime context: \`context.getMetricGroup()\` has \`counter(name)\`, \`gauge(name, () => value)\`, \`meter(name)\`, \`histogram(name)\` and \`addGroup(name)\`. In REST they are \`SUBTASK.OPERATOR.GROUP.NAME\` of their vertex, a histogram as \`NAME_count\`, \`NAME_mean\`, \`NAME_p99\` and so on; a meter is a rate of about the last ten seconds, a histogram is of the last 1024 values. They are the subtask's: nothing sums them up, and they are not in the outcome of a job, where accumulators (\`context.counter(name)\`) are. With \`addGroup(name, value)\` the name is a label in Prometheus. A task tells at most 500; further ones count for themselves, and \`numMetricsUntold\` says how many there are.

\`\`\`ts
stream.map((order, context) => {
  context.getMetricGroup().addGroup('shop', order.shop).counter('orders').inc();
  return order;
});
\`\`\``;

const prometheus = `## Prometheus

With \`metrics.reporters: [{ type: prometheus }]\` each process answers Prometheus at \`/metrics\`, on the first free port of 9249 to 9348; \`port\` or \`range\` names others (see [configuration.md](configuration.md)). It listens on the address of the process's other servers, needs no token, and tells no arguments and no secrets. Both text formats are known, that of Prometheus and OpenMetrics.

Names and labels are those of Flink's reporter: \`flink_\`, the scope, the name, with \`_\` for every other character. A task's \`numRecordsIn\` is \`flink_taskmanager_job_task_numRecordsIn{host, tm_id, job_id, job_name, task_id, task_name, task_attempt_id, task_attempt_num, subtask_index}\`, a source's \`numRecordsInErrors\` is \`flink_taskmanager_job_task_operator_numRecordsInErrors\` with \`operator_id\` and \`operator_name\` besides, a job's \`uptime\` is \`flink_jobmanager_job_uptime{host, job_id, job_name}\`. As there, all are gauges; Prometheus computes rates of them as of counters. Tasks and jobs that have ended are told no more. Labels are as they are, where Flink replaces characters.

A reporter disturbs no job: it works in the main thread of a process, where no tasks run, with at most 16 connections. A process that finds no free port runs on, says so in its log, and looks again every 30 s.`;

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
