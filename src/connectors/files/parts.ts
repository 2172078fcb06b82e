/** Part files by what is in them, to know them again under another name. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { isAbsent, publishedName, publishedParts } from './layout.ts';

/** What a writer hands to the committer. */
export interface Part {
  /** In the staging folder. */
  readonly name: string;
  readonly bytes: number;
  readonly crc32: number;
}

/** Whether the published parts of a folder are these, in this order, and no others. */
export async function arePublished(
  folder: string,
  suffix: string,
  parts: readonly Part[],
): Promise<boolean> {
  if ((await publishedParts(folder, suffix)).length !== parts.length) return false;
  for (const [index, part] of parts.entries()) {
    if (!(await holds(join(folder, publishedName(index, suffix)), part))) return false;
  }
  return true;
}

const chunkBytes = 256 * 1024;

async function holds(path: string, part: Part): Promise<boolean> {
  let file;
  try {
    file = await open(path);
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
  try {
    if ((await file.stat()).size !== part.bytes) return false;
    const chunk = Buffer.allocUnsafe(chunkBytes);
    let checksum = 0;
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, chunkBytes);
      if (bytesRead === 0) return checksum === part.crc32;
      checksum = crc32(chunk.subarray(0, bytesRead), checksum);
    }
  } finally {
    await file.close();
  }
}
