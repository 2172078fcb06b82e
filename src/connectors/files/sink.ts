/**
 * Sinks that write files. A job's part files appear together, complete, when the job has finished, in
 * place of those of the run before; a job that fails or is cancelled leaves the old ones. What readers of
 * the folder see meanwhile, and after a crash, is said in committer.ts.
 */
import type { Sink } from '../../api/sink.ts';
import type { TypeDescriptor } from '../../api/types.ts';
import { formatValue, toJson } from '../format-value.ts';
import { jsonWriter } from '../json-writer.ts';
import { type CsvWriteOptions, csvFormat } from './csv-format.ts';
import { PartWriter, type PartFormat } from './writer.ts';

export interface JsonWriteOptions<T> {
  /** Of the records: the fields that are written, and what their values must be. */
  readonly type?: TypeDescriptor<T>;
}

function fileSink<T>(
  path: string,
  suffix: string,
  emptyPart: string,
  format: () => PartFormat<T>,
  type?: TypeDescriptor<T>,
): Sink<T> {
  return {
    name: path,
    committer: { kind: 'files', options: { path, suffix, emptyPart } },
    consumesAtOnce: true,
    ...(type === undefined ? {} : { type }),
    createWriter: (context) => new PartWriter<T>(path, format(), context),
  };
}

/** `path`: the output folder; relative to the working directory. */
export const FileSink = {
  /** One line a record. */
  text<T>(path: string): Sink<T> {
    return fileSink<T>(path, '.txt', '', () => ({
      suffix: '.txt',
      header: '',
      format: (value) => `${formatValue(value)}\n`,
    }));
  },

  /** One JSON value a line. A value that is not of the declared type fails the job. */
  jsonl<T>(path: string, { type }: JsonWriteOptions<T> = {}): Sink<T> {
    const write = type === undefined ? toJson : jsonWriter(type);
    const format = (value: T): string => `${write(value)}\n`;
    const part = (): PartFormat<T> => ({ suffix: '.jsonl', header: '', format });
    return fileSink<T>(path, '.jsonl', '', part, type);
  },

  /**
   * CSV (RFC 4180, with LF) that FileSource.csv reads back as the same values. A value that is not of the
   * declared type fails the job. @throws TypeError when the columns are not known and no type tells them.
   */
  csv<T extends object>(path: string, options: CsvWriteOptions<T>): Sink<T> {
    const { format, header } = csvFormat(options);
    const part = (): PartFormat<T> => ({ suffix: '.csv', header, format });
    return fileSink<T>(path, '.csv', header, part, options.type);
  },
};
