/**
 * Reads a log file, of this process or another one, range by range.
 *
 * L1  An answer holds at most the last 16 MiB of a file, and begins with a line then.
 */
import type { LogFiles } from '../jobmanager/views/cluster-view.ts';

const rangeBytes = 1024 * 1024;
const maxBytes = 16 * rangeBytes;

/** Bytes that are no UTF-8 are replaced. @returns `null`: there is no such file. */
export async function readLogText(logs: LogFiles, name: string): Promise<string | null> {
  const file = (await logs.list()).find((candidate) => candidate.name === name);
  if (file === undefined) return null;
  const start = Math.max(0, file.sizeBytes - maxBytes); // L1
  const parts: Uint8Array[] = [];
  for (let offset = start; offset < file.sizeBytes;) {
    const length = Math.min(rangeBytes, file.sizeBytes - offset);
    const part = await logs.read({ name, offset, length });
    if (part === null || part.length === 0) break; // it was rotated
    parts.push(part);
    offset += part.length;
  }
  const text = Buffer.concat(parts).toString('utf8');
  return start === 0 ? text : text.slice(text.indexOf('\n') + 1);
}
