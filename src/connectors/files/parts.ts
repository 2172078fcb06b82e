/** Part files by what is in them, to know them again under another name. */
import { join } from 'node:path/posix';
import { crc32 } from 'node:zlib';
import type { FileSystem } from '../../storage/file-system.ts';
import { publishedName, publishedParts } from './layout.ts';

/** What a writer hands to the committer. */
export interface Part {
  /** In the staging folder. */
  readonly name: string;
  readonly bytes: number;
  readonly crc32: number;
}

export const partOf = (name: string, content: Uint8Array): Part => ({
  name,
  bytes: content.length,
  crc32: crc32(content),
});

/** Whether the published parts of a folder are these, in this order, and no others. */
export async function arePublished(
  fileSystem: FileSystem,
  folder: string,
  suffix: string,
  parts: readonly Part[],
): Promise<boolean> {
  if ((await publishedParts(fileSystem, folder, suffix)).length !== parts.length) return false;
  for (const [index, part] of parts.entries()) {
    const path = join(folder, publishedName(index, suffix));
    if (!(await holds(fileSystem, path, part))) return false;
  }
  return true;
}

const chunkBytes = 256 * 1024;

async function holds(fileSystem: FileSystem, path: string, part: Part): Promise<boolean> {
  const status = await fileSystem.stat(path);
  if (status === null || status.size !== part.bytes) return false;
  const file = await fileSystem.open(path);
  try {
    let checksum = 0;
    for (let at = 0; ; at += chunkBytes) {
      const chunk = await file.read(at, chunkBytes);
      if (chunk.length === 0) return checksum === part.crc32;
      checksum = crc32(chunk, checksum);
    }
  } finally {
    await file.close();
  }
}
