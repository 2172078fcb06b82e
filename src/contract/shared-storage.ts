/**
 * Which paths all processes of a cluster see alike, where they do not see the same files anyway. The client
 * and the JobManager judge by the same rules. Pure.
 */
import { posix } from 'node:path';
import { parseLocation } from './location.ts';

/**
 * @param path of a file, a folder or a glob, or an address such as `hdfs://…`, which is no local path.
 * @param shared `storage.shared` of the config; of it, the absolute paths count.
 * @returns whether every process finds the same under it. A relative path means another one everywhere, and
 *   so does one below `~`.
 */
export function isSharedPath(path: string, shared: readonly string[]): boolean {
  const location = parseLocation(path);
  if (location.kind === 'address') return true;
  if (location.kind !== 'path' || !location.path.startsWith('/')) return false;
  const wanted = posix.normalize(location.path);
  return shared
    .filter((root) => root.startsWith('/'))
    .map((root) => posix.normalize(root).replace(/\/+$/, ''))
    .some((root) => wanted === root || wanted.startsWith(`${root}/`));
}

/** Whether a text that may be anything looks like a local path. */
export const looksLocal = (text: string): boolean =>
  /^(?:\.{0,2}\/|~(?:\/|$)|file:|\.{1,2}$)/i.test(text);
