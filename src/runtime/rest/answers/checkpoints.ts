/** What is said about the checkpoints of a job that takes none, as Flink says it. Pure. */

/** Not in the types of ECMAScript 2024; in every Node.js that runs this. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** Java's largest `long`, by which the Web UI knows that there is no interval. No number of JavaScript. */
const NO_INTERVAL = rawJSON('9223372036854775807');

const none = {
  min: 0,
  max: 0,
  avg: 0,
  p50: 'NaN',
  p90: 'NaN',
  p95: 'NaN',
  p99: 'NaN',
  p999: 'NaN',
};

export function checkpointStatistics() {
  return {
    counts: { restored: 0, total: 0, in_progress: 0, completed: 0, failed: 0 },
    summary: {
      checkpointed_size: none,
      state_size: none,
      end_to_end_duration: none,
      alignment_buffered: { ...none, p50: 0, p90: 0, p95: 0, p99: 0, p999: 0 },
      processed_data: none,
      persisted_data: none,
    },
    latest: { completed: null, savepoint: null, failed: null, restored: null },
    history: [],
  };
}

export function checkpointConfig() {
  return {
    mode: 'at_least_once',
    interval: NO_INTERVAL,
    timeout: 600_000,
    min_pause: 0,
    max_concurrent: 1,
    externalization: { enabled: false, delete_on_cancellation: true },
    state_backend: 'HashMapStateBackend',
    checkpoint_storage: 'JobManagerCheckpointStorage',
    unaligned_checkpoints: false,
    tolerable_failed_checkpoints: 0,
    aligned_checkpoint_timeout: 0,
    checkpoints_after_tasks_finish: true,
    state_changelog_enabled: false,
    changelog_periodic_materialization_interval: 600_000,
    changelog_storage: 'memory',
  };
}
