/** Parquet files that are open: their bytes and what their footers say. */
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync } from 'hyparquet';
import type { Split } from '../../api/source.ts';
import { openFileSystem } from '../../storage/open.ts';

export interface ParquetFile {
  readonly path: string;
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
  close(): Promise<void>;
}

/** Rows of a file, from 0; `to` is behind the last one. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}

/** Reads the footer. @throws Error naming the file. */
async function openParquet(location: string): Promise<ParquetFile> {
  let close = async (): Promise<void> => {};
  try {
    const { fileSystem, path } = await openFileSystem(location);
    const file = await fileSystem.open(path);
    close = () => file.close();
    const byteLength = (await fileSystem.stat(path))?.size ?? 0;
    const buffer: AsyncBuffer = {
      byteLength,
      slice: async (start, end = byteLength) => arrayBufferOf(await file.read(start, end - start)),
    };
    return { path: location, buffer, metadata: await parquetMetadataAsync(buffer), close };
  } catch (error) {
    await close();
    throw new Error(`${location} is not a readable Parquet file: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Small buffers share their memory with others. */
function arrayBufferOf(bytes: Buffer): ArrayBuffer {
  const { buffer, byteLength, byteOffset } = bytes;
  if (byteOffset === 0 && buffer.byteLength === byteLength) return buffer as ArrayBuffer;
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

/** Ascending. */
export function rowGroupsOf({ metadata }: ParquetFile): RowRange[] {
  let from = 0;
  return metadata.row_groups.map((group) => {
    const to = from + Number(group.num_rows);
    const range = { from, to };
    from = to;
    return range;
  });
}

/** One split a row group, ascending. @throws Error naming the file. */
export async function rowGroupSplits(path: string): Promise<Split[]> {
  const file = await openParquet(path);
  await file.close();
  return rowGroupsOf(file).map((range, index) => ({
    id: `${path}#${index}`,
    file: path,
    ...range,
  }));
}

/** Keeps the file that was read last open, for its next row group: a footer is read once. */
export class LastParquetFile {
  #path: string | null = null;
  #opening: Promise<ParquetFile> | null = null;

  async open(path: string): Promise<ParquetFile> {
    if (this.#path !== path || this.#opening === null) {
      await this.close();
      this.#path = path;
      this.#opening = openParquet(path);
      this.#opening.catch(() => {}); // its caller knows
    }
    return this.#opening;
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = null;
    const file = await opening?.catch(() => null);
    await file?.close();
  }
}
