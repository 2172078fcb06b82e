/** What tasks print, with the back pressure of the stream that it goes to. */
import type { Writable } from 'node:stream';
import type { TextOutput } from '../../api/sink.ts';

/** All tasks of a slot share it, and wait for the same moment. */
export function textOutput(stream: Writable): TextOutput {
  let drained: Promise<void> | null = null;
  return {
    write: (text) => void stream.write(text),
    ready: () => {
      if (!stream.writableNeedDrain) return null;
      drained ??= new Promise((resolve) => {
        stream.once('drain', () => {
          drained = null;
          resolve();
        });
      });
      return drained;
    },
    flushed: () => new Promise((resolve) => stream.write('', () => resolve())),
  };
}
