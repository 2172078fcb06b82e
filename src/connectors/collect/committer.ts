/** Puts what the subtasks of a `collect` sink collected into the job's result. */
import type { SinkCommitter } from '../../api/sink.ts';

export function createCollectCommitter(): SinkCommitter {
  return {
    prepare: async () => {},
    commit: async (committables) => committables,
    abort: async () => {},
  };
}
