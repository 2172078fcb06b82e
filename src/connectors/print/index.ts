/** A sink that prints: to the `.out` file of the process that runs the subtask. */
import type { Sink } from '../../api/sink.ts';
import { formatValue } from '../format-value.ts';

export const PrintSink = {
  /** One line a record; with several subtasks each line begins with the number of its own: `2> `. */
  create<T>(options: { readonly prefix?: string } = {}): Sink<T> {
    return {
      name: 'print',
      committer: null,
      consumesAtOnce: true,
      createWriter: ({ subtaskIndex, parallelism, stdout }) => {
        const number = parallelism > 1 ? `${subtaskIndex + 1}> ` : '';
        const prefix = options.prefix === undefined ? number : `${options.prefix}:${number || ' '}`;
        return {
          open: async () => {},
          write: (value) => stdout.write(`${prefix}${formatValue(value)}\n`),
          ready: () => stdout.ready(),
          finish: async () => {
            await stdout.flushed();
            return [];
          },
          abort: async () => {},
        };
      },
    };
  },
};
