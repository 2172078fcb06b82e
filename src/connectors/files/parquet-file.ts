/** Reading Parquet with hyparquet: columns of a range of rows, as they are stored. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { parquetRead } from 'hyparquet';
import type { PlannedColumns } from './parquet-columns.ts';
import { timeParsers } from './parquet-leaf.ts';
import type { ParquetFile } from './parquet-open.ts';

const compressors = {
  ZSTD: (input: Uint8Array) => zstdDecompressSync(input),
  GZIP: (input: Uint8Array) => gunzipSync(input),
  BROTLI: (input: Uint8Array) => brotliDecompressSync(input),
};

/**
 * Reads the columns of a range of rows.
 * @returns by field, each with `to - from` values as they are stored; `null` for columns that are not there.
 * @throws Error naming the file when it cannot be decoded.
 */
export async function readColumns(
  { buffer, path }: ParquetFile,
  { columns, metadata }: PlannedColumns,
  from: number,
  to: number,
): Promise<(unknown[] | null)[]> {
  const names = columns.flatMap((column) => (column === null ? [] : [column.name]));
  const read = new Map<string, unknown[]>();
  try {
    await parquetRead({
      file: buffer,
      metadata,
      columns: names,
      rowStart: from,
      rowEnd: to,
      compressors,
      parsers: timeParsers,
      utf8: false,
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
    return columns.map((column) => {
      if (column === null) return null;
      const values = read.get(column.name) ?? []; // a row group may have no rows
      if (values.length === to - from) return values;
      throw new Error(`column '${column.name}' has ${values.length} values`);
    });
  } catch (error) {
    throw new Error(`${path}, rows ${from} to ${to - 1}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
