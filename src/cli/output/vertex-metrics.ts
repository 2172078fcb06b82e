/** The metrics of vertices in tables for people, as the table of metrics says. */
import {
  type TaskMetricName,
  type TaskMetricRow,
  type TaskMetrics,
  taskMetricRows,
} from '../../contract/metrics/task-metrics.ts';
import type { VertexSummary } from '../../contract/rest.ts';
import { formatDuration } from '../../contract/units.ts';
import { count, out } from './style.ts';

type Values = Partial<TaskMetrics>;

export interface Column {
  readonly title: string;
  readonly isRecords: boolean;
  readonly cell: (values: Values) => string;
}

/** Those of a table of jobs that run, or that have ended. */
export const columnsOf = (table: 'running' | 'ended'): readonly Column[] =>
  taskMetricRows.flatMap((row) => {
    const title = row.columns?.[table];
    if (title === undefined) return [];
    const cell = (values: Values) => textOf(row, values[row.name] ?? null);
    return [{ title, isRecords: row.unit === 'records', cell }];
  });

function textOf({ unit }: TaskMetricRow, value: number | null): string {
  if (unit === 'time') return time(value);
  return unit === 'ms' ? formatDuration(value ?? 0) : count(value ?? 0);
}

/** `2008-01-31 23:59`, or nothing before the first watermark. */
function time(watermark: number | null): string {
  if (watermark === null || !Number.isFinite(watermark)) return '';
  if (watermark >= Number.MAX_SAFE_INTEGER) return 'end';
  return new Date(watermark).toISOString().slice(0, 16).replace('T', ' ');
}

/** What job details say of a vertex; a real Flink lacks some of it. */
export function metricsOfSummary(vertex: VertexSummary): Values {
  const fields: Readonly<Record<string, unknown>> = { ...vertex, ...vertex.metrics };
  const known = taskMetricRows.flatMap(({ ioField, name, vertexField }) => {
    const value = fields[ioField ?? vertexField ?? ''];
    return typeof value === 'number' ? [[name, value] as const] : [];
  });
  return Object.fromEntries(known);
}

/** What of the input is in no result: a line each; none when nothing was lost. */
export function describeLosses(vertices: readonly Values[]): string[] {
  const sum = (name: TaskMetricName) => vertices.reduce((all, one) => all + (one[name] ?? 0), 0);
  return taskMetricRows.flatMap(({ loss, name }) => {
    const lost = loss === undefined ? 0 : sum(name);
    return lost > 0 ? [`  ${out.yellow(loss!.replace('#', count(lost)))}`] : [];
  });
}
