/** `fctl jobs metrics`: how much each vertex of a job has done, and how busy it is. */
import { formatBytes } from '../../contract/units.ts';
import { type Job, chooseJob, readJobs } from '../../deployment/jobs.ts';
import type { jobsMetrics as declaration } from '../commands/jobs-metrics.ts';
import type { Context } from '../context.ts';
import { count } from '../output/style.ts';
import { table } from '../output/table.ts';
import type { Given } from '../verb.ts';

/** Sums over subtasks. `null`: nobody knows. */
interface VertexMetrics {
  readonly name: string;
  readonly parallelism: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly skippedRecords: number | null;
  readonly lateRecords: number | null;
  /** Shares of the time since it started, 0 to 1. */
  readonly busy: number | null;
  readonly idle: number | null;
  readonly backpressured: number | null;
}

export async function run(
  context: Context,
  { cluster, job: wanted }: Given<typeof declaration>,
): Promise<void> {
  const clusterId = await context.clusterId(cluster);
  const job = chooseJob(await readJobs(await context.site(), clusterId), clusterId, wanted);
  const vertices = metricsOf(job);
  const { id, name, state } = job;
  context.report.result({ clusterId, job: { id, name, state }, vertices }, () =>
    table(
      [
        'VERTEX',
        'PARALLELISM',
        'IN',
        'OUT',
        'BYTES IN',
        'BYTES OUT',
        'SKIPPED',
        'LATE',
        'BUSY',
        'IDLE',
        'HELD UP',
      ],
      vertices.map((v) => [
        v.name,
        String(v.parallelism),
        count(v.recordsIn),
        count(v.recordsOut),
        formatBytes(v.bytesIn),
        formatBytes(v.bytesOut),
        v.skippedRecords === null ? '' : count(v.skippedRecords),
        v.lateRecords === null ? '' : count(v.lateRecords),
        ...[v.busy, v.idle, v.backpressured].map(percent),
      ]),
    ),
  );
}

const percent = (share: number | null) => (share === null ? '' : `${Math.round(100 * share)}%`);

function metricsOf({ live, recorded }: Job): readonly VertexMetrics[] {
  if (live === null) {
    return (recorded?.outcome?.vertices ?? []).map((v) => ({
      name: v.name,
      parallelism: v.parallelism,
      recordsIn: v.recordsIn ?? 0,
      recordsOut: v.recordsOut ?? 0,
      bytesIn: v.bytesIn ?? 0,
      bytesOut: v.bytesOut ?? 0,
      skippedRecords: v.skippedRecords ?? null,
      lateRecords: v.lateRecords ?? null,
      busy: null,
      idle: null,
      backpressured: null,
    }));
  }
  return live.vertices.map((v) => {
    const { metrics } = v;
    const ms = v.duration * v.parallelism;
    const share = (spent: number) => (ms > 0 ? Math.min(1, spent / ms) : null);
    return {
      name: v.name,
      parallelism: v.parallelism,
      recordsIn: metrics['read-records'],
      recordsOut: metrics['write-records'],
      bytesIn: metrics['read-bytes'],
      bytesOut: metrics['write-bytes'],
      skippedRecords: v['skipped-records'] ?? null,
      lateRecords: v['late-records'] ?? null,
      busy: share(metrics['accumulated-busy-time']),
      idle: share(metrics['accumulated-idle-time']),
      backpressured: share(metrics['accumulated-backpressured-time']),
    };
  });
}
