/** A sink that drops every record; for measurements. */
import type { Sink } from '../../api/sink.ts';

export const DiscardSink = {
  create<T>(): Sink<T> {
    return {
      name: 'discard',
      committer: null,
      consumesAtOnce: true,
      createWriter: () => ({
        open: async () => {},
        write: () => {},
        ready: () => null,
        finish: async () => [],
        abort: async () => {},
      }),
    };
  },
};
