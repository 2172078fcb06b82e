/** A sink that gives its records back to `main()`: `result.collected(name)`. For small results. */
import type { Sink } from '../../api/sink.ts';
import type { JsonValue } from '../../contract/json.ts';
import { toJson } from '../format-value.ts';

const maxBytes = 16 * 1024 * 1024;

export const CollectSink = {
  /** Records come back as JSON has them: a bigint as a number or a string, a Map as an object. */
  named<T>(name: string): Sink<T> {
    return {
      name: `collect ${name}`,
      committer: { kind: 'collect', options: { name } },
      consumesAtOnce: true,
      createWriter: () => {
        const records: string[] = [];
        let size = 0;
        return {
          open: async () => {},
          write: (value) => {
            const text = toJson(value);
            size += text.length;
            if (size > maxBytes) {
              throw new Error(
                `collect sink '${name}' got more than ${maxBytes} bytes: write large results to files`,
              );
            }
            records.push(text);
          },
          ready: () => null,
          finish: async () => records.map((text) => JSON.parse(text) as JsonValue),
          abort: async () => {},
        };
      },
    };
  },
};
