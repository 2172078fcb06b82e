/** Reading Parquet with hyparquet: columns decoded as numbers where possible. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { parquetRead } from 'hyparquet';
import type { ParquetFile } from './parquet-open.ts';

const compressors = {
  ZSTD: (input: Uint8Array) => zstdDecompressSync(input),
  GZIP: (input: Uint8Array) => gunzipSync(input),
  BROTLI: (input: Uint8Array) => brotliDecompressSync(input),
};

/** Dates and times become epoch milliseconds; no Date objects. */
const parsers = {
  timestampFromMilliseconds: (ms: bigint) => Number(ms),
  timestampFromMicroseconds: (us: bigint) => Number(us) / 1000,
  timestampFromNanoseconds: (ns: bigint) => Number(ns) / 1_000_000,
  dateFromDays: (days: number) => days * 86_400_000,
};

/**
 * Reads some columns of a range of rows.
 * @returns by column name, each with `to - from` values.
 * @throws Error naming the file when it cannot be decoded or lacks a column.
 */
export async function readColumns(
  { buffer, metadata, path: file }: ParquetFile,
  columns: readonly string[],
  from: number,
  to: number,
): Promise<Map<string, unknown[]>> {
  const known = metadata.schema.slice(1).map((element) => element.name);
  const missing = columns.filter((column) => !known.includes(column));
  if (missing.length > 0) {
    throw new Error(`${file} has no column ${missing.join(', ')}; it has ${known.join(', ')}`);
  }
  const read = new Map<string, unknown[]>();
  try {
    await parquetRead({
      file: buffer,
      metadata,
      columns: [...columns],
      rowStart: from,
      rowEnd: to,
      compressors,
      parsers,
      onChunk: ({ columnName, columnData, rowStart }) => {
        // What is thrown here would be lost: the columns are checked below.
        if (rowStart === from && columnData.length === to - from && Array.isArray(columnData)) {
          read.set(columnName, columnData);
          return;
        }
        let target = read.get(columnName);
        if (target === undefined) read.set(columnName, (target = []));
        // A chunk may reach beyond the rows asked for.
        const start = Math.max(from, rowStart);
        const end = Math.min(to, rowStart + columnData.length);
        for (let row = start; row < end; row++) target[row - from] = columnData[row - rowStart];
      },
    });
    for (const column of columns) {
      const values = read.get(column) ?? [];
      read.set(column, values); // a row group may have no rows
      if (values.length !== to - from) {
        throw new Error(`column '${column}' has ${values.length} values`);
      }
    }
  } catch (error) {
    throw new Error(`${file}, rows ${from} to ${to - 1}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return read;
}
