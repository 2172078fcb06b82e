/** Counts the words of text files. */
import { EndOfStreamWindows, FileSink, FileSource, type TypeOf, defineJob, types } from 'fctl';

const wordCount = types.record({ word: types.string, count: types.int32 });

export const words = defineJob(
  'words',
  { args: types.record({ input: types.string, output: types.string }) },
  (env, { input, output }) => {
    env
      .fromSource(FileSource.text(input))
      .flatMap<string>(
        (line, out) => {
          for (const word of line.toLowerCase().match(/\p{L}+/gu) ?? []) out.collect(word);
        },
        { type: types.string },
      )
      .map((word) => ({ word, count: 1 }), { type: wordCount })
      .keyBy('word')
      .window(EndOfStreamWindows.get())
      .reduce((a, b) => ({ word: a.word, count: a.count + b.count }))
      .sinkTo(FileSink.csv<TypeOf<typeof wordCount>>(output, { type: wordCount }));
  },
);
